import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { comparableLines, playBack } from "../support/recorded-run.js";
import { writeSimple2d } from "../support/simple2d.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/**
 * Networks made of a model file of CNTK by BS.Network.Load, Edit and CloneFunction: logs and edited models recorded from
 * CNTK 2.0 (CPU build), double precision.
 */
const cases = "test/fixtures/conformance/loaded-networks";
const folder = temporaryFolder();
const data = join(folder, "data");

beforeAll(() => {
  mkdirSync(data);
  writeSimple2d(data);
});

/** CNTK copies nodes in the order of their addresses, so the numbers of the copies are a matter of chance. */
const withoutNumbersOfCopies = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/( ==> {2}h1\.\S+) \(\d+\)$/, "$1"));

describe("logs and models are CNTK's", () => {
  for (const name of readdirSync(cases)) {
    it(name, async () => {
      const recorded = join(cases, name);
      const run = join(folder, name);
      mkdirSync(run);
      const [step] = await playBack(recorded, {
        $CaseDir$: join(process.cwd(), recorded),
        $Model$: join(process.cwd(), "test/fixtures/conformance/actions/model"),
        $RunDir$: run,
        $Simple2d$: data,
      });
      const theirs = withoutNumbersOfCopies(comparableLines(step!.recorded));
      const ours = withoutNumbersOfCopies(comparableLines(step!.run.log));
      expect(ours.slice(ours.indexOf("#".repeat(78)))).toEqual(theirs);
      const model = join(recorded, "run/new.dnn");
      if (existsSync(model)) {
        expect(readFileSync(join(run, "new.dnn")).equals(readFileSync(model)), "the model's bytes").toBe(
          true,
        );
      }
    });
  }
});
