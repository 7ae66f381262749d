import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectSameCheckpoint, expectSameModel } from "../support/compare-models.js";
import { captureRun, nearLines, numberLines, playBack, recordedFile } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/**
 * Small recurrent networks on sequences of 1 to 7 frames, trained, written and tested, recorded from CNTK 2.0 (CPU build) in
 * double precision: loops in both directions, stacks, packed sequences, truncated sequences that carry their state over
 * minibatches, two dynamic axes, dropout inside a loop, connectionist temporal classification. Every printed digit counts.
 */
const cases = join(process.cwd(), "test/fixtures/conformance/sequences");
const folder = temporaryFolder();

describe("recurrent networks print and write what CNTK's do", () => {
  const names = readdirSync(cases, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of names) {
    it(name, async () => {
      const recorded = join(cases, name);
      const run = join(folder, name);
      mkdirSync(run);
      const steps = await playBack(recorded, { $CaseDir$: recorded, $RunDir$: run, $DataDir$: cases });
      for (const step of steps) {
        const theirs = numberLines(step.recorded);
        expect(theirs.length).toBeGreaterThan(20);
        expect(nearLines(theirs, numberLines(step.run.log))).toEqual(theirs);
      }
      const files = readFileSync(join(recorded, "files.txt"), "utf8").split("\n").filter(Boolean);
      expect(readdirSync(run).sort()).toEqual(files);
      for (const file of readdirSync(join(recorded, "run"))) {
        const theirs = recordedFile(recorded, `run/${file}`) ?? new Uint8Array();
        const ours = Uint8Array.from(readFileSync(join(run, file)));
        if (file === "m.dnn.0") expect(ours).toEqual(theirs);
        else if (file === "m.dnn") expectSameModel(ours, theirs, 1e-9, 1e-6);
        else if (file === "m.dnn.ckp") expectSameCheckpoint(ours, theirs, 1e-9, 1e-6);
        else {
          const lines = linesOf(theirs);
          expect(nearLines(lines, linesOf(ours)), file).toEqual(lines);
        }
      }
    });
  }
});

describe("data of two dynamic axes whose sequences lie in the same places", () => {
  it("need no ReconcileDynamicAxis: the numbers are the same", async () => {
    const recorded = join(cases, "sequences-last");
    const run = join(folder, "compared-by-content");
    mkdirSync(run);
    const text = readFileSync(join(recorded, "case.cntk"), "utf8");
    writeFileSync(join(run, "case.cntk"), text.replace("ReconcileDynamicAxis (zz, q)", "zz + Constant (0)"));
    const words = ["configFile=case.cntk", `CaseFolder=${cases}`, `RunDir=${run}`, "stderr=-"];
    const { log, error } = await captureRun(words, { directory: run });
    expect(error).toBeUndefined();
    const theirs = criterionLines(readFileSync(join(recorded, "log.txt"), "utf8"));
    expect(theirs.length).toBeGreaterThan(20);
    expect(nearLines(theirs, criterionLines(log))).toEqual(theirs);
    for (const name of ["out.z", "out.h"]) {
      const lines = linesOf(recordedFile(recorded, `run/${name}`) ?? new Uint8Array());
      expect(nearLines(lines, linesOf(readFileSync(join(run, name)))), name).toEqual(lines);
    }
  });
});

/** Lines with the values of criteria. */
function criterionLines(log: string): string[] {
  return numberLines(log).filter((line) => line.includes(" * "));
}

function linesOf(text: Uint8Array): string[] {
  return Buffer.from(text).toString("utf8").split("\n");
}
