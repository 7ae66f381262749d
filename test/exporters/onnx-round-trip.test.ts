import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ModelSession } from "../../src/actions/model-session.js";
import { exportModelFile, importModelFile, loadModel, runConfig } from "../../src/index.js";
import { writeModel } from "../../src/model-files/index.js";
import { elementCount } from "../../src/network/network.js";
import { nodeFiles } from "../../src/node/index.js";
import { onnxModel } from "../support/onnx-model.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import {
  criteria,
  difference,
  feedForwardNetworks,
  modelOf,
  numbers,
  recurrentNetworks,
} from "./exported-networks.js";
import { compareWithOnnx, openOnnx, tooFar } from "./onnxruntime.js";
import {
  foundModels,
  foundRecurrentModels,
  sampleConfigs,
  trainedSample,
  writeDigits,
} from "./rescued-models.js";

/* Model → ONNX → model: the same values, and training that goes on. */

const folder = temporaryFolder();
const onnxPath = join(folder, "exported.onnx");
const imported = join(folder, "imported.model");

/** Values of the imported model's outputs that are not those of the original, for three sequences (or samples) of 5. */
async function changedOutputs(original: ModelSession): Promise<string[]> {
  const model = loadModel(imported, { backend: "javascript" });
  const names = model.model.groups.output;
  const inputs = original.inputsOf(names.map((name) => original.node(name)));
  const lines = (isSparse: boolean): string =>
    Array.from({ length: 15 }, (_, frame) => {
      const streams = inputs.map(({ name }, index) => {
        const { shape, storage } = original.shaped.facts.get(original.node(name))!;
        const size = elementCount(shape);
        const place = (frame * 37 + index) % size;
        const values = numbers(size, frame + index).map((value, at) =>
          storage === "sparse" ? Number(at === place) : value,
        );
        return `|${name} ${isSparse && storage === "sparse" ? `${place}:1` : values.join(" ")}`;
      });
      return `${Math.floor(frame / 5)} ${streams.join(" ")}\n`;
    }).join("");
  writeFileSync(join(folder, "original.txt"), lines(true));
  writeFileSync(join(folder, "imported.txt"), lines(false));
  const expected = await original.evaluateFile(names, nodeFiles(folder), "original.txt");
  const found = await model.evaluateFile(names, nodeFiles(folder), "imported.txt");
  return expected.flatMap(({ name, shape, samples }, index) => {
    expect(elementCount(found[index]!.shape)).toBe(elementCount(shape));
    const flat = (all: typeof samples): number[] => all.flatMap((sample) => [...sample]);
    const distance = difference(flat(samples), flat(found[index]!.samples));
    return distance < 1e-5 ? [] : [`${name}: ${distance}`];
  });
}

async function expectSame(path: string, outputs: readonly string[] = []): Promise<void> {
  await exportModelFile(path, { format: "onnx", out: onnxPath, outputs });
  await importModelFile(onnxPath, { out: imported });
  expect(await changedOutputs(loadModel(path, { backend: "javascript" }))).toEqual([]);
}

async function expectSameNetwork(members: string, outputs: readonly string[]): Promise<void> {
  const path = join(folder, "network.model");
  writeFileSync(path, writeModel(modelOf(members).model));
  await expectSame(path, outputs);
}

