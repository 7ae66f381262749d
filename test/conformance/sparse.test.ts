import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectSameCheckpoint, expectSameModel } from "../support/compare-models.js";
import { comparableLines, nearLines, numberLines, playBack, recordedFile } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/**
 * Trainings with sparse words, recorded from CNTK 2.0 (CPU build) in double precision: the gradient of the embedding touches
 * only the columns of the words that occur. What CNTK refuses for such gradients ends with its sentence.
 */
const cases = "test/fixtures/conformance/sparse";
const folder = temporaryFolder();
const sentence = /^Inside File: .* -> Feature Not Implemented\.$/;

describe("training with sparse gradients prints and writes what CNTK does", () => {
  const names = readdirSync(cases, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of names) {
    it(name, async () => {
      const recorded = join(cases, name);
      const own = recordedFile(recorded, "case.cntk") !== undefined;
      const run = join(folder, name);
      mkdirSync(run);
      const steps = await playBack(recorded, {
        $CaseDir$: join(process.cwd(), own ? recorded : cases),
        $RunDir$: run,
      });
      expect(steps.length).toBe(1);
      for (const step of steps) {
        const theirs = numberLines(step.recorded);
        expect(nearLines(theirs, numberLines(step.run.log))).toEqual(theirs);
        const refused = comparableLines(step.recorded).filter((line) => sentence.test(line));
        expect(comparableLines(step.run.log).filter((line) => sentence.test(line))).toEqual(refused);
        expect(refused.length).toBe(name.endsWith("-error") ? 1 : 0);
        if (step.run.error) expect(step.run.error.message).toContain(refused[0]);
      }
      for (const file of readdirSync(join(recorded, "run"))) {
        const [ours, theirs] = [run, join(recorded, "run")].map((path) => readFileSync(join(path, file)));
        if (!ours || !theirs) throw new Error(`${file} is missing`);
        if (file.endsWith(".ckp")) expectSameCheckpoint(ours, theirs, 1e-9, 1e-6);
        else if (file.startsWith("m.dnn")) expectSameModel(ours, theirs, 1e-9, 1e-6);
        else expect(ours.toString()).toBe(theirs.toString());
      }
    });
  }
});
