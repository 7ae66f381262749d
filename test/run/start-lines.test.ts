import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { captureRun } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const directory = join(temporaryFolder(), "start-lines");
mkdirSync(directory);

/** A training of a network whose definition of z is given; nothing beyond validation is of interest. */
async function logOf(z: string, words: readonly string[]): Promise<string> {
  writeFileSync(
    join(directory, "net.cntk"),
    `command = train ; modelPath = m.dnn ; traceLevel = 1
    train = [ action = train
      BrainScriptNetworkBuilder = [ x = Input {2} ; y = Input {2} ; z = ${z} ; ce = SquareError (y, z) ; criterionNodes = (ce) ]
      SGD = [ maxEpochs = 1 ; learningRatesPerSample = 0.1 ]
      reader = [ readerType = CNTKTextFormatReader ; file = none.txt ; input = [ x = [ dim = 2 ; format = dense ] ] ] ]`,
  );
  return (await captureRun(["configFile=net.cntk", ...words], { directory })).log;
}

// What CNTK 2.0 (CPU build) prints for the same words.
it("does not read numCPUThreads where one thread is forced", async () => {
  const log = await logOf("LinearLayer {2} (x)", ["numCPUThreads=many", "forceDeterministicAlgorithms=true"]);
  expect(log).toContain(
    "WARNING: forceDeterministicAlgorithms flag is specified. Using 1 CPU thread for processing.\n",
  );
  expect(log).toContain("# train command (train action) ");
});

it("says in ROIPooling's own line that its inputs lack axes", async () => {
  const log = await logOf("ROIPooling (x, y, (2:2))", []);
  expect(log).toContain("Validating --> z = ROIPooling (x, y) : [2 x *], [2 x *] -> [] FAILED\n");
});
