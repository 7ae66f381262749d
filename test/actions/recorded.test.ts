import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { comparableLines, nearLines, playBack } from "../support/recorded-run.js";
import { expectSameModel } from "../support/compare-models.js";
import { writeSimple2d } from "../support/simple2d.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/**
 * Actions on a model of CNTK: whole logs and written files recorded from CNTK 2.0 (CPU build), double precision.
 */
const cases = "test/fixtures/conformance/actions";
const folder = temporaryFolder();
const data = join(folder, "data");

beforeAll(() => {
  mkdirSync(data);
  writeSimple2d(data);
});

/** Errors that end a recorded run, with CNTK's words and the code of ours. */
const failures: Readonly<Record<string, readonly [code: string, message: string]>> = {
  "edit-replace-node": [
    "shape-mismatch",
    "z.x.x._.PlusArgs[0] Times operation: Left [16 x 2] and right [1 x 1] operands' shapes are not compatible.",
  ],
  "test-vector-node": ["criterion-not-scalar", "Criterion nodes to evaluate must have dimension 1x1."],
  "write-sequence-key-old": [
    "sequence-keys",
    "Sequence Id mapping is not available for old style configurations. Please use deserializers.",
  ],
};

/** Texts are equal to the printed digit, up to numbers with more than 11 of them; models but for last bits of values. */
function expectSameFile(ours: string, recorded: string): void {
  const [written, expected] = [readFileSync(ours), readFileSync(recorded)];
  if (expected.includes(0)) return expectSameModel(written, expected, 1e-9, 1e-3);
  const [lines, theirs] = [written, expected].map((bytes) => bytes.toString("utf8").split("\n"));
  expect(nearLines(theirs!, lines!), ours).toEqual(theirs);
}

describe("logs and written files are CNTK's", () => {
  const names = readdirSync(cases).filter((name) => existsSync(join(cases, name, "command.txt")));
  for (const name of names) {
    it(name, async () => {
      const recorded = join(cases, name);
      const run = join(folder, name);
      mkdirSync(run);
      const [step] = await playBack(recorded, {
        $CaseDir$: join(process.cwd(), recorded),
        $Model$: join(process.cwd(), cases, "model"),
        $RunDir$: run,
        $Simple2d$: data,
      });
      const theirs = comparableLines(step!.recorded);
      const ours = comparableLines(step!.run.log);
      expect(ours.slice(ours.indexOf("#".repeat(78)))).toEqual(theirs);
      const { error } = step!.run;
      expect(error && [error.code, error.message]).toEqual(failures[name]);
      const written = existsSync(join(recorded, "run")) ? readdirSync(join(recorded, "run")) : [];
      for (const file of written) expectSameFile(join(run, file), join(recorded, "run", file));
      if (error) expect(readdirSync(run)).toEqual([]);
    });
  }
});
