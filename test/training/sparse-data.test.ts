import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { captureRun, numberLines } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();
const sequences = readFileSync("test/fixtures/conformance/sequences/seq.ctf", "utf8");
writeFileSync(join(folder, "seq.ctf"), sequences.replace(/\|w (\S+)/g, "|w $1 |v $1"));

const sgd = "epochSize = 0 ; minibatchSize = 30 ; maxEpochs = 1 ; learningRatesPerSample = 0.02";
const reader = `readerType = CNTKTextFormatReader ; file = seq.ctf ; input = [
  x = [ dim = 3 ; format = dense ] ; w = [ dim = 10 ; format = sparse ] ; v = [ dim = 10 ; format = sparse ] ]`;
const inputs = "x = Input {3} ; w = SparseInput {10} ; v = SparseInput {10}";

let runs = 0;
async function run(action: string) {
  const name = `case${++runs}.cntk`;
  writeFileSync(
    join(folder, name),
    `command = do ; precision = double ; modelPath = m${runs}\ndo = [ ${action} ]\n`,
  );
  return captureRun([`configFile=${name}`, "stderr=-"], { directory: folder });
}

async function written(node: string) {
  const network = `[ ${inputs} ; z = ${node} ; outputNodes = (z) ]`;
  const reading = reader.replaceAll(
    "x = [ dim = 3 ; format = dense ] ; ",
    node.includes("x") ? "x = [ dim = 3 ; format = dense ] ; " : "",
  );
  return run(
    `action = write ; outputPath = out\nBrainScriptNetworkBuilder = ${network}\nreader = [ ${reading} ]`,
  );
}

async function trained(node: string, more = "") {
  const network = `[ ${inputs} ; z = ${node} ; ce = SumElements (Abs (z)) ; criterionNodes = (ce) ; outputNodes = (z) ]`;
  return run(
    `action = train\nBrainScriptNetworkBuilder = ${network}\nSGD = [ ${sgd} ; ${more} ]\nreader = [ ${reader} ]`,
  );
}

const tensors = "TensorOp: Tensor operations are currently not supported for sparse matrices.";
const matrices = "AsMatrix: Sparse tensors are not supported unless they are 1D or 2D matrices.";
const place = (name: string, line: number, file = "Matrix.cpp") =>
  `Inside File: Source/Math/${file}  Line: ${line}  Function: ${name}  -> Feature Not Implemented.`;

// All sentences are those of CNTK 2.0 (CPU build) for the same networks.
describe("CNTK's CPU code refuses sparse data", () => {
  it.each([
    ["Tanh (w)", tensors],
    ["w + v", tensors],
    ["ElementTimes (w, v)", tensors],
    ["Slice (0, 3, w)", tensors],
    ["Splice (w : v)", tensors],
    ["ReduceSum (w)", tensors],
    ["PastValue (10, w)", tensors],
    ["BS.Sequences.Last (w)", tensors],
    ["TransposeDimensions (w, 1, 2)", tensors],
    ["NewReshape (w, (2:5))", place("Reshape", 1864)],
    ["RowRepeat (w, 2)", place("AssignRepeatOf", 2166)],
    ["SumElements (w)", place("AssignSumOfElements", 3426)],
    ["Hardmax (w)", place("AssignHardmaxOf", 2900)],
    ["LogSoftmax (w)", place("AssignLogSoftmaxOf", 2868)],
    ["KhatriRaoProduct (w, v)", place("AssignKhatriRaoProductOf", 3619)],
    ["KhatriRaoProduct (w, x)", place("AssignKhatriRaoProductOf", 3611)],
    ["CrossEntropyWithSoftmax (w, v)", place("AssignLogSoftmaxOf", 2868)],
    ["CrossEntropy (w, v)", place("InplaceLog", 3012)],
    ["CosDistance (w, v)", place("VectorNorm2", 3555)],
    ["TransposeTimes (w, v)", place("MultiplyAndWeightedAdd", 4832)],
    ["MaxPoolingLayer {[|2|]} (w)", place("MaxPoolingForward", 4570)],
    ["EditDistanceError (w, v)", "EditDistanceError node was not tested for sparse inputs."],
  ])("%s", async (node, sentence) => {
    const { log, error } = await written(node);
    expect(error?.code).toBe("sparse-input");
    expect(error?.message).toContain(sentence);
    expect(log.includes(sentence)).toBe(sentence.startsWith("Inside File"));
  });

  it.each([
    ["Times (Tanh (ParameterTensor {(3:10)}), w)", "", tensors],
    [
      "Times (ParameterTensor {(3:2)} * ParameterTensor {(2:10)}, w)",
      "",
      place("MultiplyAndWeightedAdd", 925, "CPUSparseMatrix.cpp"),
    ],
    ["Times (ParameterTensor {(3:2:10)}, w, outputRank = 2)", "", matrices],
    ["TransposeTimes (ParameterTensor {(10:3)}, w)", "", place("MultiplyAndWeightedAdd", 4836)],
    ["DiagTimes (ParameterTensor {(10:1)}, w)", "", place("InnerProduct", 5385)],
    ["LinearLayer {2} (Dropout (w))", "dropoutRate = 0.3", place("AssignElementProductOf", 2499)],
    ["LinearLayer {2} (w)", "numSubminibatches = 2", place("Reshape", 1864)],
    [
      "LinearLayer {2} (w)",
      "gaussianNoiseInjectStd = 0.1 ; L2RegWeight = 0.1",
      place("SetGaussianRandomValue", 1553),
    ],
  ])("to learn from them: %s %s", async (node, more, sentence) => {
    const { log, error } = await trained(`${node} + ParameterTensor {(1)} .* Slice (0, 1, x)`, more);
    expect(error?.message).toContain(sentence);
    expect(numberLines(log).filter((line) => line.includes("Minibatch["))).toEqual([]);
  });

  it.each([
    "ParameterTensor {(3:10)} * w",
    "Times (ParameterTensor {(3:2:10)}, w, outputRank = 2)",
    "TransposeTimes (ParameterTensor {(10:3)}, w)",
    "TransposeTimes (w, ParameterTensor {(10:3)})",
    "DiagTimes (ParameterTensor {(10:1)}, w)",
    "MatrixL2Reg (w)",
  ])("but not for values of %s", async (node) => {
    expect((await written(node)).error).toBeUndefined();
  });

  it.each([
    "TransposeTimes (w, LinearLayer {10} (x))",
    "TransposeTimes (ParameterTensor {(10:3), learningRateMultiplier = 0}, w) .* ParameterTensor {(3)}",
    "LinearLayer {2} (w) + LinearLayer {2} (v)",
  ])("nor to learn by %s", async (node) => {
    expect((await trained(`${node} + ParameterTensor {(1)} .* Slice (0, 1, x)`)).error).toBeUndefined();
  });
});

// Likewise CNTK's sentence.
it("samples go with samples only", async () => {
  const { error } = await written("WeightedLogistic (Slice (0, 1, x), Slice (1, 2, x), Constant (0.5))");
  expect(error?.code).toBe("sample-sizes");
  expect(error?.message).toBe(
    "Node 'z.instanceWeight' (LearnableParameter operation): ColumnRangeWithMBLayoutFor: FrameRange's dynamic axis is inconsistent with matrix. They are compatible though--are you missing a ReconcileDynamicAxis operation?",
  );
});
