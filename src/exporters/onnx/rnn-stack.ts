import { elementCount, type NetworkNode } from "../../network/network.js";
import { inElementType, type Values } from "../../numerics/values.js";
import { type Emission, noCounterpart } from "./emission.js";
import { integer, integers, type OnnxAttribute, text, texts } from "./graph.js";
import type { OperationRules } from "./rules.js";

/** A kind of cell as ONNX has it. */
interface Cell {
  readonly operation: "LSTM" | "GRU" | "RNN";
  /** Which of the cell's networks comes at each place of ONNX's order. */
  readonly order: readonly number[];
  readonly activation?: string;
}

/**
 * LSTM: input, forget, candidate, output are input, output, forget, candidate in ONNX. GRU: reset, update, candidate are update,
 * reset, candidate.
 */
const cells: Readonly<Record<string, Cell>> = {
  lstm: { operation: "LSTM", order: [0, 3, 1, 2] },
  gru: { operation: "GRU", order: [1, 0, 2] },
  rnnTanh: { operation: "RNN", order: [0], activation: "Tanh" },
  rnnReLU: { operation: "RNN", order: [0], activation: "Relu" },
};

/** Stacks of recurrent layers: one operation of ONNX for each layer, which knows both directions. */
export const stackRules: OperationRules = { OptimizedRNNStack: stack };

interface StackSizes {
  readonly networks: number;
  readonly hidden: number;
  readonly directions: number;
  /** Elements of what each layer reads. */
  readonly inputs: readonly number[];
}

function stack(node: NetworkNode, emission: Emission): string {
  const [weights, x] = [emission.input(node, 0), emission.input(node, 1)];
  const { axis, recurrentOp, hiddenDims, numLayers, bidirectional } = emission.facts(node).attributes;
  const cell = cells[String(recurrentOp)];
  const packed = emission.values.get(weights);
  if (!cell || Number(axis) !== -1) throw noCounterpart(node, "along an axis of the samples");
  if (!packed) throw noCounterpart(node, "with computed parameters");
  if (emission.leads(x) !== 2) throw noCounterpart(node, "inside of a loop");
  const hidden = Number(hiddenDims);
  const directions = bidirectional === true ? 2 : 1;
  const inputs = Array.from({ length: Number(numLayers) }, (_, layer) =>
    layer === 0 ? elementCount(emission.shape(x)) : directions * hidden,
  );
  const learningRateMultiplier = Number(weights.attributes["learningRateMultiplier"] ?? 0);
  const sizes = { networks: cell.order.length, hidden, directions, inputs };
  return layerParameters(inElementType(packed, emission.elementType), sizes, cell.order).reduce(
    (tensor, parameters, layer) => {
      const isLast = layer === inputs.length - 1;
      const name = isLast ? node.name : `${node.name}/layer_${layer + 1}`;
      return emitLayer(emission, cell, sizes, { ...parameters, learningRateMultiplier }, tensor, name);
    },
    emission.tensor(x),
  );
}

/** [T, N, inputs] to [T, N, directions·hidden]; ONNX gives [T, directions, N, hidden]. */
function emitLayer(
  emission: Emission,
  { operation, activation }: Cell,
  { hidden, directions }: StackSizes,
  parameters: LayerParameters & { readonly learningRateMultiplier: number },
  x: string,
  name: string,
): string {
  const matrix = (suffix: string, values: Values): string => {
    const rows = values.length / directions;
    const dims = suffix === "B" ? [directions, rows] : [directions, parameters.rows, rows / parameters.rows];
    const { learningRateMultiplier } = parameters;
    return emission.graph.constant(`${name}/${suffix}`, { dims, values, learningRateMultiplier });
  };
  const attributes: Record<string, OnnxAttribute> = {
    hidden_size: integer(hidden),
    ...(directions === 2 && { direction: text("bidirectional") }),
    ...(activation !== undefined && { activations: texts(new Array<string>(directions).fill(activation)) }),
    // The reset gate acts on the product, bias included.
    ...(operation === "GRU" && { linear_before_reset: integer(1) }),
  };
  const operands = [
    x,
    matrix("W", parameters.input),
    matrix("R", parameters.recurrent),
    matrix("B", parameters.bias),
  ];
  const states = emission.add(operation, operands, `${name}/states`, attributes);
  if (directions === 1)
    return emission.add("Squeeze", [states, emission.graph.numbers(`${name}/axis`, [1])], name);
  const order = integers([0, 2, 1, 3]);
  const turned = emission.add("Transpose", [states], `${name}/directions`, { perm: order });
  return emission.reshape(turned, [directions * hidden], 2, name);
}

/** Of all directions of a layer, one after the other, networks in ONNX's order. */
interface LayerParameters {
  /** Rows of the matrices of one direction: networks times cells. */
  readonly rows: number;
  readonly input: Values;
  readonly recurrent: Values;
  /** Of input and recurrence. */
  readonly bias: Values;
}

/**
 * The parameters of each layer out of the one that holds all: for every layer and direction the networks' input matrices, row by
 * row, and their recurrent ones; behind all of them in the same order the biases (cuDNN's cudnnGetRNNLinLayerMatrixParams).
 */
function layerParameters(
  packed: Values,
  { networks, hidden, directions, inputs }: StackSizes,
  order: readonly number[],
): LayerParameters[] {
  let next = 0;
  /** The next so many numbers of each network of a cell, in ONNX's order. */
  const take = (each: number): Values => {
    const begin = next;
    next += each * networks;
    return joined(
      packed,
      order.map((network) => packed.subarray(begin + network * each, begin + (network + 1) * each)),
    );
  };
  const all = Array.from({ length: directions }, (_, direction) => direction);
  const matrices = inputs.map((width) =>
    all.map(() => ({ input: take(width * hidden), recurrent: take(hidden * hidden) })),
  );
  const biases = inputs.map(() => all.map(() => joined(packed, [take(hidden), take(hidden)])));
  return matrices.map((layer, index) => ({
    rows: networks * hidden,
    input: joined(
      packed,
      layer.map(({ input }) => input),
    ),
    recurrent: joined(
      packed,
      layer.map(({ recurrent }) => recurrent),
    ),
    bias: joined(packed, biases[index] ?? []),
  }));
}

/** Arrays of the type of another one, put together. */
function joined(like: Values, parts: readonly Values[]): Values {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const result = like instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
