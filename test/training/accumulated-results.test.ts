import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { singleProcess } from "../../src/communication/index.js";
import { makeNode } from "../../src/network/build.js";
import { requireOperation } from "../../src/ops/index.js";
import { refuseSharedResults } from "../../src/training/processes.js";
import { captureRun } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();

/** Eight samples; the criterion does not depend on the watched number. */
const numbers = [3, -1, 4, 1, -5, 9, 2, 6];

const config = `
command = train:test ; precision = double ; modelPath = m.net ; traceLevel = 1
train = {
  action = train
  BrainScriptNetworkBuilder = {
    x = Input {1} ; y = Input {1}
    error = SquareError (y, LinearLayer {1} (x))
    mean = new ComputationNode [ operation = 'EpochAccumulator' ; inputs = (x) ; tag = '' ]
    double = mean + mean
    criterionNodes = (error) ; evaluationNodes = (double)
  }
  SGD = { maxEpochs = 2 ; minibatchSize = 2 ; learningRatesPerSample = 0.001 ; numMBsToShowResult = 2 }
}
test = { action = test ; minibatchSize = 3 ; evalNodeNames = double ; numMBsToShowResult = 1 }
reader = {
  readerType = CNTKTextFormatReader ; file = data.txt ; randomize = false
  input = { x = { dim = 1 ; format = dense } ; y = { dim = 1 ; format = dense } }
}
`;

/** Twice the mean of the first samples, minibatch by minibatch; CNTK divides 1 by their number in single precision. */
function doubleMean(count: number, minibatchSize: number): string {
  let mean = 0;
  for (let seen = 0; seen < count;) {
    const minibatch = numbers.slice(seen, Math.min(seen + minibatchSize, count));
    const total = seen + minibatch.length;
    const sum = minibatch.reduce((all, x) => all + x, 0);
    mean = (seen / total) * mean + Math.fround(1 / total) * sum;
    seen = total;
  }
  return `double = ${(2 * mean).toFixed(8)} * 1`;
}

async function shownBy(name: string, text: string): Promise<string[]> {
  const directory = join(folder, name);
  mkdirSync(directory);
  writeFileSync(join(directory, "net.cntk"), text);
  writeFileSync(join(directory, "data.txt"), numbers.map((x) => `|x ${x} |y 1\n`).join(""));
  const { log, error } = await captureRun(["configFile=net.cntk", "stderr=-"], { directory });
  expect(error).toBeUndefined();
  return log.split("\n").flatMap((line) => /double = \S+ \* \d+/.exec(line)?.[0] ?? []);
}

it("what an EpochAccumulator leads to is one result of each pass, shown as it stands", async () => {
  const shown = await shownBy("mean", config);
  const epoch = [4, 8, 8].map((count) => doubleMean(count, 2));
  expect(shown).toEqual([...epoch, ...epoch, ...[3, 6, 8, 8].map((count) => doubleMean(count, 3))]);
});

it("results of the pieces of a minibatch are added up, as CNTK's dispatcher of sub-minibatches does", async () => {
  const pieces = config
    .replace("command = train:test", "command = train")
    .replace("minibatchSize = 2", "minibatchSize = 2 ; numSubminiBatches = 2")
    .replace("maxEpochs = 2", "maxEpochs = 1");
  const valueOf = (line: string): number => Number(/= (\S+)/.exec(line)?.[1]);
  // A piece is one sample: the result after three samples and that after four.
  const sum = (count: number) => valueOf(doubleMean(count - 1, 1)) + valueOf(doubleMean(count, 1));
  const shown = (await shownBy("pieces", pieces)).map(valueOf);
  expect(shown).toHaveLength(3);
  [4, 8, 8].forEach((count, at) => expect(shown[at]).toBeCloseTo(sum(count), 6));
});

it("are refused where several processes share the work", () => {
  const op = requireOperation("EpochAccumulator");
  const mean = makeNode({
    name: "mean",
    op,
    inputs: [makeNode({ name: "x", op: requireOperation("InputValue") })],
  });
  expect(() => refuseSharedResults(singleProcess, [mean])).not.toThrow();
  expect(() => refuseSharedResults({ ...singleProcess, size: 2 }, [mean])).toThrow(
    "EpochAccumulator is not available yet",
  );
});
