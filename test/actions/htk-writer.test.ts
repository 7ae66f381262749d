import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { captureRun } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/** An HTK file by the description in The HTK Book: 12 bytes, then big-endian floats. */
function htk(frames: readonly (readonly number[])[]): Buffer {
  const dimension = frames[0]?.length ?? 0;
  const buffer = Buffer.alloc(12 + 4 * frames.length * dimension);
  buffer.writeInt32BE(frames.length, 0);
  buffer.writeInt32BE(100000, 4);
  buffer.writeInt16BE(4 * dimension, 8);
  buffer.writeInt16BE(9, 10);
  frames.flat().forEach((value, i) => buffer.writeFloatBE(value, 12 + 4 * i));
  return buffer;
}

const configuration = `
command = make:write
modelPath = "m.dnn"
make = [ action = train
  BrainScriptNetworkBuilder = {
    x = Input {2} ; y = Input {1}
    sums = Constant (1, rows = 1, cols = 2) * x
    w = ParameterTensor {1}
    error = SquareError (y, sums + w)
    featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (error) ; outputNodes = (sums)
  }
  SGD = [ maxEpochs = 0 ; learningRatesPerSample = 0.1 ]
  reader = [ readerType = CNTKTextFormatReader ; file = none.txt ; input = [ x = [ dim = 2 ; format = dense ] ; y = [ dim = 1 ; format = dense ] ] ] ]
write = [ action = write ; outputNodeNames = sums
  reader = [ readerType = HTKMLFReader ; x = [ dim = 2 ; scpFile = in.scp ] ]
  writer = [ writerType = HTKMLFWriter ; outputNodeNames = sums ; sums = [ dim = 1 ; scpFile = out.scp ; type = Real ] ] ]
`;

it("writes a file for each utterance, and its bytes are HTK's", async () => {
  const directory = join(temporaryFolder(), "htk");
  mkdirSync(directory);
  const put = (name: string, content: string | Buffer): void => writeFileSync(join(directory, name), content);
  put(
    "net.cntk",
    configuration
      .replace("command = make:write", "command = make")
      .replace("maxEpochs = 0", "maxEpochs = 1 ; epochSize = 1 ; minibatchSize = 1"),
  );
  put("none.txt", "|x 0 0 |y 0\n");
  put(
    "a.fea",
    htk([
      [1, 2],
      [3, 4],
    ]),
  );
  put(
    "b.fea",
    htk([
      [5, 6],
      [7, 8],
      [0.5, 0.25],
    ]),
  );
  put("in.scp", "a.fea\nutterance.b=b.fea\n");
  put("out.scp", "out/a.htk\nout/b.htk\n");
  expect((await captureRun(["configFile=net.cntk"], { directory })).error).toBeUndefined();
  const { log, error } = await captureRun(["configFile=net.cntk", "command=write"], { directory });
  expect(error).toBeUndefined();
  expect(log).toContain("HTKMLFWriter::Init: reading output script file out.scp ... 2 entries\n");
  expect(log).toContain("evaluate: writing 3 frames of out/b.htk\n");
  expect(readFileSync(join(directory, "out/a.htk"))).toEqual(htk([[3], [7]]));
  expect(readFileSync(join(directory, "out/b.htk"))).toEqual(htk([[11], [15], [0.75]]));
});
