import { elementCount } from "../network/network.js";
import type { NetworkNode } from "../network/network.js";
import type { GraphBuilder, LoweringContext, OpDefinition } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import {
  add,
  argument,
  binary,
  constant,
  divide,
  multiply,
  select,
  subtract,
  unary,
} from "../primitives/expression.js";
import type { Expression } from "../primitives/expression.js";
import type { Operand } from "../primitives/instruction.js";
import { matrixSize, problem } from "./declared.js";
import {
  at,
  defineOp,
  describe,
  describeShort,
  memoryAll,
  memoryInputs,
  memoryNone,
  shapeProblem,
} from "./define-op.js";
import { linearAlgebraOperations } from "./linear-algebra.js";
import { emitMap, emitReduceAll, flat, mapped, withDims } from "./lowering.js";
import { reshaped } from "./written-out.js";
import { inferFromEachOther, inferDynamicAxis, scalarShape } from "./shape-rules.js";

/*
 * Products of matrices and vectors besides Times: per row, per sample, by index.
 */

const source = "Source/ComputationNetworkLib/LinearAlgebraNodes.h";

const lookupTable = defineOp({
  name: "LookupTable",
  doc: "For each one-hot block of x the column of E it points at, one below the other.",
  source: "Source/ComputationNetworkLib/InputAndParamNodes.h",
  inputs: [
    { name: "E", doc: "Embedding matrix [d x V]." },
    { name: "x", doc: "One or more blocks of V rows." },
  ],
  attributes: {},
  differentiable: "yes",
  memory: memoryAll,
  shape(context) {
    const dynamicAxis = inferDynamicAxis(context);
    if (context.isFinalPass && !dynamicAxis) {
      throw problem(context, " can only operate on minibatches.", undefined, "no-minibatch-data");
    }
    const { rows, columns } = matrixSize(at(context.inputs, 0));
    const inputRows = elementCount(at(context.inputs, 1).shape);
    if (context.isFinalPass && inputRows % columns !== 0) {
      throw shapeProblem(
        context.node,
        "shape-mismatch",
        "Mismatched dimension. Rows in input1 must be multiples of cols in input0.",
        `${inputRows} rows against ${columns} columns`,
      );
    }
    const words = columns === 0 ? 0 : Math.trunc(inputRows / columns);
    return { shape: [rows * words], dynamicAxis, storage: "dense" };
  },
  // The blocks of x side by side are the columns that E is multiplied with.
  expand({ node, build }) {
    const [table, x] = [at(node.inputs, 0), at(node.inputs, 1)];
    const { shape } = build.facts(node);
    const rows = build.facts(x).shape;
    const size = elementCount(build.facts(table).shape);
    const height = build.facts(table).shape[0] ?? 1;
    const words = elementCount(shape) / height;
    const matrix = reshaped(build, table, [height, size / height]);
    const blocks = words === 1 ? x : reshaped(build, x, [elementCount(rows) / words, words]);
    const found = build.applyNamed("Times", [size / height === elementCount(rows) ? table : matrix, blocks]);
    return reshaped(build, found, shape);
  },
});

