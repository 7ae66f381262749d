import { elementCount, type NetworkNode } from "../../network/network.js";
import { elementTypes } from "./schema.js";
import { type Emission, reversed } from "./emission.js";
import { integer } from "./graph.js";
import type { OperationRules } from "./rules.js";

const unary = (operation: string) => (node: NetworkNode, emission: Emission) =>
  emission.add(operation, [emission.tensor(emission.input(node, 0))], node.name);

/** The inputs of an elementwise operation, lined up. */
function operands(node: NetworkNode, emission: Emission): string[] {
  const rank = Math.max(...node.inputs.map((input) => emission.shape(input).length));
  return node.inputs.map((input) => emission.broadcast(input, rank));
}

const binary = (operation: string) => (node: NetworkNode, emission: Emission) =>
  emission.add(operation, operands(node, emission), node.name);

/** Comparisons give 0 and 1. */
const comparison =
  (operation: string, isNegated = false) =>
  (node: NetworkNode, emission: Emission): string => {
    const { elementType } = emission;
    const compared = emission.add(operation, operands(node, emission), `${node.name}/compared`);
    const flags = isNegated ? emission.add("Not", [compared], `${node.name}/not`) : compared;
    return emission.add("Cast", [flags], node.name, { to: integer(elementTypes[elementType]) });
  };

/** Elementwise operations of ONNX. */
export const elementwiseRules: OperationRules = {
  Abs: unary("Abs"),
  Cosine: unary("Cos"),
  Sin: unary("Sin"),
  Exp: unary("Exp"),
  Floor: unary("Floor"),
  Log: (node, emission) => clippedLog(emission, emission.tensor(emission.input(node, 0)), node.name),
  Negate: unary("Neg"),
  Pass: unary("Identity"),
  Trace: unary("Identity"),
  LabelsToGraph: unary("Identity"),
  // What is dropped in training is whole otherwise.
  Dropout: unary("Identity"),
  /** 0 at 0. */
  Reciprocal(node, emission) {
    const x = emission.tensor(emission.input(node, 0));
    const zero = emission.scalar(`${node.name}/zero`, 0);
    const isZero = emission.add("Equal", [x, zero], `${node.name}/is_zero`);
    const inverse = emission.add("Reciprocal", [x], `${node.name}/inverse`);
    return emission.add("Where", [isZero, zero, inverse], node.name);
  },
  RectifiedLinear: unary("Relu"),
  Sigmoid: unary("Sigmoid"),
  StableSigmoid: unary("Sigmoid"),
  /** What is negative counts as 0. */
  Sqrt(node, emission) {
    const x = emission.add("Relu", [emission.tensor(emission.input(node, 0))], `${node.name}/not_negative`);
    return emission.add("Sqrt", [x], node.name);
  },
  Tanh: unary("Tanh"),
  Plus: binary("Add"),
  Minus: binary("Sub"),
  ElementTimes: binary("Mul"),
  Less: comparison("Less"),
  Equal: comparison("Equal"),
  Greater: comparison("Greater"),
  GreaterEqual: comparison("Less", true),
  LessEqual: comparison("Greater", true),
  NotEqual: comparison("Equal", true),
  If(node, emission) {
    const [flag = "", yes = "", no = ""] = operands(node, emission);
    const isSet = emission.add("Cast", [flag], `${node.name}/flag`, { to: integer(elementTypes.bool) });
    return emission.add("Where", [isSet, yes, no], node.name);
  },
  Clip(node, emission) {
    const [least = "", most = "", x = ""] = operands(node, emission);
    const above = emission.add("Max", [x, least], `${node.name}/above`);
    return emission.add("Min", [above, most], node.name);
  },
  /** log(eᵃ + eᵇ) = max + log(1 + e^-|a-b|), which does not overflow. */
  LogPlus(node, emission) {
    const [a = "", b = ""] = operands(node, emission);
    const { name } = node;
    const larger = emission.add("Max", [a, b], `${name}/larger`);
    const difference = emission.add(
      "Abs",
      [emission.add("Sub", [a, b], `${name}/minus`)],
      `${name}/distance`,
    );
    const small = emission.add(
      "Exp",
      [emission.add("Neg", [difference], `${name}/negative`)],
      `${name}/small`,
    );
    const sum = emission.add("Add", [small, emission.scalar(`${name}/one`, 1)], `${name}/sum`);
    return emission.add("Add", [larger, emission.add("Log", [sum], `${name}/log`)], name);
  },
  PerDimMeanVarNormalization(node, emission) {
    const [x = "", mean = "", inverse = ""] = operands(node, emission);
    return emission.add("Mul", [emission.add("Sub", [x, mean], `${node.name}/centered`), inverse], node.name);
  },
  PerDimMeanVarDeNormalization(node, emission) {
    const [x = "", mean = "", inverse = ""] = operands(node, emission);
    return emission.add("Add", [emission.add("Div", [x, inverse], `${node.name}/scaled`), mean], node.name);
  },
  Softmax: distribution("Softmax"),
  LogSoftmax: distribution("LogSoftmax"),
  /** ONNX's own Hardmax is for float only: 1 where the place is that of the first maximum. */
  Hardmax(node, emission) {
    const x = emission.input(node, 0);
    const { name } = node;
    const shape = emission.shape(x);
    const leads = emission.leads(x);
    const row = emission.reshape(emission.tensor(x), [-1], leads, `${name}/row`);
    const best = emission.add("ArgMax", [row], `${name}/best`, { axis: integer(-1), keepdims: integer(1) });
    const count = elementCount(shape);
    const places = emission.graph.numbers(
      `${name}/places`,
      Array.from({ length: count }, (_, place) => place),
    );
    const isBest = emission.add("Equal", [best, places], `${name}/is_best`);
    const to = integer(elementTypes[emission.elementType]);
    const flags = emission.add("Cast", [isBest], `${name}/flags`, { to });
    return emission.reshape(flags, reversed(shape), leads, name);
  },
};

/** CNTK's logarithm of whatever is small, zero or negative. */
const logarithmOfSmallest = -85.1;

/** ln x, but not below a least value: that of e^-85.1, where CNTK has it for x below 1e-37, which is next to it. */
export function clippedLog(emission: Emission, x: string, name: string): string {
  const least = emission.scalar(`${name}/least`, Math.exp(logarithmOfSmallest));
  return emission.add("Log", [emission.add("Max", [x, least], `${name}/clipped`)], name);
}

/** All elements of a sample are one distribution: they are laid in a row for ONNX. */
function distribution(operation: string) {
  return (node: NetworkNode, emission: Emission): string => {
    const x = emission.input(node, 0);
    const shape = emission.shape(x);
    const tensor = emission.tensor(x);
    const axis = integer(-1);
    if (shape.length === 1) return emission.add(operation, [tensor], node.name, { axis });
    const leads = emission.leads(x);
    const row = emission.reshape(tensor, [-1], leads, `${node.name}/row`);
    const result = emission.add(operation, [row], `${node.name}/${operation}`, { axis });
    return emission.reshape(result, reversed(shape), leads, node.name);
  };
}
