import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseArguments } from "../../src/cli/arguments.js";
import { commands } from "../../src/cli/commands/index.js";
import { CntkError, renderDiagnostic } from "../../src/diagnostics/index.js";
import { backendNames } from "../../src/index.js";
import { diagnosticCodes } from "../support/diagnostic-codes.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { families, unshown } from "./messages/index.js";
import type { MessageCase } from "./messages/message-case.js";

const folder = temporaryFolder();
let count = 0;

/** Runs a command line where the files of a case are. */
async function run(command: string, directory: string, interrupted = false): Promise<void> {
  const nowhere = { write: () => {} };
  const { run: act, backend } = await parseArguments(command.split(" "), commands, backendNames);
  await act({
    output: nowhere,
    errors: nowhere,
    directory,
    environment: {},
    onInterrupt: () => () => {},
    exit: () => {},
    print: () => {},
    signal: interrupted ? AbortSignal.abort() : new AbortController().signal,
    backend: backend ?? "reference",
  });
}

/** The error that the command of a case ends with, and what the user reads. */
async function errorOf({
  files,
  before,
  command,
  interrupted,
}: MessageCase): Promise<{ code: string; rendered: string }> {
  const directory = join(folder, String(count++));
  mkdirSync(directory);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  if (before !== undefined) await run(before, directory);
  try {
    await run(command, directory, interrupted);
  } catch (error) {
    if (error instanceof CntkError) {
      const rendered = renderDiagnostic(error.diagnostic).replaceAll(directory, "/home/me/net");
      return { code: error.code, rendered };
    }
    throw error;
  }
  throw new Error(`nothing was wrong with: ${command}`);
}

/** Files, command and message one below the other, as Markdown. */
function shown(message: MessageCase, rendered: string): string {
  const files = Object.entries(message.files).map(([name, content]) =>
    typeof content === "string"
      ? `\`${name}\`\n\n\`\`\`\n${content.replace(/\r/g, "␍").trimEnd()}\n\`\`\`\n`
      : `\`${name}\`: ${content.length} bytes\n`,
  );
  const before = message.before === undefined ? [] : [`After \`cntkts ${message.before}\`:\n`];
  return [
    ...files,
    ...before,
    `\`cntkts ${message.command}\`${message.interrupted ? " and Ctrl-C" : ""}\n`,
    `\`\`\`\n${rendered}\n\`\`\`\n`,
  ].join("\n");
}

describe("messages, beside what they are about", () => {
  it.each(families)("$name", async ({ name, title, cases }) => {
    const parts: string[] = [`# ${title}\n`];
    const codes: [string, string][] = [];
    for (const [index, message] of cases.entries()) {
      const { code, rendered } = await errorOf(message);
      codes.push([`${index} ${message.code}`, `${index} ${code}`]);
      parts.push(`## ${message.code}\n`, shown(message, rendered));
    }
    expect(codes.map(([, got]) => got)).toEqual(codes.map(([wanted]) => wanted));
    await expect(parts.join("\n")).toMatchFileSnapshot(join("messages", `${name}.md`));
  });
});

it("every diagnostic code of the sources is shown, or listed with the reason why not", () => {
  const known = new Set([
    ...families.flatMap(({ cases }) => cases.map(({ code }) => code)),
    ...Object.keys(unshown),
  ]);
  const codes = diagnosticCodes();
  const missing = [...codes]
    .filter(([code]) => !known.has(code))
    .map(([code, places]) => `${code} (${places.join(", ")}): add a case to test/diagnostics/messages`);
  const gone = [...known]
    .filter((code) => !codes.has(code))
    .map((code) => `${code}: nothing in the sources says so`);
  expect([...missing, ...gone]).toEqual([]);
});
