import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { loadModel, type ModelSession } from "../../src/index.js";
import { readModel } from "../../src/model-files/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { problemOf } from "../support/problem-of.js";

/* Models of CNTK's C++ and Python library: made here field by field, and those of public repositories where they are. */

type Bytes = readonly number[];

const number = (value: number): Bytes =>
  value < 128 ? [value] : [(value % 128) + 128, ...number(Math.floor(value / 128))];
const bytes = (field: number, content: Bytes): Bytes => [
  ...number(field * 8 + 2),
  ...number(content.length),
  ...content,
];
const text = (field: number, content: string): Bytes => bytes(field, [...Buffer.from(content)]);
const whole = (field: number, value: number): Bytes => [...number(field * 8), ...number(value)];

/** Values of a dictionary, with the number of their type. */
const value = (type: number, content: Bytes): Bytes => [...whole(1, 2), ...whole(2, type), ...content];
const size = (count: number): Bytes => value(3, whole(5, count));
const flag = (is: boolean): Bytes => value(1, whole(3, is ? 1 : 0));
const int = (n: number): Bytes => value(2, whole(4, n));
const name = (content: string): Bytes => value(6, text(8, content));
const dims = (...shape: number[]): Bytes => bytes(1, shape.flatMap(number));
const shape = (...sizes: number[]): Bytes => value(7, bytes(9, dims(...sizes)));
const list = (...items: Bytes[]): Bytes =>
  value(
    9,
    bytes(
      11,
      items.flatMap((item) => bytes(1, item)),
    ),
  );
const array = (sizes: number[], values: number[]): Bytes =>
  value(
    11,
    bytes(13, [
      ...whole(1, 1),
      ...bytes(3, dims(...sizes)),
      ...bytes(4, bytes(1, [...Buffer.from(Float32Array.from(values).buffer)])),
    ]),
  );
const axis = (index: number, called = ""): Bytes =>
  value(8, bytes(10, [...whole(1, index), ...text(2, called)]));

type Dictionary = Readonly<Record<string, Bytes>>;
const entries = (content: Dictionary): Bytes => [
  ...whole(1, 2),
  ...Object.entries(content).flatMap(([key, item]) => bytes(2, [...text(1, key), ...bytes(2, item)])),
];
const dictionary = (content: Dictionary): Bytes => value(10, bytes(12, entries(content)));

const batch = axis(2147483647, "defaultBatchAxis");
const variable = (uid: string, kind: number, sizes: number[], more: Dictionary = {}): Bytes =>
  dictionary({
    version: size(1),
    type: name("Variable"),
    uid: name(uid),
    kind: size(kind),
    data_type: size(1),
    dynamic_axis: kind === 0 || kind === 4 ? list(batch) : list(),
    is_sparse: flag(false),
    needs_gradient: flag(kind === 2),
    shape: shape(...sizes),
    ...more,
  });
const call = (
  uid: string,
  op: number,
  inputs: string[],
  attributes: Dictionary = {},
  more: Dictionary = {},
): Bytes =>
  dictionary({
    version: size(15),
    type: name("PrimitiveFunction"),
    uid: name(uid),
    op: size(op),
    inputs: list(...inputs.map(name)),
    attributes: dictionary(attributes),
    ...more,
  });
const composite = (root: string, inputs: Bytes[], functions: Bytes[]): Uint8Array =>
  Uint8Array.from(
    entries({
      version: size(3),
      type: name("CompositeFunction"),
      uid: name("CompositeFunction99"),
      root: name(root),
      inputs: list(...inputs),
      primitive_functions: list(...functions),
    }),
  );

const folder = temporaryFolder();
const session = (content: Uint8Array): ModelSession => {
  const path = join(folder, "library.model");
  writeFileSync(path, content);
  return loadModel(path, { backend: "reference" });
};