const diagTimes = defineOp({
  name: "DiagTimes",
  doc: "Deprecated: the rows of X scaled by the elements of a column vector.",
  source: "Source/ComputationNetworkLib/DeprecatedNodes.h",
  inputs: [
    { name: "d", doc: "The diagonal, a column." },
    { name: "X", doc: "A matrix, or samples." },
  ],
  attributes: {},
  differentiable: "yes",
  memory: { ...memoryInputs, backwardTemporaries: 2 },
  shape(context) {
    const dynamicAxis = inferDynamicAxis(context);
    const [diagonal, data] = [at(context.inputs, 0), at(context.inputs, 1)];
    const rowsOfData = (): number => (data.dynamicAxis ? elementCount(data.shape) : matrixSize(data).rows);
    const { rows } = matrixSize(diagonal);
    context.inferParameter(0, [rowsOfData()]);
    const columns = data.dynamicAxis ? undefined : matrixSize(data).columns;
    const shape = columns === undefined ? [rows] : [rows, columns];
    context.inferParameter(1, shape);
    const size = matrixSize(diagonal);
    if (context.isFinalPass && size.rows !== rowsOfData()) {
      throw shapeProblem(
        context.node,
        "shape-mismatch",
        `The inner matrix dimension in the ${describeShort(context.node)} does not match (${rowsOfData()} vs. ${size.rows}).`,
      );
    }
    if (context.isFinalPass && size.columns !== 1) {
      throw shapeProblem(
        context.node,
        "shape-mismatch",
        "The first matrix should be a column vector representing the diagonal of a square matrix in the DiagTimes operation.",
      );
    }
    // Samples keep the form they have, `[300 x 1]` or `[300]`, as CNTK's log shows.
    const keepsForm = columns === undefined && elementCount(data.shape) === rows;
    return { shape: keepsForm ? data.shape : shape, dynamicAxis };
  },
  expand({ node, build }) {
    const [d, x] = [at(node.inputs, 0), at(node.inputs, 1)];
    const { shape } = build.facts(node);
    const column = reshaped(build, d, [elementCount(build.facts(d).shape)]);
    return build.applyNamed("ElementTimes", [column, reshaped(build, x, shape)]);
  },
});

const diagonal = defineOp({
  name: "Diagonal",
  doc: "The diagonal of a square matrix, as a row [1 x n].",
  source: "Source/ComputationNetworkLib/ReshapingNodes.h",
  inputs: [{ name: "x", doc: "A square matrix without samples." }],
  attributes: {},
  nonLooping: true,
  differentiable: "error",
  memory: memoryNone,
  shape(context) {
    const input = at(context.inputs, 0);
    if (context.isFinalPass && input.dynamicAxis) {
      throw problem(
        context,
        " cannot operate on minibatch data (which have a layout).",
        undefined,
        "minibatch-data",
      );
    }
    const { rows, columns } = matrixSize(input);
    if (context.isFinalPass && rows !== columns) {
      throw problem(context, " requires a square matrix as its input.", `it is ${rows} x ${columns}`);
    }
    if (input.shape.length !== 1) {
      context.message(
        "WARNING: Diagonal operation cannot inherit image size information from its child. Image size info is lost.\n",
        "always",
      );
    }
    return { shape: [1, columns], dynamicAxis: null };
  },
  lower(context) {
    const x = at(context.inputs, 0);
    const count = elementCount(context.output.dims);
    // Element (i, i) of [n x n] stands at i·(n + 1): the first row of [n + 1 x n], one element short, which is padded.
    const padded = context.temporary([count * (count + 1)], null);
    context.emit("pad", [flat(x)], padded, { axis: 0, begin: 0 });
    const wide = withDims(padded, [count + 1, count]);
    context.emit("slice", [wide], context.output, { axis: 0, begin: 0 });
  },
});

const khatriRaoProduct = defineOp({
  name: "KhatriRaoProduct",
  doc: "Outer product of two vectors for every sample, flattened.",
  source,
  inputs: [
    { name: "a", doc: "Any shape." },
    { name: "b", doc: "Any shape." },
  ],
  attributes: {},
  differentiable: "yes",
  memory: memoryInputs,
  shape(context) {
    const dynamicAxis = inferDynamicAxis(context);
    return {
      shape: [elementCount(at(context.inputs, 0).shape) * elementCount(at(context.inputs, 1).shape)],
      dynamicAxis,
    };
  },
  expand({ node, build }) {
    const [a, b] = [at(node.inputs, 0), at(node.inputs, 1)];
    const count = (x: NetworkNode): number => elementCount(build.facts(x).shape);
    const column = reshaped(build, a, [count(a), 1]);
    const row = reshaped(build, b, [1, count(b)]);
    const outer = build.applyNamed("ElementTimes", [column, row]);
    return reshaped(build, outer, [count(a) * count(b)]);
  },
});