describe("models by way of ONNX", () => {
  it.each([...feedForwardNetworks, ...recurrentNetworks, criteria])("$title", ({ members, outputs }) =>
    expectSameNetwork(members, outputs),
  );

  it.each(sampleConfigs)("%s, after a minibatch of training", async (config) => {
    writeDigits(folder);
    await expectSame(await trainedSample(config, folder));
  });

  const all = [...foundModels, ...foundRecurrentModels];
  it.skipIf(all.length === 0).each(all)("$name (skipped without CNTK's tree)", ({ path }) =>
    expectSame(path),
  );

  it("keep what is trained and what is not", async () => {
    const path = join(folder, "frozen.model");
    const members = `x = Input {3} ; A = ParameterTensor {(2:3), learningRateMultiplier = 0.5}
      B = ParameterTensor {(2:2), learningRateMultiplier = 0} ; z = B * (A * x) ; outputNodes = (z)`;
    writeFileSync(path, writeModel(modelOf(members).model));
    await exportModelFile(path, { format: "onnx", out: onnxPath });
    await importModelFile(onnxPath, { out: imported });
    const multiplier = (name: string): unknown =>
      loadModel(imported).model.nodes.find((node) => node.name === name)?.fields["learningRateMultiplier"];
    expect([multiplier("A"), multiplier("B")]).toEqual([0.5, 0]);
  });

  it("train on as the original does", async () => {
    writeDigits(folder);
    const path = await trainedSample("02_OneConv", folder);
    await expectSame(path);
    /** Loss and error of one more epoch in four minibatches. */
    const trainedOn = async (model: string): Promise<{ losses: number[]; epoch: number }> => {
      const config = join(folder, "on.cntk");
      writeFileSync(config, trainingOn(model));
      let log = "";
      await runConfig([`configFile=${config}`], { log: { write: (text) => void (log += text) } });
      const losses = [...log.matchAll(/ce = ([\d.]+) \* 8;/g)].map(([, loss]) => Number(loss));
      return { losses, epoch: Number(/Finished Epoch\[ 1 of 1\]:.*?ce = ([\d.]+)/.exec(log)?.[1]) };
    };
    const before = await trainedOn(path);
    const after = await trainedOn(imported);
    expect(before.losses).toHaveLength(4);
    expect(before.losses.at(-1)).not.toBe(before.losses[0]);
    after.losses.forEach((loss, index) => expect(loss).toBeCloseTo(before.losses[index]!, 4));
    expect(after.epoch).toBeCloseTo(before.epoch, 4);
  });

  const trainingOn = (model: string): string => `
    command = train ; precision = "float" ; traceLevel = 1
    modelPath = "${join(folder, "on.model")}"
    train = {
      action = "train" ; makeMode = false
      BrainScriptNetworkBuilder = {
        features = Input {28:28:1} ; labels = Input {10}
        trained = BS.Network.Load ("${model}")
        copy = BS.Network.CloneFunction (trained.features, trained.ol, parameters = "learnable")
        z = copy (features)
        ce = CrossEntropyWithSoftmax (labels, z)
        criterionNodes = (ce) ; outputNodes = (z)
      }
      SGD = { epochSize = 32 ; minibatchSize = 8 ; maxEpochs = 1 ; learningRatesPerSample = 0.0005 ; numMBsToShowResult = 1 }
      reader = {
        readerType = "CNTKTextFormatReader" ; randomize = false
        file = "${join(folder, "Train-28x28_cntk_text.txt")}"
        input = { features = { dim = 784 ; format = "dense" } ; labels = { dim = 10 ; format = "dense" } }
      }
    }`;
});