/** A dense layer inside a block, with a measure of it beside: what `Function.save` writes of such a model. */
const layer = composite(
  "Combine9",
  [
    variable("Input1", 0, [2], { name: name("x") }),
    variable("Input2", 0, [2], { name: name("label") }),
    variable("Parameter3", 2, [2, 2], { name: name("W"), value: array([2, 2], [1, 3, 2, 4]) }),
    variable("Constant4", 3, [], { value: array([], [0.5]) }),
    variable("Placeholder5", 4, [2]),
  ],
  [
    call("Times6", 31, ["Parameter3", "Placeholder5"], { outputRank: size(1), inferInputRankToMap: int(0) }),
    call("Plus7", 19, ["Times6_Output_0", "Constant4"]),
    call(
      "Block8",
      57,
      ["Parameter3", "Input1"],
      {},
      {
        name: name("dense"),
        block_function_composite: dictionary({
          version: size(3),
          type: name("CompositeFunction"),
          uid: name("CompositeFunction8"),
          root: name("Plus7"),
        }),
        block_function_op_name: name("Dense"),
        block_function_composite_arguments_map_keys: list(name("Placeholder5")),
        block_function_composite_arguments_map_values: list(name("Input1")),
      },
    ),
    call("CrossEntropyWithSoftmax10", 35, ["Block8_Output_0", "Input2"], {}, { name: name("ce") }),
    call("Clip11", 41, ["Block8_Output_0", "Constant4", "Parameter3"]),
    call("Combine9", 44, ["Block8_Output_0", "CrossEntropyWithSoftmax10_Output_0"]),
  ],
);

