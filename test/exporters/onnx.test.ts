import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, it } from "vitest";
import { exportModel } from "../../src/actions/export-model.js";
import { ModelSession } from "../../src/actions/model-session.js";
import { openBackend } from "../../src/backends/select.js";
import { exportModelFile, loadModel } from "../../src/index.js";
import { modelFromNetwork } from "../../src/model-files/index.js";
import { elementCount } from "../../src/network/network.js";
import { nodeFiles } from "../../src/node/index.js";
import { AxisNames, validateNetwork } from "../../src/shapes/index.js";
import { parameterValues } from "../../src/training/parameters.js";
import { networkFromBrainScript } from "../support/brainscript-network.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/* Exported models run in onnxruntime and give what our reference backend gives. */

const folder = temporaryFolder();
const producerVersion = "test";

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

/** A model in double precision from BrainScript, with initial values. */
function modelOf(members: string): ModelSession {
  const { network } = networkFromBrainScript(members);
  const options = { traceLevel: 0, axisNames: new AxisNames(), elementType: "double" } as const;
  const { shaped } = validateNetwork(network, options);
  const model = modelFromNetwork(shaped, parameterValues(shaped, "double"), "double");
  return new ModelSession(model, () => openBackend("reference"));
}

async function running(
  model: ModelSession,
  outputs: readonly string[],
  opset?: number,
): Promise<ort.InferenceSession> {
  const bytes = await exportModel(model, { format: "onnx", outputs, opset, producerVersion });
  if (typeof bytes === "string") throw new Error("an ONNX model is bytes");
  return ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
}

/** Numbers between -1 and 1 that look like no pattern. */
const numbers = (length: number, start: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin(1 + start + i * 1.7));

/** Samples, or frames of one sequence each, through both; the largest difference relative to the largest value. */
async function differences(
  model: ModelSession,
  outputs: readonly string[],
  count: number,
  leading: readonly number[],
  opset?: number,
): Promise<number[]> {
  const session = await running(model, outputs, opset);
  const nodes = outputs.map((name) => model.node(name));
  const feeds: Record<string, ort.Tensor> = {};
  const lines = Array.from({ length: count }, () => "0");
  const given: Record<string, Float64Array> = {};
  model.inputsOf(nodes).forEach((input, index) => {
    const { shape } = model.shaped.facts.get(input)!;
    const size = elementCount(shape);
    // What float can hold: both sides see the same numbers.
    const values = numbers(size * count, index).map(Math.fround);
    given[input.name] = values;
    feeds[input.name] = new ort.Tensor("float32", Float32Array.from(values), [
      ...leading,
      ...[...shape].reverse(),
    ]);
    lines.forEach((_, t) => {
      lines[t] += ` |${input.name} ${values.slice(t * size, (t + 1) * size).join(" ")}`;
    });
  });
  const path = join(folder, "sequence.txt");
  writeFileSync(path, `${lines.join("\n")}\n`);
  const names = nodes.map(({ name }) => name);
  const ours =
    leading.length === 1
      ? await model.evaluate(names, given, count)
      : await model.evaluateFile(names, nodeFiles(folder), path);
  const theirs = await session.run(feeds);
  return ours.map(({ name, shape, samples }) => {
    const tensor = theirs[name];
    if (!tensor) throw new Error(`no output ${name}`);
    expect(tensor.dims).toEqual([...leading, ...[...shape].reverse()]);
    const expected = samples.flatMap((sample) => [...sample]);
    const found = [...(tensor.data as Float32Array)];
    expect(found).toHaveLength(expected.length);
    const largest = Math.max(...expected.map(Math.abs), 1e-30);
    return Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? NaN)))) / largest;
  });
}

async function expectSame(members: string, outputs: readonly string[], opset?: number): Promise<void> {
  const model = modelOf(members);
  for (const count of [1, 7]) {
    for (const difference of await differences(model, outputs, count, [count], opset))
      expect(difference).toBeLessThan(1e-5);
  }
}

