import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
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

it("what an EpochAccumulator leads to is one result of each pass, shown as it stands", async () => {
  const directory = join(folder, "mean");
  mkdirSync(directory);
  writeFileSync(join(directory, "net.cntk"), config);
  writeFileSync(join(directory, "data.txt"), numbers.map((x) => `|x ${x} |y 1\n`).join(""));
  const { log, error } = await captureRun(["configFile=net.cntk", "stderr=-"], { directory });
  expect(error).toBeUndefined();
  const shown = log.split("\n").flatMap((line) => /double = \S+ \* \d+/.exec(line)?.[0] ?? []);
  const epoch = [4, 8, 8].map((count) => doubleMean(count, 2));
  expect(shown).toEqual([...epoch, ...epoch, ...[3, 6, 8, 8].map((count) => doubleMean(count, 3))]);
});
