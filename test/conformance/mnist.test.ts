import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { expectSameCheckpoint, expectSameModel } from "../support/compare-models.js";
import { mnistIsHere, runSmall, writeMnist } from "../support/mnist.js";
import { nearLines, numberLines, recordedFile, validationLines } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/**
 * Our sample configurations against small runs of the same networks recorded from CNTK 2.0 (CPU build) in double
 * precision: two epochs of 6,400 samples, then the test on all of MNIST. Every printed digit of every line counts.
 */
const fixtures = "test/fixtures/conformance/mnist";
const folder = temporaryFolder();
const data = join(folder, "data");

describe.skipIf(!mnistIsHere)("double precision, all digits", () => {
  beforeAll(() => writeMnist(data));

  interface Play {
    readonly fixture: string;
    readonly model: string;
    readonly modelPath?: string;
    /** Where a long run is stopped. */
    readonly stopAt?: { readonly epoch: number; readonly samples: number };
  }

  /** Runs a model and compares lines and files as far as it went; returns the recorded lines that were compared. */
  async function play({ fixture, model, modelPath, stopAt }: Play): Promise<string[]> {
    const recorded = join(fixtures, fixture);
    const log = readFileSync(join(recorded, "log.txt"), "utf8");
    const output = join(folder, fixture);
    mkdirSync(output);
    const run = await runSmall({ model, precision: "double", data, output, modelPath, stopAt });
    expect(run.error?.code).toBe(stopAt && "interrupted");
    const ours = numberLines(run.log);
    const theirs = numberLines(log.replaceAll("$RunDir$", output)).slice(0, stopAt && ours.length);
    expect(nearLines(theirs, ours)).toEqual(theirs);
    const commands = stopAt ? (log.split("(test action)")[0] ?? "") : log;
    expect(validationLines(run.log)).toEqual(validationLines(commands));
    const written = (name: string) => Uint8Array.from(readFileSync(join(output, name)));
    for (const name of ["m.model.0", "m.model.1", "m.model", "m.model.ckp"]) {
      const expected = recordedFile(recorded, name);
      if (!expected || (stopAt && name >= `m.model.${stopAt.epoch}`) || (stopAt && name === "m.model"))
        continue;
      if (name === "m.model.0") expect(written(name)).toEqual(expected);
      else if (name.endsWith(".ckp")) expectSameCheckpoint(written(name), expected, 1e-9, 1e-6);
      else expectSameModel(written(name), expected, 1e-9, 1e-6);
    }
    return theirs;
  }

  it("07: the auto-encoder", async () => {
    const lines = await play({ fixture: "07-double", model: "07_Deconvolution_BS" });
    expect(lines.filter((line) => line.startsWith(" Epoch["))).toHaveLength(30);
    expect(lines.at(-1)).toBe("Final Results: Minibatch[1-10]: rmse = 0.32681240 * 10000");
  });
  it("07 with three maps", async () => {
    const lines = await play({ fixture: "cmap3-double", model: "07_Deconvolution_cMap3" });
    expect(lines.at(-1)).toBe("Final Results: Minibatch[1-10]: rmse = 0.31764711 * 10000");
  });
  it("07 with 2x2 pooling", async () => {
    const lines = await play({ fixture: "pool2-double", model: "07_Deconvolution_pool2" });
    expect(lines.at(-1)).toBe("Final Results: Minibatch[1-10]: rmse = 0.31000379 * 10000");
  });
  it("07 with two layers, one epoch", async () => {
    const stopAt = { epoch: 2, samples: 1 };
    const lines = await play({ fixture: "two-double", model: "07_Deconvolution_two", stopAt });
    expect(lines).toContain(
      "Finished Epoch[ 1 of 2]: [Training] rmse = 0.30774978 * 6400; totalSamplesSeen = 6400; learningRatePerSample = 0.00015000001; epochTime = T",
    );
  });
  it("01: one hidden layer", async () => {
    const lines = await play({
      fixture: "01-double",
      model: "01_OneHidden",
      modelPath: "Models/01_OneHidden",
    });
    expect(lines.at(-1)).toBe(
      "Final Results: Minibatch[1-10]: errs = 7.750% * 10000; ce = 0.24086078 * 10000; perplexity = 1.27234389",
    );
  });
  for (const [fixture, model] of [
    ["02-double", "02_OneConv"],
    ["05-double", "05_OneConvRegr"],
  ] as const) {
    it(`${model}, the first 30 minibatches`, async () => {
      const stopAt = { epoch: 1, samples: 1920 };
      const lines = await play({ fixture, model, modelPath: `Models/${model}`, stopAt });
      expect(lines.filter((line) => line.startsWith(" Epoch[")).length).toBeGreaterThanOrEqual(3);
    });
  }
});
