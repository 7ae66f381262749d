import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ModelFile, ModelNode } from "../../src/model-files/index.js";
import { printNodes, readModel, saveModel, writeModel } from "../../src/model-files/index.js";
import { memoryFiles } from "../support/memory-files.js";
import { recorded } from "./fixtures.js";
import { problemOf } from "../support/problem-of.js";

function node(model: ModelFile, name: string): ModelNode {
  const found = model.nodes.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no node ${name}`);
  return found;
}

const recordedModels = [
  "07-float-untrained.model",
  "07-float.model",
  "07-double-untrained.model",
  "07-double.model",
  "ctc.model",
  "dropout-recurrent.model",
  "precompute.model",
  "sequences-window.model",
  "sparse-clip.model",
];

describe("readModel and writeModel", () => {
  it.each(recordedModels)("give %s back byte for byte", (name) => {
    const bytes = recorded(name);
    expect(Buffer.compare(writeModel(readModel(bytes, name)), bytes)).toBe(0);
  });

  it("read fields, inputs, values and groups", () => {
    const model = readModel(recorded("07-double-untrained.model"), "m.model");
    expect(model.version).toBe(26);
    expect(model.nodes.length).toBe(18);
    expect(node(model, "z.conv1.c")).toMatchObject({
      precision: "double",
      operation: "Convolution",
      inputs: ["z.conv1.W", "f1"],
      fields: { kernelShape: [5, 5, 1], autoPadding: [true, true, false], transpose: false },
    });
    const { values, fields } = node(model, "z.conv1.W");
    expect(fields).toEqual({ learningRateMultiplier: 1, shape: [5, 5, 1, 1] });
    // Glorot's uniform distribution, seed 2.
    expect([values?.rows, values?.columns, values?.values[0]]).toEqual([5, 5, 0.27962507180294327]);
    expect(node(model, "mse").fields).toEqual({ axis: 0, reductionOp: "Mean", keepDimensions: false });
    expect(model.groups).toEqual({
      feature: ["features"],
      label: [],
      criterion: ["rmse"],
      evaluation: ["rmse"],
      output: ["z"],
    });
  });

  it("read recurrent networks, whose links form cycles", () => {
    const model = readModel(recorded("dropout-recurrent.model"), "m.model");
    const delay = model.nodes.find(({ operation }) => operation === "PastValue");
    expect(delay?.fields).toMatchObject({ timeStep: 1, initialState: 0.1 });
    const dropout = model.nodes.find(({ operation }) => operation === "Dropout");
    expect(Object.keys(dropout?.fields ?? {})).toEqual(["seed", "offset"]);
  });

  it("write a file that appears only when it is complete", () => {
    const contents = new Map<string, string | Uint8Array>();
    const files = memoryFiles(contents);
    const bytes = recorded("07-float.model");
    saveModel(readModel(bytes, "m"), files, "/models/m.dnn");
    expect(Buffer.compare(files.readBytes("/models/m.dnn"), bytes)).toBe(0);
  });

  it("report a file that is cut short, at every length, with the byte it ends at", () => {
    const bytes = recorded("07-float.model");
    for (let length = 8; length < bytes.length; length += 7) {
      const problem = problemOf(() => readModel(bytes.subarray(0, length), "cut.model"));
      expect(problem.code).toBe("model-file-broken");
      expect(problem.message).toContain("'cut.model'");
      expect(problem.message).toMatch(/byte \d+/);
    }
    const problem = problemOf(() => readModel(bytes.subarray(0, 2000), "cut.model"));
    expect(problem.message).toContain("ends at byte 2000");
  });

  it("report an unknown operation with its place and a near name", () => {
    const bytes = recorded("07-float.model").slice();
    // The first node is `err`, a Minus: M becomes X.
    const at = Buffer.from(bytes).indexOf(Buffer.from("Minus", "utf16le"));
    bytes[at] = "X".charCodeAt(0);
    const problem = problemOf(() => readModel(bytes, "m.model"));
    expect(problem.code).toBe("operation-unknown");
    expect(problem.message).toContain(`at byte ${at}, a node of the unknown operation 'Xinus'`);
    expect(problem.diagnostic.hint).toBe("CNTK has an operation 'Minus'");
  });

  it("report a wrong marker with what belongs there", () => {
    const bytes = recorded("07-float.model").slice();
    const at = Buffer.from(bytes).indexOf(Buffer.from("BRelation", "utf16le"));
    bytes[at] = "X".charCodeAt(0);
    expect(problemOf(() => readModel(bytes, "m.model")).message).toContain(
      `at byte ${at} there should be: section marker 'BRelation'`,
    );
  });

  it("tell other kinds of files apart", () => {
    const message = (bytes: Uint8Array) => problemOf(() => readModel(bytes, "x")).message;
    expect(message(Uint8Array.of(8, 1, 18, 4))).toContain("a dictionary of CNTK's library");
    expect(message(Uint8Array.of(0x6b, 0x74, 0x6e, 0x63))).toContain("more than 2 GB");
    expect(message(recorded("07-float.model.ckp"))).toContain("is a checkpoint of a training");
    expect(message(new TextEncoder().encode("hello"))).toContain("is not a CNTK model");
    expect(message(new Uint8Array(0))).toContain("is not a CNTK model");
    const newer = recorded("07-float.model").slice();
    newer[Buffer.from(newer).indexOf(26)] = 27;
    expect(problemOf(() => readModel(newer, "x")).code).toBe("model-file-too-new");
  });

  it("refuse links to nodes that the file does not hold", () => {
    const model = readModel(recorded("07-float.model"), "m");
    const broken = { ...model, groups: { ...model.groups, output: ["nobody"] } };
    expect(problemOf(() => readModel(writeModel(broken), "m")).message).toContain("'nobody'");
  });
});

const corpus = new URL("../../../shared/cntk/", import.meta.url);

/** CNTK's own model files of older versions: path, version, nodes (one more for each batch normalization before 19). */
const olderFiles: [string, number, number][] = [
  ["Tests/UnitTests/BrainScriptTests/Data/ComputationNetwork/01_OneHidden.dnn", 10, 17],
  ["Tests/UnitTests/BrainScriptTests/Data/ComputationNetwork/MC.dnn", 10, 8],
  ["Tests/UnitTests/NetworkTests/Models/01_OneHidden.dnn", 18, 22],
  ["Tests/UnitTests/NetworkTests/Models/ResNet20_CIFAR10_DataAug.dnn", 18, 209],
  ["Tests/EndToEndTests/ParallelTraining/AsynchronousSGD/ASGD_Resnet.model.1", 23, 205],
  ["Tutorials/ImageHandsOn/cifar10.ResNet.cmf", 10, 213],
  ["Tutorials/SLUHandsOn/slu.forward.cmf", 14, 44],
  ["Tutorials/SLUHandsOn/slu.forward.backward.cmf", 14, 67],
  ["Tutorials/SLUHandsOn/slu.forward.nobn.cmf", 14, 32],
];

describe.skipIf(!existsSync(corpus))("files of older versions", () => {
  it.each(olderFiles.filter(([path]) => existsSync(new URL(path, corpus))))("%s", (path, version, count) => {
    const model = readModel(new Uint8Array(readFileSync(new URL(path, corpus))), path);
    expect([model.version, model.nodes.length]).toEqual([version, count]);
    const written = writeModel(model);
    const again = readModel(written, path);
    const withoutValues = ({ nodes }: ModelFile) => nodes.map(({ values: _values, ...rest }) => rest);
    expect(withoutValues(again)).toEqual(withoutValues(model));
    expect(Buffer.compare(writeModel(again), written)).toBe(0);
    for (const { operation, name, inputs } of again.nodes) {
      if (operation !== "BatchNormalization") continue;
      expect(inputs.length).toBe(6);
      if (version < 19) expect(inputs[5]).toBe(`${name}.run_sample_count`);
    }
  });

  it("turn stored inverse deviations into variances", () => {
    const path = "Tutorials/ImageHandsOn/cifar10.ResNet.cmf";
    const bytes = new Uint8Array(readFileSync(new URL(path, corpus)));
    const model = readModel(bytes, path);
    const normalization = model.nodes.find(({ operation }) => operation === "BatchNormalization");
    const epsilon = normalization?.fields["epsilon"] as number;
    const variance = node(model, normalization?.inputs[4] as string).values?.values as Float32Array;
    expect(variance.every((value) => value >= Math.fround(epsilon))).toBe(true);
    expect(normalization?.fields["runCount"]).toBe(0);
  });
});

describe("printNodes", () => {
  const model = readModel(recorded("07-float.model"), "m");

  it("lists names in the order of the file", () => {
    expect(printNodes(model).split("\n").slice(0, 4)).toEqual(["err", "f1", "f1.ElementTimesArgs[0]", "f2"]);
  });

  it("adds type, shape and inputs", () => {
    const lines = printNodes(model, { long: true }).split("\n");
    expect(lines.find((line) => line.startsWith("features "))).toMatch(/InputValue +\[28 x 28 x 1 x \*\]$/);
    expect(lines.find((line) => line.startsWith("z.conv1.W "))).toMatch(
      /LearnableParameter {2}\[5 x 5 x 1 x 1\]$/,
    );
    expect(lines.find((line) => line.startsWith("err "))).toMatch(/Minus {15} +\(z, f2\)$/);
  });
});