describe("feed-forward networks in onnxruntime", () => {
  it("elementwise operations, with what is stretched", () =>
    expectSame(
      `x = Input {(3:2)} ; v = Input {3} ; W = ParameterTensor {(3:2:4)} ; s = Constant (0.25)
       a = (x .* W + v) - s .* x
       b = Exp (Abs (Sin (a))) + Log (Sqrt (x .* x + s)) ; c = Tanh (-b) + Sigmoid (Cosine (a)) + ReLU (x) .* Reciprocal (Constant (3))
       d = LogPlus (a, b) + Clip (Constant (-0.5), Constant (0.5), c) + Floor (x)
       e = Less (x, v) + Greater (x, s) + Equal (x, x) + GreaterEqual (x, v) + LessEqual (v, x) + NotEqual (x, v)
       outputNodes = (d:e)`,
      ["d", "e"],
    ));

  it("products of tensors", () =>
    expectSame(
      `x = Input {(3:2)} ; v = Input {4}
       A = ParameterTensor {(5:3)} ; B = ParameterTensor {(2:5:3:2)} ; C = ParameterTensor {(4:6)}
       p = A * x ; q = Times (B, x, outputRank = 2) ; r = TransposeTimes (C, v)
       s = Times (Times (A, ParameterTensor {(3:4)}), v)
       outputNodes = (p:q:r:s)`,
      ["p", "q", "r", "s"],
    ));

  it("what moves elements, and reductions", () =>
    expectSame(
      `x = Input {(4:3:2)} ; k = Constant (2)
       a = NewReshape (x, (6:4)) ; b = Slice (1, 3, x, axis = 2) ; c = Slice (-2, 0, x, axis = 1)
       d = Splice ((b : b), axis = 3) ; e = TransposeDimensions (x, 1, 3) ; f = RowRepeat (x, 2)
       g = ReduceSum (x, axis = 2) ; h = ReduceMax (x) ; i = ReduceMean (x, axis = 1) ; j = ReduceLogSum (x, axis = 3)
       l = Softmax (x) ; m = LogSoftmax (g) ; n = Hardmax (NewReshape (x, 24)) ; o = Splice ((x : k), axis = 1)
       outputNodes = (a:b:c:d:e:f:g:h:i:j:l:m:n:o)`,
      ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "l", "m", "n", "o"],
    ));

  it.each([13, 18, 21])("operation set %i", (opset) =>
    expectSame(
      `x = Input {(4:3)} ; z = ReduceMean (ReduceSum (x, axis = 1), axis = 2) ; outputNodes = (z)`,
      ["z"],
      opset,
    ),
  );

  it("images: convolutions, pooling, normalization, the way back", () =>
    expectSame(
      `x = Input {(9:8:3)}
       a = ConvolutionalLayer {4, (3:3), pad = true, activation = ReLU} (x)
       b = ConvolutionalLayer {5, (2:3), stride = (2:1), pad = false} (a)
       c = MaxPoolingLayer {(2:2), stride = (2:2)} (a) ; d = AveragePoolingLayer {(3:3), stride = (2:2), pad = true} (a)
       e = BatchNormalizationLayer {spatialRank = 2} (b)
       f = ConvolutionTransposeLayer {3, (4:4), 4, stride = (2:2:1), pad = (true:true:false), outputShape = (18:16:3)} (a)
       g = DenseLayer {6, activation = Sigmoid} (c)
       outputNodes = (b:c:d:e:f:g)`,
      ["b", "c", "d", "e", "f", "g"],
    ));
});

describe("recurrent networks in onnxruntime", () => {
  const expectSameSequences = async (members: string, outputs: readonly string[]): Promise<void> => {
    const model = modelOf(members);
    for (const length of [1, 5, 30]) {
      for (const difference of await differences(model, outputs, length, [length, 1]))
        expect(difference, `length ${length}`).toBeLessThan(1e-5);
    }
  };

  it("an LSTM in each direction, one above the other", () =>
    expectSameSequences(
      `x = Input {3}
       h = RecurrentLSTMLayer {4} (x) ; z = RecurrentLSTMLayer {2, goBackwards = true} (h)
       outputNodes = (h:z)`,
      ["h", "z"],
    ));

  it("delays of several steps, in loops and outside of them, and first states", () =>
    expectSameSequences(
      `x = Input {2} ; first = ParameterTensor {2, init = "fixedValue", initValue = 0.5}
       a = PastValue (2, x, timeStep = 3, defaultHiddenActivation = 0.25) ; b = FutureValue (2, x, timeStep = 2)
       s = x + 0.5 .* PastValue (2, s, timeStep = 2, defaultHiddenActivation = 0.1)
       t = x .* 0.3 + Tanh (PastValue (2, t, initialState = first))
       outputNodes = (a:b:s:t)`,
      ["a", "b", "s", "t"],
    ));
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
      `x = Input {3} ; y = Input {2} ; z = DenseLayer {2} (x) ; ce = CrossEntropyWithSoftmax (y, z)
       criterionNodes = (ce)`,
    );
    await expect(running(model, ["ce"])).rejects.toMatchObject({
      code: "export-operation",
      message: "CrossEntropyWithSoftmax has no counterpart in ONNX (node 'ce').",
      diagnostic: { hint: "--output z is what it measures" },
    });
  });

  it("is written for a model file, which has float numbers", async () => {
    const from = "test/fixtures/model-files/07-float.model";
    const path = await exportModelFile(from, { format: "onnx", out: join(folder, "07.onnx") });
    const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(path)), {
      executionProviders: ["wasm"],
    });
    const model = loadModel(from, { backend: "reference" });
    const [output = ""] = session.outputNames;
    const [input] = model.inputsOf([model.node(output)]);
    const values = Float32Array.from(numbers(2 * 784, 0), Math.abs);
    const [ours] = await model.evaluate([output], { [input!.name]: values }, 2);
    const theirs = await session.run({ [input!.name]: new ort.Tensor("float32", values, [2, 1, 28, 28]) });
    const expected = ours!.samples.flatMap((sample) => [...sample]);
    const found = theirs[output]!.data as Float32Array;
    const largest = Math.max(...expected.map(Math.abs));
    expect(found).toHaveLength(expected.length);
    expect(Math.max(...expected.map((value, i) => Math.abs(value - found[i]!))) / largest).toBeLessThan(1e-5);
  });
});