const cosDistance = defineOp({
  name: "CosDistance",
  doc: "a·b / (‖a‖‖b‖) for every sample.",
  source,
  inputs: [
    { name: "a", doc: "A vector." },
    { name: "b", doc: "A vector of the same length." },
  ],
  attributes: {},
  differentiable: "yes",
  memory: {
    ...memoryAll,
    forwardTemporaries: [workspace(), workspace()],
    backwardTemporaries: [workspace()],
  },
  shape(context) {
    const dynamicAxis = inferDynamicAxis(context);
    inferFromEachOther(context);
    // CNTK takes the axis of one input for that of both, and stumbles where the second has none.
    if (dynamicAxis && !at(context.inputs, 1).dynamicAxis) {
      throw shapeProblem(
        context.node,
        "no-minibatch-data",
        `${describe(context.node)}: SetDims: MBLayout must be set first, before calling this function.`,
        `'${at(context.inputs, 1).node.name}' has no samples: give it as the first input`,
      );
    }
    return { shape: scalarShape, dynamicAxis };
  },
  expand: ({ node, build }) => cosine(build, at(node.inputs, 0), at(node.inputs, 1)),
});

function workspace() {
  return { size: 1, scaled: "output", workspace: true } as const;
}

/** Node: a·b / (‖a‖‖b‖) of every sample, as CNTK has it. */
function cosine(build: GraphBuilder, a: NetworkNode, b: NetworkNode): NetworkNode {
  const dot = (x: NetworkNode, y: NetworkNode): NetworkNode =>
    build.applyNamed("SumColumnElements", [build.applyNamed("ElementTimes", [x, y])]);
  const inverseNorm = (x: NetworkNode): NetworkNode =>
    build.applyNamed("Reciprocal", [build.applyNamed("Sqrt", [dot(x, x)])]);
  const scaled = build.applyNamed("ElementTimes", [dot(a, b), inverseNorm(a)]);
  return build.applyNamed("ElementTimes", [scaled, inverseNorm(b)]);
}

/** The columns of a minibatch moved round, whatever sequences they belong to; the gradient moves them back. */
const rotatedColumns: OpDefinition = defineOp({
  name: "RotatedColumns",
  doc: "Column c holds column c + steps of x, round the minibatch.",
  source: "Source/Math/CPUMatrixImpl.h, AssignElementProductOfWithShiftNeg",
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: { steps: { kind: "integer", doc: "Columns to move by." } },
  internal: true,
  differentiable: "yes",
  memory: memoryNone,
  shape: ({ inputs }) => ({ shape: at(inputs, 0).shape, dynamicAxis: at(inputs, 0).dynamicAxis }),
  gradient: ({ attributes: { steps }, outputGradient, build }) => [
    build.apply(rotatedColumns, [outputGradient], { steps: 0 - steps }),
  ],
  lower: ({ attributes: { steps }, inputs, output, emit }) =>
    emit("rotateColumns", inputs, output, { steps }),
});

/** The value of a constant that was written as one number. */
function constantValue(node: NetworkNode): number | undefined {
  const { learningRateMultiplier, init, initValue, value } = node.attributes;
  if (node.op.role !== "parameter" || learningRateMultiplier !== 0) return undefined;
  const given = init === "fixedValue" ? value : initValue;
  return typeof given === "number" ? given : undefined;
}

const cosDistanceWithNegativeSamples = defineOp({
  name: "CosDistanceWithNegativeSamples",
  doc:
    "The cosine of a and b, and below it those of a with b from other columns of the minibatch: neg of them, the first " +
    "`shift` columns away.",
  source,
  inputs: [
    { name: "a", doc: "A vector." },
    { name: "b", doc: "A vector of the same length." },
    { name: "shift", doc: "Columns between the true pair and the first negative one." },
    { name: "neg", doc: "Number of negative pairs: a constant." },
  ],
  attributes: {},
  differentiable: "yes",
  memory: { ...memoryAll, forwardTemporaries: 4, backwardTemporaries: 2 },
  shape(context) {
    const { node, isFinalPass, inputs } = context;
    const dynamicAxis = inferDynamicAxis(context);
    inferFromEachOther(context);
    const [a, b, negatives] = [at(inputs, 0), at(inputs, 1), at(inputs, 3)];
    if (isFinalPass && (elementCount(a.shape) !== elementCount(b.shape) || a.dynamicAxis !== b.dynamicAxis)) {
      throw shapeProblem(
        node,
        "shape-mismatch",
        `The tensor dimension in the ${describeShort(node)} does not match.`,
      );
    }
    const value = constantValue(negatives.node);
    if ((isFinalPass && value === undefined) || elementCount(negatives.shape) !== 1) {
      throw problem(
        context,
        " expects a constant scalar for Input(3) which corresponds to number of negative samples.",
      );
    }
    return { shape: [Math.trunc(value ?? 0) + 1], dynamicAxis };
  },
  expand({ node, build }) {
    const [a, b, shift] = [at(node.inputs, 0), at(node.inputs, 1), at(node.inputs, 2)];
    const negatives = elementCount(build.facts(node).shape) - 1;
    const first = constantValue(shift) ?? 1;
    const others = Array.from({ length: negatives }, (_, index) =>
      cosine(build, a, build.apply(rotatedColumns, [b], { steps: first + index })),
    );
    return build.applyNamed("RowStack", [cosine(build, a, b), ...others], { axis: 1 });
  },
});

