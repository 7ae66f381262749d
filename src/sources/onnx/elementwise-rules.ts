import {
  type ImportRule,
  type ImportRules,
  type NodeValue,
  type OperationImport,
  stretchedDims,
} from "./graph-import.js";

const unary =
  (name: string): ImportRule =>
  (operation) => {
    const x = operation.operand(0);
    return operation.add(name, [x], x.dims);
  };

/** Operands as CNTK lines them up: axes of one element that a constant has in place of samples are left out. */
function operands(operation: OperationImport): NodeValue[] {
  const all = operation.source.inputs.map((_, index) => operation.operand(index));
  const samples = all.filter(({ leads }) => leads > 0);
  if (samples.length === 0) return all;
  const rank = Math.max(...samples.map(({ dims }) => dims.length));
  return all.map((operand) => {
    const more = operand.dims.length - rank;
    if (operand.leads > 0 || more <= 0) {
      // The axis of samples is lined up with one of the other operand.
      if (operand.leads > 0 && operand.dims.length < rank)
        throw operation.problem("its operands have different numbers of axes");
      return operand;
    }
    if (operand.dims.slice(0, more).some((dim) => dim !== 1))
      throw operation.problem("a constant has other values for each sample");
    return operation.reshape(operand, operand.dims.slice(more), `${operand.node.name}/of_one_sample`);
  });
}

const binary =
  (name: string): ImportRule =>
  (operation) => {
    const inputs = operands(operation);
    return operation.add(name, inputs, stretchedDims(inputs));
  };

/** The larger or smaller of several: a choice by comparison. */
const extremum =
  (comparison: string): ImportRule =>
  (operation) => {
    const [first, ...others] = operands(operation);
    if (!first) throw operation.problem("it has no inputs");
    return others.reduce((best, other, index) => {
      const dims = stretchedDims([best, other]);
      const name = index === others.length - 1 ? operation.name : `${operation.name}/of_${index + 2}`;
      const flag = operation.add(comparison, [best, other], dims, {}, `${name}/chosen`);
      return operation.add("If", [flag, best, other], dims, {}, name);
    }, first);
  };

/** All elements of a sample are one distribution in CNTK. */
const distribution =
  (name: string): ImportRule =>
  (operation) => {
    const x = operation.operand(0);
    const axis = operation.number("axis", -1);
    const place = axis < 0 ? x.leads + x.dims.length + axis : axis;
    if (x.dims.slice(0, Math.max(place - x.leads, 0)).some((dim) => dim !== 1) || place < x.leads)
      throw operation.problem("it goes along one of several axes of a sample");
    if (x.dims.slice(place - x.leads + 1).some((dim) => dim !== 1))
      throw operation.problem("it goes along an inner axis");
    return operation.add(name, [x], x.dims);
  };

export const elementwiseRules: ImportRules = {
  Abs: unary("Abs"),
  Cos: unary("Cosine"),
  Exp: unary("Exp"),
  Floor: unary("Floor"),
  Log: unary("Log"),
  Neg: unary("Negate"),
  Reciprocal: unary("Reciprocal"),
  Relu: unary("RectifiedLinear"),
  Sigmoid: unary("Sigmoid"),
  Sin: unary("Sin"),
  Sqrt: unary("Sqrt"),
  Tanh: unary("Tanh"),
  Dropout: unary("Dropout"),
  Add: binary("Plus"),
  Sub: binary("Minus"),
  Mul: binary("ElementTimes"),
  Div(operation) {
    const [x, y] = operands(operation);
    if (!x || !y) throw operation.problem("it has not two inputs");
    const inverse = operation.add("Reciprocal", [y], y.dims, {}, `${operation.name}/inverse`);
    return operation.add("ElementTimes", [x, inverse], stretchedDims([x, y]));
  },
  Equal: binary("Equal"),
  Greater: binary("Greater"),
  GreaterOrEqual: binary("GreaterEqual"),
  Less: binary("Less"),
  LessOrEqual: binary("LessEqual"),
  Max: extremum("Greater"),
  Min: extremum("Less"),
  /** Flags are numbers in CNTK, 0 and 1. */
  Not(operation) {
    const x = operation.operand(0);
    return operation.add("Equal", [x, operation.scalar(0, `${operation.name}/false`)], x.dims);
  },
  Cast: (operation) => operation.value(0),
  Identity: (operation) => operation.value(0),
  Where(operation) {
    const inputs = operands(operation);
    return operation.add("If", inputs, stretchedDims(inputs));
  },
  Clip(operation) {
    const x = operation.operand(0);
    const bound = (index: number, otherwise: number): NodeValue =>
      operation.has(index)
        ? operation.operand(index)
        : operation.scalar(otherwise, `${operation.name}/bound_${index}`);
    const largest = 3.4028234663852886e38;
    return operation.add("Clip", [bound(1, -largest), bound(2, largest), x], x.dims);
  },
  Sum(operation) {
    const [first, ...others] = operands(operation);
    if (!first) throw operation.problem("it has no inputs");
    return others.reduce((sum, other, index) => {
      const name = index === others.length - 1 ? operation.name : `${operation.name}/of_${index + 2}`;
      return operation.add("Plus", [sum, other], stretchedDims([sum, other]), {}, name);
    }, first);
  },
  Softmax: distribution("Softmax"),
  LogSoftmax: distribution("LogSoftmax"),
  Hardmax: distribution("Hardmax"),
  ArgMax(operation) {
    const x = operation.operand(0);
    const axis = operation.axis(operation.number("axis", 0), x);
    if (axis !== 1 || x.dims.length !== 1) throw operation.problem("it goes along one of several axes");
    const best = operation.add("ReduceElements", [x], [1], {
      reductionOp: "Argmax",
      axis: 1,
      keepDimensions: true,
    });
    return operation.number("keepdims", 1) === 1
      ? best
      : operation.reshape(best, [], `${operation.name}/scalar`);
  },
  Constant(operation) {
    const tensor = operation.tensor("value");
    const single = operation.number("value_float", operation.number("value_int", NaN));
    const constant = tensor ?? { dims: [], values: Float32Array.of(single), multiplier: 0 };
    return { kind: "constant", name: operation.name, leads: 0, ...constant };
  },
};
