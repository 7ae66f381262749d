import { type AttributesOf, typedAttributes } from "../network/attributes.js";
import type { NetworkNode } from "../network/network.js";
import type { OpDefinition } from "../network/op-definition.js";
import { field, type Fields, type StoredLayout } from "../network/stored-fields.js";
import { defineOp, memoryNone, wrongAttribute } from "./define-op.js";
import { emitMap } from "./lowering.js";
import { scalarShape } from "./shape-rules.js";

/** Leaves of the network: parameters, inputs, and places that only name something. */

const storedParameter: StoredLayout = {
  fields: [
    // Parameters were once a switch and two sizes instead of a multiplier and a shape.
    field("update", "boolean", { until: 3 }),
    field("rows", "unsigned8", { until: 3 }),
    field("columns", "unsigned8", { until: 3 }),
    field("oldShape", "legacyShape", { until: 3, when: ({ rows }) => rows === 0 }),
    field("learningRateMultiplier", "float4", { since: 3, otherwise: 1 }),
    field("shape", "shape", { since: 3 }),
    field("values", "matrix"),
  ],
  upgrade(old, version) {
    if (version >= 3) return old;
    const columns = Number(old["columns"]);
    const oldShape = old["oldShape"] as readonly number[] | undefined;
    const shape = oldShape
      ? columns > 1
        ? [...oldShape, columns]
        : oldShape
      : [Number(old["rows"]), columns];
    return { learningRateMultiplier: old["update"] === true ? 1 : 0, shape };
  },
  downgrade({ shape, learningRateMultiplier }, version): Fields {
    if (version >= 3) return { shape: shape ?? [], learningRateMultiplier: learningRateMultiplier ?? 1 };
    const dims = shape as readonly number[];
    const update = learningRateMultiplier !== 0;
    const [rows = 0, columns = 0] = dims;
    if (dims.length === 2 && rows > 0) return { update, rows, columns };
    return { update, rows: 0, columns: 1, oldShape: dims };
  },
  // The values are there already: no initialization.
  attributes: (plain) => ({ ...plain, init: "" }),
};

const storedInput: StoredLayout = {
  fields: [
    // Sizes of old files; today always 0.
    field("rows", "unsigned8", { constant: 0 }),
    field("columns", "unsigned8", { constant: 0 }),
    field("shape", "legacyShape"),
    // No axis at all and an axis without a name are written differently.
    field("axisCount", "unsigned4", {
      since: 8,
      constant: 1,
      otherwise: 1,
      valid: (count) => Number(count) <= 1,
    }),
    field("dynamicAxis", "wideText", { since: 8, when: ({ axisCount }) => axisCount !== 0, otherwise: "" }),
    field("learningRateMultiplier", "float4", { since: 10, otherwise: 0 }),
  ],
  upgrade(old) {
    const shape = old["shape"] as readonly number[];
    const rows = Number(old["rows"]);
    const elements = shape.reduce((product, dim) => product * dim, 1);
    return { ...old, rows: 0, columns: 0, shape: rows !== 0 && rows !== elements ? [rows] : shape };
  },
};

const parameterDeclarations = {
  shape: { kind: "shape", doc: "Dimensions; 0 = inferred from what the parameter is combined with." },
  learningRateMultiplier: { kind: "number", doc: "Factor of the learning rate; 0 freezes.", default: 1 },
  init: {
    kind: "string",
    doc:
      "How the values come about: a kind of random numbers, `fromValue`, `bilinear`; " +
      "empty when the values are there already (from a file, a literal, a model).",
    default: "",
  },
  initValue: { kind: "number", doc: "The value of all elements for `fromValue`.", default: 0 },
  value: { kind: "number", doc: "Older name of initValue, with init='fixedValue'.", default: 0 },
  initValueScale: { kind: "number", doc: "Factor of random initial values.", default: 1 },
  initFilterRank: {
    kind: "integer",
    doc: "Number of leading axes that form a filter, for fan-in and fan-out.",
    default: 0,
  },
  initOutputRank: {
    kind: "integer",
    doc: "Number of output axes at the left, or negative at the right, for fan-in and fan-out.",
    default: 1,
  },
  randomSeed: {
    kind: "integer",
    doc: "Seed of the random initial values; negative: the next number of a counter.",
    default: -1,
  },
  seed: {
    kind: "integer",
    doc: "The seed that was drawn when the node was made; set by the network builder, not by scripts.",
    default: 0,
  },
  initOnCPUOnly: { kind: "boolean", doc: "Draw random values on the CPU.", default: true },
  initFromFilePath: { kind: "string", doc: "Text file with the values, one row a line.", default: "" },
  initFromLiteral: { kind: "string", doc: "The values as text, one row a line.", default: "" },
} as const;

