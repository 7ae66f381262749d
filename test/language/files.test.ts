import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CntkError, placeOf } from "../../src/diagnostics/index.js";
import { arrayItems, evaluateText } from "../support/evaluate-text.js";

// Every *.bs file below this folder is a test. Its member `do` is evaluated (all items, if it is a list). What it prints
// must be the texts of the comments `# expect: …`, in their order. A comment `# expect error: …` stands behind the line
// where that error must be located.
const folder = new URL("./", import.meta.url);
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".bs"),
);

interface Outcome {
  readonly printed: readonly string[];
  readonly error?: string;
}

function expected(text: string): Outcome {
  const printed = [...text.matchAll(/# expect: ?(.*)$/gm)].map((match) => match[1] ?? "");
  const line = text.split("\n").findIndex((one) => one.includes("# expect error:"));
  if (line < 0) return { printed };
  const message = /# expect error: (.*)$/m.exec(text)?.[1] ?? "";
  return { printed, error: `line ${line + 1}: ${message}` };
}

function actual(text: string): Outcome {
  const lines: string[] = [];
  const printed = () => lines.flatMap((line) => line.split("\n"));
  try {
    const member = evaluateText(text, lines).own("do");
    if (!member) throw new Error("the file has no member `do`");
    arrayItems(member.force());
    return { printed: printed() };
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    const { span } = error.diagnostic;
    const line = span && placeOf(span.source, span.start).line;
    return { printed: printed(), error: `line ${line}: ${error.message}` };
  }
}

describe("language files", () => {
  test.each(files)("%s", (file) => {
    const text = readFileSync(new URL(file.replaceAll("\\", "/"), folder), "utf8");
    expect(actual(text)).toEqual(expected(text));
  });
});