describe("ONNX models of other programs", () => {
  async function expectSameAsOnnxruntime(bytes: Uint8Array): Promise<void> {
    writeFileSync(onnxPath, bytes);
    await importModelFile(onnxPath, { out: imported });
    const model = loadModel(imported, { backend: "reference" });
    expect(tooFar(await compareWithOnnx(model, await openOnnx(bytes), join(folder, "data.txt")))).toEqual([]);
  }

  it("a classifier of pictures gives what onnxruntime gives", () =>
    expectSameAsOnnxruntime(
      onnxModel(
        [3, 9, 8],
        [
          {
            op: "Conv",
            in: ["x", "W1", "b1"],
            out: "c1",
            kernel_shape: [3, 3],
            auto_pad: "SAME_UPPER",
            strides: [2, 1],
          },
          {
            op: "BatchNormalization",
            in: ["c1", "scale", "shift", "mean", "variance"],
            out: "n1",
            epsilon: 0.001,
          },
          { op: "Relu", in: ["n1"], out: "r1" },
          { op: "Conv", in: ["r1", "W2"], out: "c2", kernel_shape: [3, 2], pads: [1, 0, 1, 1] },
          { op: "Add", in: ["c2", "offset"], out: "o2" },
          { op: "MaxPool", in: ["o2"], out: "m2", kernel_shape: [2, 2], strides: [2, 2] },
          { op: "GlobalAveragePool", in: ["m2"], out: "g" },
          { op: "Flatten", in: ["g"], out: "f" },
          { op: "Gemm", in: ["f", "W3", "b3"], out: "l", transB: 1 },
          { op: "Softmax", in: ["l"], out: "y", axis: -1 },
        ],
        {
          W1: [4, 3, 3, 3],
          b1: [4],
          scale: [4],
          shift: [4],
          mean: [4],
          variance: [4],
          W2: [5, 4, 3, 2],
          offset: [1, 5, 1, 1],
          W3: [6, 5],
          b3: [6],
        },
      ),
    ));

  const [size, hidden] = [3, 4];
  /** Weights of a layer of some gates and directions. */
  const weights = (gates: number, directions = 1): Record<string, number[]> => ({
    W: [directions, gates * hidden, size],
    R: [directions, gates * hidden, hidden],
    B: [directions, 2 * gates * hidden],
  });
  const squeezed = { op: "Squeeze", in: ["Y", "directions"], out: "y" };
  const layer = (op: string, attributes: object = {}, more: string[] = []) => ({
    op,
    in: ["x", "W", "R", "B", ...more],
    out: ["Y"],
    hidden_size: hidden,
    ...attributes,
  });
  it.each([
    ["an LSTM", [layer("LSTM"), squeezed], weights(4)],
    ["an LSTM backwards", [layer("LSTM", { direction: "reverse" }), squeezed], weights(4)],
    [
      "an LSTM with peepholes, and a first state for as many samples as there are",
      [
        { op: "Shape", in: ["x"], out: "sizes" },
        { op: "Gather", in: ["sizes", "directions"], out: "count" },
        { op: "Concat", in: ["directions", "count", "hidden"], out: "all", axis: 0 },
        { op: "Expand", in: ["h0", "all"], out: "h" },
        { op: "Expand", in: ["c0", "all"], out: "c" },
        layer("LSTM", {}, ["", "h", "c", "P"]),
        squeezed,
      ],
      { ...weights(4), h0: [1, 1, hidden], c0: [1, 1, hidden], P: [1, 3 * hidden] },
    ],
    ["a GRU", [layer("GRU"), squeezed], weights(3)],
    [
      "a GRU with the reset behind the product",
      [layer("GRU", { linear_before_reset: 1 }), squeezed],
      weights(3),
    ],
    ["a recurrent layer", [layer("RNN"), squeezed], weights(1)],
    [
      "a recurrent layer of another function",
      [layer("RNN", { activations: ["Relu"] }), squeezed],
      weights(1),
    ],
    [
      "an LSTM in both directions, as PyTorch writes it",
      [
        layer("LSTM", { direction: "bidirectional" }),
        { op: "Transpose", in: ["Y"], out: "moved", perm: [0, 2, 1, 3] },
        { op: "Reshape", in: ["moved", "flat"], out: "y" },
      ],
      weights(4, 2),
    ],
    [
      "the last states of a GRU",
      [
        { ...layer("GRU"), out: ["", "last"] },
        { op: "Squeeze", in: ["last", "front"], out: "y" },
      ],
      weights(3),
    ],
    [
      "the last cells of an LSTM in both directions",
      [
        { ...layer("LSTM", { direction: "bidirectional" }), out: ["", "", "cells"] },
        { op: "Transpose", in: ["cells"], out: "moved", perm: [1, 0, 2] },
        { op: "Reshape", in: ["moved", "samples"], out: "y" },
      ],
      weights(4, 2),
    ],
  ])("%s gives what onnxruntime gives", (_, nodes, initializers) =>
    expectSameAsOnnxruntime(
      onnxModel(["samples", size], nodes, initializers, 1, {
        directions: [1],
        hidden: [hidden],
        front: [0],
        flat: [0, 0, -1],
        samples: [0, -1],
      }),
    ),
  );

  it.each([
    [
      "the last states of all frames, as PyTorch picks them, and a layer on them",
      [
        { op: "Gather", in: ["y_1", "last_place"], out: "picked", axis: 0 },
        { op: "Gemm", in: ["picked", "V", "v"], out: "y", transB: 1 },
      ],
      { V: [2, hidden], v: [2] },
    ],
    ["the sums of frames", [{ op: "ReduceSum", in: ["y_1", "front"], out: "y", keepdims: 0 }], {}],
    ["the mean over everything", [{ op: "ReduceMean", in: ["y_1"], out: "y", keepdims: 0 }], {}],
  ])("of an LSTM: %s", (_, nodes, more) =>
    expectSameAsOnnxruntime(
      onnxModel(
        ["samples", size],
        [layer("LSTM"), { op: "Squeeze", in: ["Y", "directions"], out: "y_1" }, ...nodes],
        { ...weights(4), ...more },
        1,
        { directions: [1], front: [0], last_place: -1 },
      ),
    ),
  );

  it.each([
    ["a frame within", { op: "Slice", in: ["x", "one", "two", "front"], out: "y" }, "within the sequences"],
    ["largest of frames", { op: "ReduceMax", in: ["x"], out: "y", axes: [0] }, "CNTK has sums only"],
  ])("%s is refused", async (_, node, why) => {
    const nodes = [layer("RNN"), node];
    const lists = { directions: [1], front: [0], one: [1], two: [2] };
    writeFileSync(onnxPath, onnxModel(["samples", size], nodes, weights(1), 1, lists));
    await expect(importModelFile(onnxPath, { out: imported })).rejects.toMatchObject({
      code: "import-operation",
      message: expect.stringContaining(why) as string,
    });
  });

  it.each([
    ["lengths of sequences", layer("LSTM", {}, ["lengths"]), "is told the lengths"],
    ["another function", layer("RNN", { activations: ["Softsign"] }), "computes with Softsign"],
    ["a first state of each sample", layer("RNN", {}, ["", "h0"]), "differs from sample to sample"],
  ])("a recurrent layer with %s is refused", async (_, node, why) => {
    const initializers = { ...weights(node.op === "LSTM" ? 4 : 1), lengths: [2], h0: [1, 2, hidden] };
    writeFileSync(
      onnxPath,
      onnxModel(["samples", size], [node, squeezed], initializers, 1, { directions: [1] }),
    );
    await expect(importModelFile(onnxPath, { out: imported })).rejects.toMatchObject({
      code: "import-operation",
      message: expect.stringContaining(why) as string,
    });
  });

  it("an operation without a counterpart is named, and nothing is written", async () => {
    const bytes = onnxModel([3], [{ op: "Erf", in: ["x"], out: "y" }], {});
    writeFileSync(onnxPath, bytes);
    const out = join(folder, "none.model");
    await expect(importModelFile(onnxPath, { out })).rejects.toMatchObject({
      code: "import-operation",
      message: "Erf 'y' has no counterpart in CNTK.",
    });
    expect(() => readFileSync(out)).toThrow();
  });

  it.each([
    ["a text", new TextEncoder().encode("no model at all, but text")],
    ["nothing", new Uint8Array()],
  ])("%s is no ONNX model", async (_, bytes) => {
    writeFileSync(onnxPath, bytes);
    await expect(importModelFile(onnxPath, { out: imported })).rejects.toMatchObject({ code: "onnx-broken" });
  });
});