export const learnableParameter = defineOp({
  name: "LearnableParameter",
  doc: "A tensor that training changes (learningRateMultiplier above 0) or a constant (0). Dimensions given as 0 are inferred.",
  source: "Source/ComputationNetworkLib/InputAndParamNodes.cpp",
  role: "parameter",
  inputs: [],
  attributes: parameterDeclarations,
  stored: storedParameter,
  differentiable: "error",
  memory: { ...memoryNone, ownMatrix: true },
  shape: ({ attributes }) => ({ shape: attributes.shape, dynamicAxis: null }),
});

export type ParameterAttributes = AttributesOf<typeof parameterDeclarations>;

/** The attributes of a LearnableParameter with their defaults, also of a node that says only some of them. */
export function parameterAttributes(node: NetworkNode): ParameterAttributes {
  return typedAttributes(parameterDeclarations, node.attributes, (name, kind) =>
    wrongAttribute(node, name, kind),
  );
}

const inputAttributes = {
  shape: { kind: "shape", doc: "Dimensions of one sample." },
  dynamicAxis: {
    kind: "string",
    doc: "Name of the dynamic axis; empty = the one that all such inputs share.",
    default: "",
  },
} as const;

export const inputValue = defineOp({
  name: "InputValue",
  doc: "Data of the minibatch, fed by a reader from the stream of the same name.",
  source: "Source/ComputationNetworkLib/InputAndParamNodes.h",
  role: "input",
  inputs: [],
  attributes: inputAttributes,
  stored: storedInput,
  differentiable: "error",
  memory: { ...memoryNone, ownMatrix: true },
  shape: ({ attributes, inputAxis }) => ({
    shape: attributes.shape,
    dynamicAxis: inputAxis,
    storage: "dense",
  }),
});

export const sparseInputValue = defineOp({
  name: "SparseInputValue",
  source: inputValue.source,
  role: "input",
  inputs: [],
  attributes: inputAttributes,
  stored: storedInput,
  differentiable: "error",
  memory: { ...memoryNone, ownMatrix: true },
  doc: "Data of the minibatch given as index:value pairs; one column per sample.",
  shape: ({ attributes, inputAxis }) => ({
    shape: attributes.shape,
    dynamicAxis: inputAxis,
    storage: "sparse",
  }),
});

export const dynamicAxisOp = defineOp({
  name: "DynamicAxis",
  doc: "A dynamic axis of its own, for inputs whose sequences differ in length from those of other inputs.",
  source: "Source/ComputationNetworkLib/InputAndParamNodes.h",
  inputs: [],
  attributes: {},
  differentiable: "error",
  memory: memoryNone,
  shape: (context) => ({ shape: [1, 1], dynamicAxis: context.newDynamicAxis(context.node.name) }),
});

export const environmentInput = defineOp({
  name: "EnvironmentInput",
  doc: "A number about the run: `isTraining` is 1 in training and 0 otherwise.",
  source: "Source/ComputationNetworkLib/InputAndParamNodes.h",
  inputs: [],
  attributes: { propertyName: { kind: "string", doc: "Only `isTraining`." } },
  stored: { fields: [field("propertyName", "wideText")] },
  differentiable: "none",
  memory: memoryNone,
  shape: () => ({ shape: scalarShape, dynamicAxis: null }),
  lower(context) {
    const value = context.attributes.propertyName === "isTraining" && context.mode === "training";
    emitMap(context, { kind: "constant", value: value ? 1 : 0 }, []);
  },
});

export const inputOperations: readonly OpDefinition[] = [
  learnableParameter,
  inputValue,
  sparseInputValue,
  dynamicAxisOp,
  environmentInput,
];
