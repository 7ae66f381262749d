import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { checkConfig } from "../../src/api-run.js";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { memoryFiles } from "../support/memory-files.js";
import { mutatedText } from "./mutate-text.mjs";

const folder = new URL("../../models/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".cntk"));
const quiet = { write: () => undefined };

/** Large runs: test/fuzz/run.mjs. */
const seedsPerFile = 8;

it.each(names)("%s, damaged: checked, or refused with a reason", async (name) => {
  const whole = readFileSync(new URL(name, folder), "utf8");
  let refused = 0;
  for (let seed = 1; seed <= seedsPerFile; seed++) {
    const files = memoryFiles(new Map([["/net.cntk", mutatedText(whole, seed)]]));
    try {
      await checkConfig(["configFile=/net.cntk"], {
        files,
        log: quiet,
        output: quiet,
        backend: "javascript",
      });
    } catch (error) {
      // Anything else is a mistake of the program.
      if (!(error instanceof CntkError)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(0);
});
