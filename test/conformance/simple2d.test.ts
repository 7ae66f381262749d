import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { expectSameCheckpoint, expectSameModel } from "../support/compare-models.js";
import { nearLines, numberLines, playBack, recordedFile } from "../support/recorded-run.js";
import { writeSimple2d } from "../support/simple2d.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/**
 * Trainings of a small network on CNTK's Simple2d data, recorded from CNTK 2.0 (CPU build) in double precision: update
 * rules, schedules, the reader's order, restarts. Every printed digit counts.
 */
const cases = "test/fixtures/conformance/sgd";
const folder = temporaryFolder();
const data = join(folder, "data");

beforeAll(() => {
  mkdirSync(data);
  writeSimple2d(data);
});

describe("training prints and writes what CNTK does", () => {
  const names = readdirSync(cases, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of names) {
    it(name, async () => {
      const recorded = join(cases, name);
      const own = recordedFile(recorded, "case.cntk") !== undefined;
      const run = join(folder, name);
      mkdirSync(run);
      const steps = await playBack(recorded, {
        $CaseDir$: own ? join(process.cwd(), recorded) : join(process.cwd(), cases),
        $RunDir$: run,
        $Simple2d$: data,
      });
      for (const step of steps) {
        const theirs = numberLines(step.recorded);
        expect(nearLines(theirs, numberLines(step.run.log))).toEqual(theirs);
      }
      const files = readFileSync(join(recorded, "files.txt"), "utf8").split("\n").filter(Boolean);
      expect(readdirSync(run).sort()).toEqual(files);
      const untrained = recordedFile(recorded, "run/m.dnn.0");
      if (untrained) expect(fileIn(run, "m.dnn.0")).toEqual(untrained);
      const model = recordedFile(recorded, "run/m.dnn");
      if (model) expectSameModel(fileIn(run, "m.dnn"), model, 1e-9, 1e-6);
      const checkpoint = recordedFile(recorded, "run/m.dnn.ckp");
      if (checkpoint) expectSameCheckpoint(fileIn(run, "m.dnn.ckp"), checkpoint, 1e-9, 1e-6);
    });
  }
});

function fileIn(run: string, name: string): Uint8Array {
  return Uint8Array.from(readFileSync(join(run, name)));
}
