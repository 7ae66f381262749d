import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { BackendName } from "../../src/index.js";
import { presentBackends } from "../support/backends.js";
import { expectSameCheckpoint, expectSameModel } from "../support/compare-models.js";
import { mnistIsHere, runSmall, writeMnist } from "../support/mnist.js";
import { nearLines, numberLines, recordedFile } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/** The auto-encoder in float against a run recorded from CNTK 2.0 (CPU build): sums in another order, so 2e-5. */
const recorded = "test/fixtures/conformance/mnist/07-float";
/** Milliseconds: plain loops take minutes for what the other backends do in seconds. */
const plainLoopsTakeLong = 900_000;
const folder = temporaryFolder();
const data = join(folder, "data");
const present = await presentBackends();

describe.skipIf(!mnistIsHere)("07 in float", () => {
  beforeAll(() => writeMnist(data));

  for (const name of ["reference", "tfjs-wasm", "tfjs-node"] satisfies BackendName[]) {
    const backend = present.find((candidate) => candidate.name === name);
    const reason = backend && "reason" in backend ? ` (not here: ${backend.reason.split("\n")[0]})` : "";
    it.skipIf(!backend || "reason" in backend)(
      `on ${name}${reason}`,
      async () => {
        const output = join(folder, name);
        mkdirSync(output);
        const run = await runSmall({
          model: "07_Deconvolution_BS",
          precision: "float",
          data,
          output,
          backend: name,
        });
        expect(run.error).toBeUndefined();
        const log = readFileSync(join(recorded, "log.txt"), "utf8").replaceAll("$RunDir$", output);
        const theirs = numberLines(log);
        expect(nearLines(theirs, numberLines(run.log), true)).toEqual(theirs);
        expect(theirs).toHaveLength(43);
        const written = (file: string) => Uint8Array.from(readFileSync(join(output, file)));
        expect(written("m.model.0")).toEqual(recordedFile(recorded, "m.model.0"));
        expectSameModel(written("m.model"), recordedFile(recorded, "m.model")!, 1e-3, 0.1);
        expectSameCheckpoint(written("m.model.ckp"), recordedFile(recorded, "m.model.ckp")!, 1e-3, 0.1);
      },
      plainLoopsTakeLong,
    );
  }
});
