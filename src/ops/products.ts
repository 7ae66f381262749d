import { elementCount } from "../network/network.js";
import type { NetworkNode } from "../network/network.js";
import type { OpDefinition } from "../network/op-definition.js";
import { cosineOperations } from "./cosine.js";
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
import { flat, withDims } from "./lowering.js";
import { quantizedTimes } from "./quantized-times.js";
import { inferDynamicAxis, refusesSingles } from "./shape-rules.js";
import { reshaped } from "./written-out.js";
import { refusesColumnProducts, refusesDiagonalFactors } from "./sparse-data.js";

/*
 * Products of matrices and vectors besides Times: per row, per sample, by index.
 */

const source = "Source/ComputationNetworkLib/LinearAlgebraNodes.h";

const lookupTable = defineOp({
  name: "LookupTable",
  refusesSparse: ({ index, node, facts }) => {
    const [table, x] = [node.inputs[0], node.inputs[1]].map((input) => input && facts(input)?.shape);
    const isOneBlock = table && x && elementCount(x) === elementCount(table.slice(1));
    return index === 1 && !isOneBlock ? { function: "Reshape", line: 1864 } : undefined;
  },
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
    // CNTK's check that there are samples never comes to speak: it stumbles before, in the first pass.
    if (!dynamicAxis) {
      throw shapeProblem(
        context.node,
        "no-minibatch-data",
        `${describe(context.node)}: SetDims: MBLayout must be set first, before calling this function.`,
        `'${at(context.inputs, 1).node.name}' has no samples`,
      );
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
    // CNTK's gradient of the table is dense, of sparse data too: that of a view, unlike that of the table itself.
    const isPlain = size / height === elementCount(rows) && build.facts(x).storage !== "sparse";
    const found = build.applyNamed("Times", [isPlain ? table : matrix, blocks]);
    return reshaped(build, found, shape);
  },
});

const diagTimes = defineOp({
  name: "DiagTimes",
  refusesSparse: refusesDiagonalFactors,
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
    // The data keep the form that they have, `[300 x 1]` or `[300]`, as CNTK's log shows.
    return { shape: data.shape, dynamicAxis };
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
  refusesSparse: refusesColumnProducts,
  doc: "Outer product of two vectors for every sample, flattened.",
  source,
  inputs: [
    { name: "a", doc: "Any shape." },
    { name: "b", doc: "Any shape." },
  ],
  attributes: {},
  differentiable: "yes",
  memory: memoryInputs,
  refusesData: refusesSingles,
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

export const productOperations: readonly OpDefinition[] = [
  lookupTable,
  diagTimes,
  diagonal,
  khatriRaoProduct,
  ...cosineOperations,
  quantizedTimes,
];