describe("models of CNTK's library", () => {
  it("are networks of the operations that model files have", () => {
    const { nodes, groups } = readModel(layer, "library.model");
    const described = nodes.map(({ name: called, operation, inputs }) =>
      [called, operation, ...inputs].join(" "),
    );
    expect(described).toEqual([
      // Inputs stand where the operations of the cntk program have them.
      "ce CrossEntropyWithSoftmax label dense",
      "Clip11 Clip dense.Constant4 dense.W dense",
      "dense Plus dense.Times6 dense.Constant4",
      "dense.Constant4 LearnableParameter",
      "dense.Times6 Times dense.W x",
      "dense.W LearnableParameter",
      "label InputValue",
      "x InputValue",
    ]);
    expect(groups).toEqual({
      feature: ["x", "label"],
      label: [],
      criterion: ["ce"],
      evaluation: [],
      output: ["dense"],
    });
    const multipliers = nodes
      .filter(({ operation }) => operation === "LearnableParameter")
      .map(({ fields }) => fields["learningRateMultiplier"]);
    expect(multipliers).toEqual([0, 1]);
  });

  it("are evaluated", async () => {
    const [dense] = await session(layer).evaluate(["dense"], { x: Float32Array.of(1, 1, 0, -2) }, 2);
    // Columns (1, 3) and (2, 4): W·(1, 1) = (3, 7), W·(0, -2) = (-4, -8).
    expect(dense?.samples.map((sample) => [...sample])).toEqual([
      [3.5, 7.5],
      [-3.5, -7.5],
    ]);
  });

  it("keep loops: a placeholder with the uid of an output", async () => {
    const loop = composite(
      "Plus3",
      [
        variable("Input1", 0, [1], { dynamic_axis: list(axis(2147483647, "defaultDynamicAxis"), batch) }),
        variable("Plus3_Output_0", 4, [1]),
        variable("Constant5", 3, [], { value: array([], [0]) }),
      ],
      [
        call("PastValue2", 37, ["Plus3_Output_0", "Constant5"], { offset: size(1) }),
        call("Plus3", 19, ["PastValue2_Output_0", "Input1"], {}, { name: name("total") }),
      ],
    );
    const { nodes } = readModel(loop, "loop.model");
    expect(nodes.find((node) => node.name === "PastValue2")).toMatchObject({
      inputs: ["total"],
      fields: { timeStep: 1, initialState: 0 },
    });
    const path = join(folder, "sums.txt");
    writeFileSync(path, "0 |Input1 1\n0 |Input1 2\n0 |Input1 4\n");
    const loaded = session(loop);
    const { nodeFiles } = await import("../../src/node/index.js");
    const [total] = await loaded.evaluateFile(["total"], nodeFiles(folder), path);
    expect(total?.samples.map((sample) => sample[0])).toEqual([1, 3, 7]);
  });

  it("show functions of users by name, and refuse to run them", async () => {
    const model = composite(
      "Udf2",
      [variable("Input1", 0, [2])],
      [
        dictionary({
          version: size(0),
          type: name("UserDefinedFunction"),
          uid: name("Udf2"),
          name: name("mine"),
          inputs: list(name("Input1")),
        }),
      ],
    );
    expect(
      readModel(model, "user.model").nodes.map(({ name: called, operation }) => [called, operation]),
    ).toEqual([
      ["Input1", "InputValue"],
      ["mine", "UserDefinedV2Function"],
    ]);
    const failing = session(model).evaluate(["mine"], { Input1: Float32Array.of(1, 2) }, 1);
    await expect(failing).rejects.toThrow("UserDefinedV2Function is not available yet");
  });

  it("say the same where their arrays stay in the file's bytes, wherever these begin", () => {
    const expected = readModel(layer, "library.model").nodes;
    for (let offset = 0; offset < 8; offset++) {
      const room = new Uint8Array(layer.length + offset + 1).fill(0x55);
      room.set(layer, offset);
      const own = readModel(room.subarray(offset, offset + layer.length), "library.model", true);
      expect(own.nodes).toEqual(expected);
      expect([...room.subarray(0, offset), room.at(-1)].every((byte) => byte === 0x55)).toBe(true);
    }
  });

  it("are listed where a function has fewer inputs than it takes", () => {
    // ScatterPacked takes the values, the packed index and the layout, in the node's order the last first.
    const model = readModel(
      composite(
        "Scatter1_Output_0",
        [variable("Input0", 0, [2])],
        [call("Scatter1", 30, ["Input0", "Input0"])],
      ),
      "damaged.model",
    );
    const node = model.nodes.find(({ operation }) => operation === "ScatterPacked");
    expect(node?.inputs).toHaveLength(2);
    expect(node?.inputs.includes("Input0")).toBe(true);
    expect([...node!.inputs].every((input) => typeof input === "string")).toBe(true);
  });

  it("give an error with a place where they are damaged, wherever the damage is", () => {
    const half = problemOf(() => readModel(layer.subarray(0, layer.length >> 1), "half.model"));
    expect(half).toMatchObject({ code: "model-file-broken" });
    expect(half.message).toMatch(/at byte \d+/);
    let refused = 0;
    for (let at = 0; at < layer.length; at++) {
      for (const change of [1, 0x80, 0xff]) {
        const damaged = Uint8Array.from(layer);
        damaged[at]! ^= change;
        try {
          readModel(damaged, "damaged.model");
        } catch (error) {
          // Any other kind of error would be a mistake of the program.
          expect(error, `byte ${at}, changed by ${change}`).toBeInstanceOf(CntkError);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(layer.length);
  });
});

const corpus = "../shared/public-models";
describe.skipIf(!existsSync(corpus))(`models of ${corpus} (skipped where it is not)`, () => {
  it("mnist_conv.cmf has the layers that its makers named", () => {
    const { nodes } = readModel(readFileSync(join(corpus, "mnist_conv.cmf")), "mnist_conv.cmf");
    const names = nodes.map(({ name: called }) => called);
    expect(names).toEqual(
      expect.arrayContaining(["first_conv", "first_max", "second_conv.W", "classify", "output"]),
    );
    expect(nodes).toHaveLength(18);
  });

  it("fit-example.model is the logistic function of its two weights", async () => {
    const model = loadModel(join(corpus, "fit-example.model"), { backend: "reference" });
    const parameters = new Map(model.model.nodes.map((node) => [node.name, node.values?.values]));
    const [w, b] = [parameters.get("W")!, parameters.get("b")!];
    const [o] = await model.evaluate(["o"], { Input3: Float32Array.of(0.5, 2) }, 1);
    expect(o?.samples[0]?.[0]).toBeCloseTo(1 / (1 + Math.exp(-(w[0]! * 0.5 + w[1]! * 2 + b[0]!))), 6);
  });
});
