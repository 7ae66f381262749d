import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { captureRun, comparableLines, nearLines, playBack } from "../support/recorded-run.js";
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

// CNTK keeps the precision of a model that it only looks at or changes; the model here is in double.
describe("actions on a model in another precision than the run's", () => {
  const model = join(process.cwd(), cases, "model");
  const play = async (name: string, config: string, words: readonly string[]): Promise<string> => {
    const directory = join(folder, name);
    mkdirSync(directory);
    const places = [`CaseFolder=${model}`, `RunDir=${directory}`, `DataDir=${data}`, "precision=float"];
    const { error } = await captureRun([`configFile=${config}`, ...places, ...words], { directory });
    expect(error).toBeUndefined();
    return directory;
  };

  it.each([
    ["dump-all", "dump.txt"],
    ["plot", "m.dot"],
  ])("%s writes what CNTK writes", async (name, file) => {
    const recorded = join(process.cwd(), cases, name);
    const directory = await play(`${name}-float`, join(recorded, "case.cntk"), []);
    expect(readFileSync(join(directory, file), "utf8")).toBe(
      readFileSync(join(recorded, "run", file), "utf8"),
    );
  });

  it("edit saves it in its own", async () => {
    const script = join(folder, "same.mel");
    writeFileSync(
      script,
      'm = LoadModel("$CaseFolder$/m.dnn")\nRename (err, e)\nRename (e, err)\nSaveModel(m, "$RunDir$/same.dnn")\n',
    );
    const config = join(folder, "edit.cntk");
    writeFileSync(config, `command = go ; go = [ action = edit ; editPath = ${script} ]`);
    const directory = await play("edit-float", config, []);
    expectSameModel(readFileSync(join(directory, "same.dnn")), readFileSync(join(model, "m.dnn")), 0, 0);
  });
});