const times = linearAlgebraOperations.find(({ name }) => name === "Times");
if (!times) throw new Error("Times is not in the registry");

const quantizedTimes = defineOp({
  ...times,
  name: "QuantizedTimes",
  doc: "Times with both operands rounded to 16-bit integers; for inference only.",
  attributes: {
    inferInputRankToMap: { kind: "integer", doc: "As in Times." },
    outputRank: { kind: "integer", doc: "As in Times." },
    bitShiftB: { kind: "integer", doc: "Bits given up at the upper end of B's range against overflow." },
    bitShiftA: { kind: "integer", doc: "The same of A." },
  },
  stored: {
    fields: [
      ...times.stored.fields,
      field("bitShiftA", "unsigned8", { otherwise: 1 }),
      field("bitShiftB", "unsigned8", { otherwise: 1 }),
    ],
  },
  differentiable: "error",
  sparseInputs: [],
  refusesGradient: (node) => `${describe(node)} is used for inference only: its gradient is not implemented.`,
  lower(context) {
    const { inputs, output, attributes } = context;
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    if (a.axis !== null) {
      throw problem(
        context,
        ": a left operand with samples is not available yet",
        undefined,
        "not-available",
      );
    }
    const factors = [
      quantizationFactor(context, a, attributes.bitShiftA),
      quantizationFactor(context, b, attributes.bitShiftB),
    ] as const;
    const whole = (x: Operand, factor: Operand): Operand =>
      mapped(context, roundedHalfAway(multiply(argument(0), argument(1))), [flat(x), factor], flat(x).dims);
    const rounded = [withDims(whole(a, factors[0]), a.dims), withDims(whole(b, factors[1]), b.dims)];
    const product = context.temporary(output.dims, output.axis);
    times.lower?.({ ...context, inputs: rounded, output: product });
    const back = (x: Expression, factor: number): Expression =>
      multiply(x, unary("reciprocal", argument(factor)));
    emitMap(context, back(back(argument(0), 2), 1), [flat(product), ...factors], flat(output));
  },
});

/** C's round(): halves go away from zero. */
function roundedHalfAway(x: Expression): Expression {
  const half = constant(0.5);
  const up = unary("floor", add(x, half));
  const down = unary("negate", unary("floor", subtract(half, x)));
  return select(binary("less", x, constant(0)), down, up);
}

/** Scratch: what a matrix is multiplied by so that its largest value fits into 16 bits, shifted; 0 for nothing but zeros. */
function quantizationFactor(context: LoweringContext<object>, x: Operand, shift: number): Operand {
  const sizes = mapped(context, unary("absolute", argument(0)), [flat(x)], flat(x).dims);
  const largest = context.temporary([1], null);
  emitReduceAll(context, sizes, largest, "max", 1, "counted");
  const range = multiply(argument(0), constant(2 ** shift));
  const factor = divide(constant(largestShort), range);
  return mapped(
    context,
    select(binary("equal", argument(0), constant(0)), constant(0), factor),
    [largest],
    [1],
  );
}

const largestShort = 32767;

export const productOperations: readonly OpDefinition[] = [
  lookupTable,
  diagTimes,
  diagonal,
  khatriRaoProduct,
  cosDistance,
  cosDistanceWithNegativeSamples,
  quantizedTimes,
];
