import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseBrainScript, plainText, printAst } from "../../grammar/index.js";

// CNTK's own parser tests: source text and the dump of its tree.
const folder = new URL("../../../shared/cntk/Tests/UnitTests/BrainScriptTests/Data/Parser/", import.meta.url);

/** The comparison leaves trailing blanks and final newlines aside. */
function normalized(text: string): string {
  return text.replace(/[ \t\r]+$/gm, "").trimEnd();
}

describe.skipIf(!existsSync(folder))("CNTK's parser pairs", () => {
  for (let number = 1; number <= 21; number++) {
    test(`pair ${number}`, () => {
      const text = readFileSync(new URL(`Input${number}.txt`, folder), "utf8");
      const { result, diagnostics } = parseBrainScript(plainText({ name: `Input${number}.txt`, text }));
      expect(diagnostics).toEqual([]);
      const expected = readFileSync(new URL(`ExpectedOutput${number}.txt`, folder), "utf8");
      expect(result && normalized(printAst(result))).toBe(normalized(expected));
    });
  }
});
