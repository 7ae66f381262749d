import { elementCount } from "../network/network.js";
import type { AttributesOf } from "../network/attributes.js";
import type { NetworkNode } from "../network/network.js";
import type { CompanionContext, GraphBuilder, OpDefinition } from "../network/op-definition.js";
import { field, type StoredLayout } from "../network/stored-fields.js";
import { at, defineOp, describe, formatDims, shapeProblem } from "./define-op.js";
import { cutOut, reshaped } from "./written-out.js";
import { inferDynamicAxis } from "./shape-rules.js";
import { axisField } from "./stored-parts.js";

const declarations = {
  axis: { kind: "integer", doc: "−1: recurrence along the sequence; 2: along the second axis." },
  recurrentOp: { kind: "string", doc: "lstm, gru, rnnReLU or rnnTanh." },
  hiddenDims: { kind: "integer", doc: "Cells of a layer." },
  numLayers: { kind: "integer", doc: "Layers." },
  bidirectional: { kind: "boolean", doc: "Both directions, one above the other." },
} as const;

type StackAttributes = AttributesOf<typeof declarations>;

/** Networks inside one cell. */
const networksOfCell: Readonly<Record<string, number>> = { lstm: 4, gru: 3, rnnReLU: 1, rnnTanh: 1 };

/**
 * Rows and columns of the matrix that holds all parameters of the stack, for an input of that many elements; every
 * network has two biases, as cuDNN wants it (RNNCommon.h, GetNumParameters).
 */
export function stackParameters(
  attributes: StackAttributes,
  inputDimension: number,
): readonly [number, number] {
  const { hiddenDims: hidden } = attributes;
  const directions = attributes.bidirectional ? 2 : 1;
  const networks = networksOfCell[attributes.recurrentOp] ?? 1;
  let total = 0;
  let input = inputDimension;
  for (let layer = 0; layer < attributes.numLayers; layer++) {
    total += networks * hidden * (input + hidden + 2) * directions;
    input = directions * hidden;
  }
  return [hidden, Math.trunc(total / hidden)];
}

/** The parameters of one direction of one layer, cut out of the matrix of all; matrices lie row by row. */
interface CellParameters {
  /** [inputs x networks·hidden], to be used transposed. */
  readonly input: NetworkNode;
  /** [hidden x networks·hidden], to be used transposed. */
  readonly recurrent: NetworkNode;
  readonly inputBias: NetworkNode;
  readonly recurrentBias: NetworkNode;
}

/**
 * The stack written out: layer by layer, in each the directions one above the other. In the matrix of parameters come, for
 * every layer and direction, the networks' input matrices and then their recurrent ones; behind all of them in the same
 * order the biases of input and recurrence (cuDNN's cudnnGetRNNLinLayerMatrixParams).
 */
function expandStack({ node, attributes, build }: CompanionContext<StackAttributes>): NetworkNode {
  const [weights, data] = [at(node.inputs, 0), at(node.inputs, 1)];
  if (attributes.axis !== -1) {
    throw shapeProblem(
      node,
      "not-available",
      "OptimizedRNNStack with axis=2 is not available yet",
      "axis = -1 is",
    );
  }
  const { hiddenDims: hidden, numLayers, bidirectional, recurrentOp } = attributes;
  const directions = bidirectional ? [1, -1] : [1];
  const height = (networksOfCell[recurrentOp] ?? 1) * hidden;
  const total = elementCount(build.facts(weights).shape);
  const flat = reshaped(build, weights, [total]);
  let next = 0;
  const cut = (shape: readonly number[]): NetworkNode => {
    const begin = next;
    next += elementCount(shape);
    return reshaped(build, cutOut(build, flat, begin, next), shape);
  };
  const cells = Array.from({ length: numLayers }, (_, layer) => {
    const inputs = layer === 0 ? elementCount(build.facts(data).shape) : directions.length * hidden;
    return directions.map(() => ({ input: cut([inputs, height]), recurrent: cut([hidden, height]) }));
  });
  const complete = cells.map((layer) =>
    layer.map((cell) => ({ ...cell, inputBias: cut([height]), recurrentBias: cut([height]) })),
  );
  return complete.reduce((x, layer) => {
    const outputs = layer.map((cell, index) =>
      unroll(build, recurrentOp, cell, x, hidden, directions[index] ?? 1),
    );
    return outputs.length === 1 ? at(outputs, 0) : build.applyNamed("RowStack", outputs, { axis: 1 });
  }, data);
}

/** One direction of one layer as a recurrence over the sequence; states are 0 before its beginning. */
function unroll(
  build: GraphBuilder,
  recurrentOp: string,
  cell: CellParameters,
  x: NetworkNode,
  hidden: number,
  direction: number,
): NetworkNode {
  const apply = (operation: string, ...inputs: NetworkNode[]): NetworkNode =>
    build.applyNamed(operation, inputs);
  const part = (value: NetworkNode, index: number): NetworkNode =>
    cutOut(build, value, index * hidden, (index + 1) * hidden);
  const projected = apply("Plus", apply("TransposeTimes", cell.input, x), cell.inputBias);
  const like = part(projected, 0);
  const delayed = (name: string): { now: NetworkNode; before: NetworkNode } => {
    const now = build.later(name, like);
    const attributes = { shape: [hidden], timeStep: 1, defaultHiddenActivation: 0 };
    const before = build.applyNamed(direction > 0 ? "PastValue" : "FutureValue", [now], attributes);
    return { now, before };
  };
  const h = delayed("h");
  const recurrent = apply("Plus", apply("TransposeTimes", cell.recurrent, h.before), cell.recurrentBias);
  const gate = (index: number): NetworkNode =>
    apply("Sigmoid", apply("Plus", part(projected, index), part(recurrent, index)));
  const output = ((): NetworkNode => {
    switch (recurrentOp) {
      case "lstm": {
        // Gates: input, forget, new cell, output.
        const c = delayed("c");
        const candidate = apply("Tanh", apply("Plus", part(projected, 2), part(recurrent, 2)));
        const kept = apply("ElementTimes", gate(1), c.before);
        const cellState = apply("Plus", kept, apply("ElementTimes", gate(0), candidate));
        build.attach(c.now, cellState);
        return apply("ElementTimes", gate(3), apply("Tanh", cellState));
      }
      case "gru": {
        // Gates: reset, update, candidate. h = h' + update·(h(t−1) − h')
        const reset = apply("ElementTimes", gate(0), part(recurrent, 2));
        const candidate = apply("Tanh", apply("Plus", part(projected, 2), reset));
        const change = apply("ElementTimes", gate(1), apply("Minus", h.before, candidate));
        return apply("Plus", candidate, change);
      }
      default: {
        const sum = apply("Plus", projected, recurrent);
        return apply(recurrentOp === "rnnTanh" ? "Tanh" : "RectifiedLinear", sum);
      }
    }
  })();
  build.attach(h.now, output);
  return output;
}

