import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ModelFile, readModel } from "../../src/model-files/index.js";
import { captureRun } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();
const samples = [
  [1, 2],
  [3, -2],
  [0, 5],
  [4, 5],
  [-6, 1],
  [2, 0.5],
];

const config = `
command = train:statistics ; precision = double ; modelPath = m.net ; traceLevel = 1
train = {
  action = train
  BrainScriptNetworkBuilder = {
    x = Input {2} ; y = Input {1}
    low = BatchNormalizationLayer {} (x)
    high = BatchNormalizationLayer {normalizationTimeConstant = 100} (2 .* low + 1)
    error = SquareError (y, LinearLayer {1} (high))
    criterionNodes = (error)
  }
  SGD = { maxEpochs = 1 ; minibatchSize = 3 ; learningRatesPerSample = 0 ; minLearningRatePerSample = -1 }
}
statistics = { action = bnstat ; newModelPath = new.net ; itersPerNode = 3 ; minibatchSize = 2 }
reader = {
  readerType = CNTKTextFormatReader ; file = data.txt ; randomize = false
  input = { x = { dim = 2 ; format = dense } ; y = { dim = 1 ; format = dense } }
}
`;

function valuesOf(model: ModelFile, name: RegExp): number[] {
  const node = model.nodes.find((candidate) => name.test(candidate.name));
  return Array.from(node?.values?.values ?? []);
}

/** Mean over three minibatches of two samples, and the mean of their unbiased variances. */
function expected(element: number, map: (x: number) => number): { mean: number; variance: number } {
  const data = samples.map((sample) => map(sample[element] ?? NaN));
  const pairs = [0, 2, 4].map((at) => [data[at] ?? NaN, data[at + 1] ?? NaN] as const);
  const variance = pairs.reduce((sum, [a, b]) => sum + (a - b) ** 2 / 2, 0) / pairs.length;
  return { mean: data.reduce((sum, x) => sum + x, 0) / data.length, variance };
}

describe("bnstat", () => {
  it("takes the statistics of every batch normalization anew, those above with what is below frozen", async () => {
    const directory = join(folder, "layers");
    mkdirSync(directory);
    writeFileSync(join(directory, "net.cntk"), config);
    const lines = samples.map(([a, b], index) => `|x ${a} ${b} |y ${index % 2}`);
    writeFileSync(join(directory, "data.txt"), `${lines.join("\n")}\n`);
    const { log, error } = await captureRun(["configFile=net.cntk", "stderr=-"], { directory });
    expect(error).toBeUndefined();
    expect(log.match(/^Estimating Statistics --> .*$/gm)).toEqual([
      "Estimating Statistics --> low",
      "Estimating Statistics --> high",
    ]);
    const model = readModel(Uint8Array.from(readFileSync(join(directory, "new.net"))), "new.net");
    const low = [0, 1].map((element) => expected(element, (x) => x));
    const high = [0, 1].map((element) => {
      const { mean, variance } = low[element] ?? { mean: 0, variance: 1 };
      return expected(element, (x) => (2 * (x - mean)) / Math.sqrt(variance + 0.00001) + 1);
    });
    const close = (found: readonly number[], wanted: readonly number[]): void =>
      found.forEach((x, index) => expect(x).toBeCloseTo(wanted[index] ?? NaN, 12));
    for (const [name, statistics] of [
      ["low", low],
      ["high", high],
    ] as const) {
      const mean = valuesOf(model, new RegExp(`^${name}\\.(.*\\.)?(mean|runMean)$`));
      const variance = valuesOf(model, new RegExp(`^${name}\\.(.*\\.)?(var|variance|runVariance)$`));
      expect([mean.length, variance.length]).toEqual([2, 2]);
      close(
        mean,
        statistics.map((of) => of.mean),
      );
      close(
        variance,
        statistics.map((of) => of.variance),
      );
      const node = model.nodes.find((candidate) => candidate.name === name);
      expect(node?.fields).toMatchObject({
        normalizationTimeConstant: Infinity,
        blendTimeConstant: Infinity,
      });
    }
  });
});
