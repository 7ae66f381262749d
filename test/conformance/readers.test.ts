import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { comparableLines, nearLines, numberLines, playBack } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/**
 * Readers of words and of speech in whole runs, recorded from CNTK 2.0 (CPU build) in double precision: the order of shuffled
 * sentences, sentences written side by side, momentum of truncated sequences, frames written as one HTK file, all that the older
 * reader of speech tells of its files and epochs.
 */
const cases = join(process.cwd(), "test/fixtures/conformance/readers");
const folder = temporaryFolder();

describe("logs and written files of runs with readers of words and of speech are CNTK's", () => {
  for (const name of readdirSync(cases)) {
    it(name, async () => {
      const recorded = join(cases, name);
      const run = join(folder, name);
      mkdirSync(run);
      const places = { $CaseDir$: recorded, $RunDir$: run };
      const [step] = await playBack(recorded, places, { directory: run });
      const theirs = comparableLines(step!.recorded);
      expect(theirs.length).toBeGreaterThan(50);
      const ours = comparableLines(step!.run.log);
      expect(nearLines(theirs, ours.slice(ours.indexOf("#".repeat(78))))).toEqual(theirs);
      expect(step!.run.error?.message).toBe(/EXCEPTION occurred: (.*)/.exec(step!.recorded)?.[1]);
      const files = join(recorded, "run");
      for (const file of existsSync(files) ? readdirSync(files) : []) {
        expect(readFileSync(join(run, file)), file).toEqual(readFileSync(join(files, file)));
      }
    });
  }
});

// Frames of HTKMLFReader, shuffled by the C library's rand, in epochs that do not end with the data.
it("HTKMLFReader's order gives CNTK's criteria", async () => {
  const recorded = join(process.cwd(), "test/fixtures/conformance/speech-order");
  const run = join(folder, "order");
  mkdirSync(run);
  const [step] = await playBack(recorded, { $CaseDir$: recorded, $RunDir$: run }, { directory: run });
  const theirs = numberLines(step!.recorded);
  expect(theirs.length).toBeGreaterThan(8);
  const { log } = step!.run;
  expect(nearLines(theirs, numberLines(log.slice(log.indexOf("#".repeat(78)))))).toEqual(theirs);
});