const oldRecurrentNames: Readonly<Record<string, string>> = {
  LSTM: "lstm",
  GRU: "gru",
  RNN_RELU: "rnnReLU",
  RNN_TANH: "rnnTanh",
};

const storedStack: StoredLayout = {
  fields: [
    field("bidirectional", "unsigned8", { otherwise: 0 }),
    field("numLayers", "unsigned8", { otherwise: 1 }),
    field("hiddenDims", "unsigned8"),
    field("recurrentOp", "wideText", { otherwise: "lstm" }),
    axisField("axis", { since: 14, otherwise: -1 }),
  ],
  upgrade(old, version) {
    const { recurrentOp: name } = old;
    if (version >= 14 || typeof name !== "string") return old;
    return { ...old, recurrentOp: oldRecurrentNames[name] ?? name };
  },
  downgrade(today, version) {
    if (version >= 14) return today;
    const old = Object.keys(oldRecurrentNames).find(
      (name) => oldRecurrentNames[name] === today["recurrentOp"],
    );
    return old === undefined ? today : { ...today, recurrentOp: old };
  },
  downgradeInputs(inputs, version) {
    const [first, second, ...rest] = inputs;
    const isOther = version < 14 && first !== undefined && second !== undefined;
    return isOther ? [second, first, ...rest] : inputs;
  },
  upgradeInputs(inputs, version) {
    const [first, second, ...rest] = inputs.map((name) => ({ name }));
    return first && second && version < 14 ? [second, first, ...rest] : inputs.map((name) => ({ name }));
  },
  attributes: (plain, { bidirectional }) => ({
    ...plain,
    bidirectional: bidirectional === 0 || bidirectional === 1 ? bidirectional === 1 : bidirectional,
  }),
  toFields: ({ bidirectional }) => ({
    bidirectional: typeof bidirectional === "boolean" ? Number(bidirectional) : (bidirectional ?? 0),
  }),
};

const optimizedRnnStack = defineOp({
  name: "OptimizedRNNStack",
  aliases: ["RNN"],
  doc: "A stack of recurrent layers computed by the engine of the graphics card; CNTK has it there only.",
  source: "Source/ComputationNetworkLib/RNNNodes.cpp",
  inputs: [
    { name: "W", doc: "All parameters in one matrix; its size is inferred." },
    { name: "x", doc: "A vector per frame; for axis = 2 a matrix." },
  ],
  attributes: declarations,
  stored: storedStack,
  differentiable: "yes",
  memory: { usesOutput: false, usesInputs: "first", forwardTemporaries: 5, backwardTemporaries: 2 },
  shape(context) {
    const { node, attributes, isFinalPass } = context;
    const dynamicAxis = inferDynamicAxis(context);
    const [weights, data] = [at(context.inputs, 0), at(context.inputs, 1)];
    const cell = attributes.recurrentOp;
    if (!Object.hasOwn(networksOfCell, cell)) {
      throw shapeProblem(
        node,
        "unknown-cell",
        `Unknown cell type '${cell}'. Supported values are 'lstm', 'gru', 'rnnReLU', 'rnnTanh'.`,
      );
    }
    const axis = attributes.axis;
    if (axis !== -1 && axis !== 2) {
      throw shapeProblem(
        node,
        "no-such-axis",
        `OptimizedRNNStack: invalid 'axis' parameter ${axis}, currently supported values are -1 and 2.`,
      );
    }
    if (isFinalPass && data.shape.length !== (axis >= 0 ? 2 : 1)) {
      throw shapeProblem(
        node,
        "shape-mismatch",
        `${describe(node)}: Input [${formatDims(data.shape)}] must have rank 1 for axis=-1 and rank 2 for axis=2.`,
      );
    }
    if (isFinalPass && !dynamicAxis) {
      throw shapeProblem(
        node,
        "no-minibatch-data",
        `${describe(node)}: Input [${formatDims(data.shape)}] must operate on minibatches.`,
      );
    }
    if (weights.shape.length === 0 || data.shape.length === 0)
      return { shape: [], dynamicAxis, storage: "dense" };
    if (weights.shape.length === 2) {
      context.inferParameter(0, stackParameters(attributes, elementCount(data.shape)));
    }
    const directions = attributes.bidirectional ? 2 : 1;
    const first = directions * attributes.hiddenDims;
    return { shape: [first, ...data.shape.slice(1)], dynamicAxis, storage: "dense" };
  },
  expand: expandStack,
});

export const rnnStackOperations: readonly OpDefinition[] = [optimizedRnnStack];
