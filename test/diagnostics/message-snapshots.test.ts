import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseArguments } from "../../src/cli/arguments.js";
import { commands } from "../../src/cli/commands/index.js";
import { CntkError, renderDiagnostic } from "../../src/diagnostics/index.js";
import { backendNames } from "../../src/index.js";
import { diagnosticCodes } from "../support/diagnostic-codes.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { families, type Family, unshown } from "./messages/index.js";
import type { MessageCase } from "./messages/message-case.js";

const folder = temporaryFolder();
/** The pages are shipped as documentation. */
const documentation = "../../docs";
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

/** What a family's page shows, and of each case the code that was raised and the first line a user reads. */
interface Page {
  readonly text: string;
  readonly cases: readonly { readonly wanted: string; readonly code: string; readonly message: string }[];
}

const pages = new Map<Family, Promise<Page>>();

/** Every command is run once, whoever asks for its message. */
function pageOf(family: Family): Promise<Page> {
  const page = pages.get(family) ?? makePage(family);
  pages.set(family, page);
  return page;
}

async function makePage({ title, cases }: Family): Promise<Page> {
  const parts: string[] = [`# ${title}\n`];
  const raised: Page["cases"][number][] = [];
  for (const message of cases) {
    const { code, rendered } = await errorOf(message);
    raised.push({ wanted: message.code, code, message: rendered.split("\n", 1)[0] ?? "" });
    parts.push(`## ${message.code}\n`, shown(message, rendered));
  }
  return { text: parts.join("\n"), cases: raised };
}

/** The table of contents: every message with a link to the place where it is shown. */
async function contents(): Promise<string> {
  const parts = [
    "# Messages\n\nWhat cntkts says when something is wrong, beside what it is about: the files, the command line and the message, " +
      "for every kind of mistake. Each was made by running the command.\n",
  ];
  for (const family of families) {
    const { cases } = await pageOf(family);
    const shownBefore = new Map<string, number>();
    const lines = cases.map(({ code, message }) => {
      const times = shownBefore.get(code) ?? 0;
      shownBefore.set(code, times + 1);
      const anchor = times === 0 ? code : `${code}-${times}`;
      const text = message.replace(/^error: /, "").replaceAll("`", "'");
      return `- [${code}](messages/${family.name}.md#${anchor}): \`${text}\``;
    });
    parts.push(`## [${family.title}](messages/${family.name}.md)\n\n${lines.join("\n")}\n`);
  }
  return parts.join("\n");
}

describe("messages, beside what they are about", () => {
  it.each(families)("$name", async (family) => {
    const { text, cases } = await pageOf(family);
    expect(cases.map(({ code }, index) => `${index} ${code}`)).toEqual(
      cases.map(({ wanted }, index) => `${index} ${wanted}`),
    );
    await expect(text).toMatchFileSnapshot(join(documentation, "messages", `${family.name}.md`));
  });

  it("are listed in one page", async () => {
    await expect(await contents()).toMatchFileSnapshot(join(documentation, "messages.md"));
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
