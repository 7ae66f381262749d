import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { expectSameModel } from "../support/compare-models.js";
import { processGroup } from "../support/process-group.js";
import {
  type CapturedRun,
  captureRun,
  nearLines,
  numberLines,
  recordedFile,
} from "../support/recorded-run.js";
import { writeSimple2d } from "../support/simple2d.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/**
 * Trainings on several processes, recorded from CNTK 2.0 (CPU build, Open MPI) in double precision: what each rank printed
 * about its numbers, and the model. Here the processes meet in memory; test/node/mpi.test.ts lets them meet by MPI.
 */
const cases = "test/fixtures/conformance/processes";
const folder = temporaryFolder();
const data = join(folder, "data");

beforeAll(() => {
  mkdirSync(data);
  writeSimple2d(data);
});

/** Runs a recorded case on as many processes as it had. */
function play(name: string): Promise<CapturedRun[]> {
  const [command = ""] = readFileSync(join(cases, name, "command.txt"), "utf8").split("\n");
  const words = Array.from(command.matchAll(/'([^']*)'|(\S+)/g), (m) => m[1] ?? m[2] ?? "").map((word) =>
    word
      .replaceAll("$CaseDir$", join(process.cwd(), "test/fixtures/conformance/sgd"))
      .replaceAll("$RunDir$", join(folder, name))
      .replaceAll("$Simple2d$", data),
  );
  mkdirSync(join(folder, name));
  const group = processGroup(Number(words[2]));
  return Promise.all(group.map((processes) => captureRun(words.slice(4), { processes })));
}

describe("several processes print and write what CNTK's do", () => {
  for (const name of readdirSync(cases)) {
    it(name, async () => {
      const runs = await play(name);
      const hidden = (text: string): string => text.replaceAll(join(folder, name), "$RunDir$");
      runs.forEach(({ log }, rank) => {
        const theirs = readFileSync(join(cases, name, `rank${rank}.txt`), "utf8");
        const expected = numberLines(theirs);
        expect(nearLines(expected, numberLines(hidden(log))), `rank ${rank}`).toEqual(expected);
      });
      const model = recordedFile(join(cases, name), "m.dnn");
      if (model) {
        for (const { error } of runs) expect(error).toBeUndefined();
        const written = Uint8Array.from(readFileSync(join(folder, name, "m.dnn")));
        expectSameModel(written, model, 1e-9, 1e-6);
      } else {
        for (const { error } of runs) expect(error?.code).toBe("gradient-bits");
      }
    });
  }
});
