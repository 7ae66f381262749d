import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as ort from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { exportModel } from "../../src/actions/export-model.js";
import type { ModelSession } from "../../src/actions/model-session.js";
import { exportModelFile, loadModel } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import {
  criteria,
  feedForwardNetworks,
  modelOf,
  oneWayNetworks,
  oneWayRecurrentNetworks,
  recurrentNetworks,
} from "./exported-networks.js";
import { compareWithOnnx, openOnnx, tooFar } from "./onnxruntime.js";

/* Exported models run in onnxruntime and give what our reference backend gives. */

const folder = temporaryFolder();
const producerVersion = "test";

async function running(
  model: ModelSession,
  outputs: readonly string[],
  opset?: number,
): Promise<ort.InferenceSession> {
  const bytes = await exportModel(model, { format: "onnx", outputs, opset, producerVersion });
  if (!(bytes instanceof Uint8Array)) throw new Error("an ONNX model is bytes");
  return openOnnx(bytes);
}

async function expectSame(members: string, outputs: readonly string[], opset?: number): Promise<void> {
  const model = modelOf(members);
  const session = await running(model, outputs, opset);
  expect(session.outputNames).toEqual(outputs);
  expect(tooFar(await compareWithOnnx(model, session, join(folder, "data.txt")))).toEqual([]);
}

describe("feed-forward networks in onnxruntime", () => {
  for (const { title, members, outputs } of [...feedForwardNetworks, ...oneWayNetworks])
    it(title, () => expectSame(members, outputs));

  it.each([13, 18, 21])("operation set %i", (opset) =>
    expectSame(
      `x = Input {(4:3)} ; z = ReduceMean (ReduceSum (x, axis = 1), axis = 2) ; outputNodes = (z)`,
      ["z"],
      opset,
    ),
  );
});

describe("criteria in onnxruntime", () => {
  it("are sums over all samples", () => expectSame(criteria.members, criteria.outputs));

  it("in sequences, and by classes of words", () =>
    expectSame(
      `x = Input {4} ; y = Input {4} ; place = Input {1} ; h = RecurrentLSTMLayer {4} (x)
       W = ParameterTensor {(4:6)} ; classes = DenseLayer {2} (h)
       first = Greater (place, Constant (0)) ; word = Constant (4) .* first + Constant (1)
       label = Splice ((word : first : Constant (3) .* first : Constant (3) + Constant (3) .* first))
       a = CrossEntropyWithSoftmax (Hardmax (y), h) ; b = ClassificationError (Hardmax (y), h)
       d = ClassificationError (Hardmax (y), h, topN = 2)
       c = ClassBasedCrossEntropyWithSoftmax (label, h, W, classes)
       outputNodes = (a:b:c:d)`,
      ["a", "b", "c", "d"],
    ));
});

describe("recurrent networks in onnxruntime", () => {
  it.each([...recurrentNetworks, ...oneWayRecurrentNetworks])("$title", ({ members, outputs }) =>
    expectSame(members, outputs),
  );
});

describe("an export", () => {
  it("holds what the outputs need, under recognizable names, and folds what never changes", async () => {
    const model = modelOf(
      `x = Input {3} ; y = Input {2}
       h = DenseLayer {4, activation = Tanh} (x) ; z = DenseLayer {2} (h)
       ce = CrossEntropyWithSoftmax (y, z) ; scaled = Times (ParameterTensor {(2:4)} .* Constant (2), h)
       outputNodes = (scaled) ; criterionNodes = (ce)`,
    );
    const session = await running(model, ["scaled"]);
    expect(session.inputNames).toEqual(["x"]);
    expect(session.outputNames).toEqual(["scaled"]);
  });

  it("names an operation without a counterpart, and the node that it measures", async () => {
    const model = modelOf(
      `x = Input {1} ; q = Input {1} ; z = DenseLayer {1} (x) ; rank = LambdaRank (x, z, q) ; criterionNodes = (rank)`,
    );
    await expect(running(model, ["rank"])).rejects.toMatchObject({
      code: "export-operation",
      message: "LambdaRank has no counterpart in ONNX (node 'rank').",
      diagnostic: { hint: "--output z is what it measures" },
    });
  });

  it("does not freeze what is drawn anew, or choose frames by data", async () => {
    const model = modelOf(
      `x = Input {1} ; weights = ParameterTensor {(9:1), init = "fixedValue", value = 1}
       s = new ComputationNode [
         operation = "RandomSample" ; inputs = weights ; sizeOfSampledSet = 3 ; allowDuplicates = false ; tag = ''
       ]
       chosen = BS.Sequences.Gather (Greater (x, Constant (0)), x) ; outputNodes = (s:chosen)`,
    );
    await expect(running(model, ["s"])).rejects.toMatchObject({
      message: "RandomSample has no counterpart in ONNX (node 's').",
    });
    await expect(running(model, ["chosen"])).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Where has no counterpart in ONNX where frames are chosen by what is in them/,
      ) as string,
    });
  });

  it("is written for a model file, which has float numbers", async () => {
    const from = "test/fixtures/model-files/07-float.model";
    const path = await exportModelFile(from, { format: "onnx", out: join(folder, "07.onnx") });
    const session = await openOnnx(new Uint8Array(readFileSync(path)));
    const model = loadModel(from, { backend: "reference" });
    expect(tooFar(await compareWithOnnx(model, session, join(folder, "data.txt")))).toEqual([]);
  });
});
