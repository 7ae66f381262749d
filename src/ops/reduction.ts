import type { AttributesOf } from "../network/attributes.js";
import type { NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type {
  GradientContext,
  LoweringContext,
  MemoryRule,
  OpDefinition,
  ReduceOperation,
  ShapeContext,
  ShapeResult,
} from "../network/op-definition.js";
import { field, type StoredLayout } from "../network/stored-fields.js";
import {
  argument,
  binary,
  constant,
  divide,
  multiply,
  select,
  subtract,
  unary,
  plainSquareRoot,
} from "../primitives/expression.js";
import type { Expression } from "../primitives/expression.js";
import type { Operand } from "../primitives/instruction.js";
import {
  at,
  defineOp,
  describe,
  describeShort,
  formatDims,
  memoryAll,
  memoryInputs,
  memoryNone,
  shapeProblem,
} from "./define-op.js";
import { counted, emitMap, emitReduceAll, mapped, withDims } from "./lowering.js";
import { inferDynamicAxis, refusedView, scalarShape, unaryReduce } from "./shape-rules.js";
import { axisField } from "./stored-parts.js";
import { refusesInputs, takesSparse } from "./sparse-data.js";

const reshapingNodes = "Source/ComputationNetworkLib/ReshapingNodes.cpp";

/** Special values of `axis`. */
const allStaticAxes = 0;
const allAxes = -1;
const sequenceAxis = -2;
const batchAxis = -3;

const operationNames: Readonly<Record<string, ReduceOperation>> = {
  Plus: "sum",
  Sum: "sum",
  Mean: "sum",
  LogSum: "logSum",
  Max: "max",
  Min: "min",
  Prod: "product",
  Argmax: "argmax",
  Argmin: "argmin",
};

const declarations = {
  reductionOp: {
    kind: "string",
    doc: "Sum (Plus), Mean, LogSum, Max, Min, Prod, Argmax or Argmin.",
  },
  axis: {
    kind: "integer",
    doc: "1 and up: that axis; 0: all; −1: all and the samples; −2: the frames of each sequence; −3: the samples only.",
  },
  keepDimensions: {
    kind: "boolean",
    doc: "Whether the reduced axes stay as 1; model files keep it.",
    computed: true,
  },
} as const;

type ReductionAttributes = AttributesOf<typeof declarations>;

function reductionOperation(node: NetworkNode, { reductionOp: name }: ReductionAttributes): ReduceOperation {
  const operation = Object.hasOwn(operationNames, name) ? operationNames[name] : undefined;
  if (operation) return operation;
  throw shapeProblem(
    node,
    "unknown-reduction",
    `Invalid operation code '${name}'. Allowed are: 'Sum', 'Max', 'Min', 'Prod', 'Argmax', 'Argmin'.`,
    `besides these: 'Mean', 'LogSum'`,
  );
}

/** Shape of the result along an axis: 1 where it is reduced, aligned with the input. */
function keptShape(axis: number, input: SampleShape): SampleShape {
  if (axis === batchAxis) return input;
  if (axis <= 0) return input.map(() => 1);
  return input.map((dim, i) => (i === axis - 1 ? 1 : dim));
}

function reduceShape(context: ShapeContext<ReductionAttributes>): ShapeResult {
  const { node, attributes } = context;
  reductionOperation(node, attributes);
  const { axis } = attributes;
  const dynamicAxis = inferDynamicAxis(context);
  const input = at(context.inputs, 0).shape;
  // Model files keep this flag: whether the reduced axes stay as 1.
  const keepDimensions = axis !== allStaticAxes && axis !== allAxes;
  const completed = { ...attributes, keepDimensions };
  switch (axis) {
    case allAxes:
      return { shape: scalarShape, dynamicAxis: null, attributes: completed };
    case allStaticAxes:
      return { shape: scalarShape, dynamicAxis, attributes: completed };
    case batchAxis:
      if (context.isFinalPass && !dynamicAxis) {
        throw shapeProblem(
          node,
          "no-minibatch-data",
          `${describeShort(node)} can perform batch axis reduction only on minibatch data (which have a layout).`,
        );
      }
      return { shape: input, dynamicAxis: null, attributes: completed };
    case sequenceAxis:
      return { ...sequenceReduction(context), attributes: completed };
    default:
      if ((axis < 1 || axis > input.length) && context.isFinalPass) {
        throw shapeProblem(
          node,
          "no-such-axis",
          `The shape of ${describe(node)} [${formatDims(input)}] has no axis ${axis}`,
          `axes are numbered from 1 to ${input.length}; 0 stands for all of them`,
        );
      }
      return { shape: keptShape(axis, input), dynamicAxis, attributes: completed };
  }
}

/** The sum over each sequence, on a dynamic axis of its own with one step; only sums can be had (ReduceElementsNode::Validate). */
function sequenceReduction(context: ShapeContext<ReductionAttributes>): ShapeResult {
  const { node, attributes, isFinalPass } = context;
  const input = at(context.inputs, 0);
  if (reductionOperation(node, attributes) !== "sum" || attributes.reductionOp === "Mean") {
    throw shapeProblem(
      node,
      "reduction-over-sequence",
      `${describeShort(node)} can perform sequence axis reduction only for the 'sum' reduction operation, specified operation ${attributes.reductionOp}.`,
    );
  }
  if (isFinalPass && !input.dynamicAxis) {
    throw shapeProblem(
      node,
      "no-minibatch-data",
      `${describeShort(node)} can perform sequence axis reduction only on minibatch data (which have a layout).`,
    );
  }
  return { shape: input.shape, dynamicAxis: context.newDynamicAxis("__noSequenceAxis") };
}

/** Elements per result that Mean divides by; the samples are left out. */
function reducedCount(axis: number, input: SampleShape): number {
  if (axis === batchAxis) return 1;
  return axis <= 0 ? elementCount(input) : at(input, axis - 1);
}

const reducesSamples = (axis: number): boolean => axis === allAxes || axis === batchAxis;

function lowerReduction(context: LoweringContext<ReductionAttributes>): void {
  const { node, attributes } = context;
  const { axis } = attributes;
  const input = at(context.inputs, 0);
  const isMean = attributes.reductionOp === "Mean";
  const scale = isMean ? 1 / reducedCount(axis, input.dims) : 1;
  const dims = keptShape(axis, input.dims);
  const operation = reductionOperation(node, attributes);
  if ((operation === "argmax" || operation === "argmin") && (axis === allAxes || axis === batchAxis)) {
    throw shapeProblem(
      node,
      "unknown-reduction",
      "ReduceElementsNode::NeutralValue: Invalid operation code; allowed are: 'opSum', 'opMax', 'opMin', " +
        "'opElementwiseProduct', 'opLogSum'.",
      "the place of an extremum can be found within samples only: axis 0, or one of their axes",
    );
  }
  const reduce = (output: Operand): void => {
    context.emit("reduce", [input], withDims(output, dims), { operation, scale, gaps: "skipped" });
  };
  if (axis === sequenceAxis) {
    context.emit("sumSequence", [input], context.output, {});
    return;
  }
  if (isMean && reducesSamples(axis) && input.axis !== null) {
    const sum = context.temporary(context.output.dims, null);
    reduce(sum);
    emitMap(context, divide(argument(0), argument(1)), [sum, counted(context, input, "samples")]);
    return;
  }
  if (operation === "argmax" && elementCount(dims) === 1) {
    lowerPlaceOfMaximum(context, dims);
    return;
  }
  reduce(context.output);
}

/** The smallest number that is not denormal: where CNTK, looking for the maximum of a whole matrix, begins. */
const smallestNormal = 2 ** -1022;

/**
 * One number in all is the place in the whole matrix (CPUMatrixImpl.h, TensorArgOp), which CNTK searches for something larger than
 * the smallest positive number: −1 where nothing is.
 */
function lowerPlaceOfMaximum(context: LoweringContext<ReductionAttributes>, dims: readonly number[]): void {
  const input = at(context.inputs, 0);
  const { axis } = context.output;
  const reduced = (operation: ReduceOperation): Operand => {
    const result = context.temporary(context.output.dims, axis);
    context.emit("reduce", [input], withDims(result, dims), { operation, scale: 1, gaps: "skipped" });
    return result;
  };
  const [place, largest] = [reduced("argmax"), reduced("max")];
  const found = binary("greater", argument(1), constant(smallestNormal));
  if (axis === null) {
    emitMap(context, select(found, argument(0), constant(-1)), [place, largest]);
    return;
  }
  const isOne = binary("equal", argument(2), constant(1));
  const expression = select(found, argument(0), select(isOne, constant(-1), argument(0)));
  emitMap(context, expression, [place, largest, counted(context, input, "columns")]);
}

/** Gradients as expressions of 0 = g, 1 = input, 2 = output, all broadcast; after ReduceElementsNode::BackpropTo. */
function reductionGradient(operation: ReduceOperation): Expression | undefined {
  const [g, x, y] = [argument(0), argument(1), argument(2)];
  switch (operation) {
    case "sum":
      return g;
    case "logSum":
      return multiply(g, unary("exponential", subtract(x, y)));
    case "max":
    case "min":
      return select(binary("equal", x, y), g, constant(0));
    case "product":
      return multiply(multiply(g, y), unary("reciprocal", x));
    case "argmax":
    case "argmin":
      return undefined;
    default:
      return operation satisfies never;
  }
}

function gradientOfReduction(context: GradientContext<ReductionAttributes>): readonly (NetworkNode | null)[] {
  const { node, attributes, inputs, outputGradient, build } = context;
  const x = at(inputs, 0);
  const shape = build.facts(x).shape;
  const { axis } = attributes;
  if (axis === sequenceAxis) {
    const { dynamicAxis } = build.facts(x);
    return [build.primitive("spreadSequence", [outputGradient, x], {}, { shape, dynamicAxis })];
  }
  const expression = reductionGradient(reductionOperation(node, attributes));
  if (!expression) return [null];
  const kept = keptShape(axis, shape);
  const aligned = (value: NetworkNode): NetworkNode =>
    axis > 0 || axis === batchAxis ? value : build.reshape(value, kept);
  if (expression.kind !== "argument") {
    return [build.map(expression, [aligned(outputGradient), x, aligned(node)])];
  }
  // Sum and Mean: the gradient is spread over the input, whose values only lend their shape and samples.
  const shares: Expression[] = [];
  const operands = [aligned(outputGradient)];
  if (attributes.reductionOp === "Mean") {
    shares.push(constant(1 / reducedCount(axis, shape)));
    if (reducesSamples(axis) && build.facts(x).dynamicAxis) {
      shares.push(divide(constant(1), argument(1)));
      operands.push(build.count(x, "samples"));
    }
  }
  const scaled = shares.reduce<Expression>((product, share) => multiply(share, product), argument(0));
  return [build.map(scaled, operands)];
}

function reductionMemory({ reductionOp: name }: ReductionAttributes): MemoryRule {
  const reads = name === "LogSum" || name === "Max" || name === "Min" || name === "Prod";
  return {
    ...(reads ? memoryAll : memoryNone),
    forwardTemporaries: [
      { size: 1, scaled: "output" },
      { size: "output", scaled: "output" },
    ],
    backwardTemporaries: [{ size: 1, scaled: "input" }],
    releasedForward: true,
  };
}

const storedReduction: StoredLayout = {
  fields: [
    axisField("axis", { otherwise: 0 }),
    field("reductionOp", "wideText"),
    field("keepDimensions", "boolean", {
      since: 24,
      derived: ({ axis }) => axis !== 0 && axis !== -1,
    }),
  ],
  upgrade: (old, version) =>
    version >= 24 ? old : { ...old, keepDimensions: old["axis"] !== 0 && old["axis"] !== -1 },
};

const reduceElements = defineOp({
  name: "ReduceElements",
  doc: "Sum, mean, extremum, … along one axis, over all axes of a sample (0), over everything (−1), each sequence (−2) or the samples (−3).",
  source: reshapingNodes,
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: declarations,
  stored: storedReduction,
  differentiable: "yes",
  gradientDiffers:
    "Max, Min: every element equal to the extremum gets the whole gradient. Prod: 0 where the element is 0. " +
    "Argmax, Argmin: none",
  memory: reductionMemory,
  shape: reduceShape,
  gradient: gradientOfReduction,
  lower: lowerReduction,
});

const sumElements = defineOp({
  name: "SumElements",
  refusesSparse: refusesInputs({ 0: { function: "AssignSumOfElements", line: 3426 } }),
  doc: "Sum of all elements of all samples.",
  source: "Source/ComputationNetworkLib/LinearAlgebraNodes.h",
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: {},
  nonLooping: true,
  differentiable: "yes",
  memory: memoryNone,
  shape: unaryReduce,
  gradient: ({ outputGradient }) => [outputGradient],
  lower: (context) => emitReduceAll(context, at(context.inputs, 0)),
});

const sumColumnElements = defineOp({
  name: "SumColumnElements",
  refusesData: ([x]) =>
    x && !x.hasDynamicAxis && x.elements !== (x.shape[0] ?? 1) ? refusedView : undefined,
  refusesSparse: refusesInputs({ 0: { function: "VectorSum", line: 3508 } }),
  doc: "Sum of all elements of each sample.",
  source: "Source/ComputationNetworkLib/DeprecatedNodes.h",
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: {},
  differentiable: "yes",
  memory: memoryNone,
  shape: (context) => ({ shape: scalarShape, dynamicAxis: inferDynamicAxis(context), storage: "dense" }),
  gradient: ({ outputGradient }) => [outputGradient],
  lower: (context) => emitReduceAll(context, at(context.inputs, 0)),
});

const regularizer = {
  nonLooping: true,
  source: "Source/ComputationNetworkLib/TrainingNodes.h",
  inputs: [{ name: "x", doc: "Any shape, mostly a parameter." }],
  attributes: {},
  differentiable: "yes",
  shape: unaryReduce,
} as const;

const matrixL1Reg = defineOp({
  ...regularizer,
  name: "MatrixL1Reg",
  refusesSparse: takesSparse,
  doc: "Σ|x| over all elements of all samples.",
  memory: { ...memoryInputs, backwardTemporaries: 1 },
  gradient: ({ inputs, outputGradient, build }) => [
    build.map(multiply(argument(0), unary("sign", argument(1))), [outputGradient, at(inputs, 0)]),
  ],
  lower(context) {
    const x = at(context.inputs, 0);
    emitReduceAll(context, mapped(context, unary("absolute", argument(0)), [x], x.dims));
  },
});

/** EPS_IN_INVERSE, a single-precision constant in CNTK. */
const smallestDivisor = Math.fround(1e-30);

const matrixL2Reg = defineOp({
  ...regularizer,
  name: "MatrixL2Reg",
  refusesSparse: takesSparse,
  doc: "√Σx² over all elements of all samples (not squared).",
  memory: memoryAll,
  // x/(‖x‖ + 1e-30)
  gradient: ({ node, inputs, outputGradient, build }) => [
    build.map(
      multiply(divide(argument(0), binary("add", argument(2), constant(smallestDivisor))), argument(1)),
      [outputGradient, at(inputs, 0), node],
    ),
  ],
  lower(context) {
    const x = at(context.inputs, 0);
    const squares = mapped(context, multiply(argument(0), argument(0)), [x], x.dims);
    const total = context.temporary([1], null);
    emitReduceAll(context, squares, total);
    emitMap(context, plainSquareRoot(argument(0)), [total]);
  },
});

export const reductionOperations: readonly OpDefinition[] = [
  reduceElements,
  sumElements,
  sumColumnElements,
  matrixL1Reg,
  matrixL2Reg,
];
