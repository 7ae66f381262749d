import type { NetworkNode, NodeFacts, SampleShape, Storage } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type {
  GradientContext,
  GraphBuilder,
  LoweringContext,
  OpDefinition,
  ShapeContext,
  ShapeResult,
} from "../network/op-definition.js";
import type { StoredLayout } from "../network/stored-fields.js";
import { argument, binary, constant, multiply, select } from "../primitives/expression.js";
import type { Expression } from "../primitives/expression.js";
import type { Operand } from "../primitives/instruction.js";
import { at, defineOp, describeShort, formatDims, memoryInputs, shapeProblem } from "./define-op.js";
import { asMatrix, counted, emitMap, flat, mapped, reducedPerSample, withDims } from "./lowering.js";
import { inferDynamicAxis } from "./shape-rules.js";
import { axisField } from "./stored-parts.js";

type ProductAttributes = {
  readonly outputRank: number;
  readonly inferInputRankToMap: number;
};

/** Special value of inferInputRankToMap: contract over the sequence axis. */
export const reduceSequenceAxis = -2;

/**
 * Shape rule of both products (LinearAlgebraNodes.h, TimesNodeBase::Validate): the first outputRank axes of A stay, the
 * others are contracted against the leading axes of B, whose remaining axes follow.
 */
function productShape(context: ShapeContext<ProductAttributes>, transposed: boolean): ShapeResult {
  const { node, attributes, isFinalPass } = context;
  const { outputRank, inferInputRankToMap } = attributes;
  if (inferInputRankToMap === reduceSequenceAxis) {
    throw problem(node, "contraction over the sequence axis is not available yet.", "not-available");
  }
  const dynamicAxis = inferDynamicAxis(context);
  const [left, right] = [at(context.inputs, 0), at(context.inputs, 1)];
  const b = right.shape;
  if (!isFinalPass && (left.shape.length === 0 || b.length === 0))
    return { shape: [], dynamicAxis, storage: "dense" };

  let a = transposed ? swapped(node, left.shape, outputRank) : [...left.shape];
  if (outputRank > a.length) {
    throw problem(
      node,
      `outputRank ${outputRank} exceeds left argument's shape [${formatDims(left.shape)}].`,
    );
  }
  if (a.length - outputRank > b.length) {
    throw problem(
      node,
      `right argument shape [${formatDims(b)}] has too few dimensions for outputRank ${outputRank}.`,
      "shape-mismatch",
      `the left operand [${formatDims(left.shape)}] is contracted over ${a.length - outputRank} axes`,
    );
  }
  if (!transposed && outputRank === 1) a = patchLegacyShape(context, a);
  if (a.slice(0, outputRank).includes(0)) {
    throw problem(
      node,
      `The outputRank (${outputRank}) dimensions in left argument's shape [${formatDims(left.shape)}] must not be 0.`,
      "shape-mismatch",
      "the number of outputs cannot be inferred, only that of inputs",
    );
  }
  if (inferInputRankToMap >= 0 && a[a.length - 1] === 0) {
    if (inferInputRankToMap >= b.length && isFinalPass) {
      throw problem(
        node,
        `'inferInputRankToMap' argument ${inferInputRankToMap} must be less than rank of second operand [${formatDims(b)}].`,
      );
    }
    while (a.length - outputRank + inferInputRankToMap < b.length) a.push(0);
  }
  fillFromRight(context, a, outputRank);
  const shape = [...a.slice(0, outputRank), ...b.slice(a.length - outputRank)];
  context.inferParameter(0, transposed ? [at(a, 1), at(a, 0)] : a);
  return { shape, dynamicAxis, storage: "dense" };
}

function problem(node: NetworkNode, what: string, code = "shape-mismatch", hint?: string): Error {
  return shapeProblem(node, code, `${describeShort(node)}: ${what}`, hint);
}

/** The left operand of TransposeTimes as the plain product sees it; a vector is a column. */
function swapped(node: NetworkNode, shape: SampleShape, outputRank: number): number[] {
  if (shape.length === 1) return [1, at(shape, 0)];
  if (shape.length !== 2) {
    throw problem(
      node,
      "Transposition requires a 2D tensor (matrix) or a 1D tensor (column vector), " +
        `instead of a [${formatDims(shape)}].`,
    );
  }
  if (outputRank !== 1) throw problem(node, `The outputRank (${outputRank}) must be 1 when transposing.`);
  return [at(shape, 1), at(shape, 0)];
}

/** A matrix of an old model that fits the flattened input takes the input's axes. */
function patchLegacyShape(context: ShapeContext<ProductAttributes>, a: number[]): number[] {
  const b = at(context.inputs, 1).shape;
  if (a.length !== 2 || a[1] === b[0] || b[0] === 0) return a;
  let elements = 1;
  for (const [axis, dim] of b.entries()) {
    elements *= dim;
    if (elements !== a[1]) continue;
    const patched = [at(a, 0), ...b.slice(0, axis + 1)];
    const left = at(context.inputs, 0);
    context.setParameterShape(0, patched);
    context.message(
      `\n${describeShort(context.node)}: For legacy compatibility, the sample layout of left input (${describeShort(left.node)}) ` +
        `was patched to [${formatDims(patched)}] (from [${formatDims(a)}])\n`,
      "always",
    );
    return patched;
  }
  return a;
}

/** Fills unknown dimensions of the contracted axes of `a`; in the final pass they must agree. */
function fillFromRight(context: ShapeContext<ProductAttributes>, a: number[], outputRank: number): void {
  const { node, isFinalPass } = context;
  const [left, right] = [at(context.inputs, 0), at(context.inputs, 1)];
  const b = right.shape;
  for (let axis = outputRank; axis < a.length; axis++) {
    const dim = b[axis - outputRank] ?? 0;
    if (isFinalPass && dim === 0) {
      throw problem(node, `Right [${formatDims(b)}] operand must not have zero dimensions.`);
    }
    if (a[axis] === 0) a[axis] = dim;
    else if (isFinalPass && a[axis] !== dim) {
      throw problem(
        node,
        `Left [${formatDims(left.shape)}] and right [${formatDims(b)}] operands' shapes are not compatible.`,
        "shape-mismatch",
        `'${left.node.name}' expects ${a[axis]} along axis ${axis - outputRank + 1} of '${right.node.name}', which has ${dim}`,
      );
    }
  }
}

/** Sizes of a product as matrices: kept rows of A, contracted cells, columns of B left over. */
interface ProductSizes {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

function productSizes(output: SampleShape, a: SampleShape, b: SampleShape, outputRank: number): ProductSizes {
  const rows = elementCount(output.slice(0, outputRank));
  const inner = elementCount(a) / rows;
  return { rows, inner, columns: elementCount(b) / inner };
}

/*
 * A left operand with samples makes one product per sample. It is written as a broadcast multiplication over
 * [rows x inner x columns] followed by a sum, so it needs no instruction of its own.
 */

const product = multiply(argument(0), argument(1));

/**
 * CNTK's short cut for a product [1 x n]·[n] per sample multiplies element by element with broadcasting, so that in fact it
 * computes (Σ a)·(Σ b), unless the minibatch has one column only (TimesNodeBase::IsReduceableDotProduct). Its numbers are
 * kept: this is the expression that chooses between Σ a·b and (Σ a)·(Σ b), by the number of columns.
 */
const dotProduct = (columns: Expression, proper: Expression, broadcast: Expression): Expression =>
  select(binary("equal", columns, constant(1)), proper, broadcast);

function isBroadcastDotProduct(
  a: SampleShape,
  b: SampleShape,
  outputRank: number,
  transposed: boolean,
): boolean {
  return !transposed && outputRank === 1 && a.length === 2 && a[0] === 1 && b.length === 1 && at(b, 0) > 1;
}

/** Σ a·b, or what CNTK makes of it. */
function lowerDotProduct(context: ProductLowering, a: Operand, b: Operand): void {
  const sum = (x: Operand): Operand => reducedPerSample(context, x, "sum");
  const proper = sum(mapped(context, product, [flat(a), flat(b)], flat(a).dims));
  const expression = dotProduct(argument(3), argument(0), multiply(argument(1), argument(2)));
  emitMap(context, expression, [proper, sum(a), sum(b), counted(context, a, "columns")]);
}

/** Gradient of a dot product for one operand, from the value of the other. */
function dotProductGradient(
  build: GraphBuilder,
  gradient: NetworkNode,
  other: NetworkNode,
  own: NetworkNode,
): NetworkNode {
  const { shape } = build.facts(own);
  const counting = build.facts(own).dynamicAxis ? own : gradient;
  const values = build.reshape(other, [elementCount(shape)]);
  const total = build.reduceTo(values, [1], build.facts(other).dynamicAxis);
  const expression = multiply(argument(0), dotProduct(argument(3), argument(1), argument(2)));
  const operands = [gradient, values, total, build.count(counting, "columns")];
  return build.reshape(build.map(expression, operands), shape);
}

type ProductLowering = LoweringContext<ProductAttributes>;

function lowerProduct(context: ProductLowering, transposed: boolean): void {
  const [a, b] = [at(context.inputs, 0), at(context.inputs, 1)];
  const { outputRank } = context.attributes;
  if (transposed && a.dims.length === 1 && a.axis === null) {
    // CNTK finds it when it computes.
    throw shapeProblem(
      context.node,
      "shape-mismatch",
      `DoMatrixProductOf: Ranks [${formatDims(a.dims)}]' * [${formatDims(b.dims)} x *] -> [1 x *] mismatch.`,
      "a vector cannot be transposed: give the left operand two dimensions",
    );
  }
  const { rows, inner, columns } = productSizes(context.output.dims, a.dims, b.dims, outputRank);
  if (a.axis === null && a.storage === "dense") {
    const matrices = [asMatrix(a, transposed ? inner : rows), asMatrix(b, inner)];
    const parameters = { transposeA: transposed, transposeB: false };
    context.emit("matmul", matrices, asMatrix(context.output, rows), parameters);
    return;
  }
  const dense = [toDense(context, a), toDense(context, b)] as const;
  if (isBroadcastDotProduct(a.dims, b.dims, outputRank, transposed)) {
    lowerDotProduct(context, ...dense);
    return;
  }
  const left = withDims(dense[0], transposed ? [inner, rows, 1] : [rows, inner, 1]);
  const right = withDims(dense[1], transposed ? [inner, 1, columns] : [1, inner, columns]);
  const products = mapped(
    context,
    product,
    [left, right],
    transposed ? [inner, rows, columns] : [rows, inner, columns],
  );
  const output = withDims(context.output, transposed ? [1, rows, columns] : [rows, 1, columns]);
  context.emit("reduce", [products], output, { operation: "sum", scale: 1, gaps: "skipped" });
}

/** Sparse data written out, where a product has no sparse form. */
function toDense(context: ProductLowering, operand: Operand): Operand {
  if (operand.storage === "dense") return operand;
  const dense = context.temporary(operand.dims, operand.axis);
  context.emit("toDense", [operand], dense, {});
  return dense;
}

/** C = A·B: dA = dC·Bᵀ, dB = Aᵀ·dC; with A transposed dA = B·dCᵀ, dB = A·dC. */
function gradientOfProduct(
  context: GradientContext<ProductAttributes>,
  transposed: boolean,
): readonly (NetworkNode | null)[] {
  const { node, attributes, inputs, outputGradient, wants, build } = context;
  const [a, b] = [at(inputs, 0), at(inputs, 1)];
  const [aFacts, bFacts] = [build.facts(a), build.facts(b)];
  const { outputRank } = attributes;
  const sizes = productSizes(build.facts(node).shape, aFacts.shape, bFacts.shape, outputRank);
  const { rows, inner, columns } = sizes;
  if (aFacts.dynamicAxis && isBroadcastDotProduct(aFacts.shape, bFacts.shape, outputRank, transposed)) {
    return [
      wants(0) ? dotProductGradient(build, outputGradient, b, a) : null,
      wants(1) ? dotProductGradient(build, outputGradient, a, b) : null,
    ];
  }
  if (aFacts.dynamicAxis) {
    return [
      wants(0) ? perSampleGradientA(build, outputGradient, b, sizes, transposed, aFacts.shape) : null,
      wants(1) ? perSampleGradientB(build, outputGradient, a, sizes, transposed, bFacts.shape) : null,
    ];
  }
  const matmul = (
    [left, leftRows]: readonly [NetworkNode, number],
    [right, rightRows]: readonly [NetworkNode, number],
    parameters: { transposeA: boolean; transposeB: boolean },
    like: NodeFacts,
    storage: Storage = "dense",
  ): NetworkNode => {
    const asMatrix = (x: NetworkNode, height: number): SampleShape => [
      height,
      elementCount(build.facts(x).shape) / height,
    ];
    const views = { reads: [asMatrix(left, leftRows), asMatrix(right, rightRows)] };
    const { shape } = like;
    const dynamicAxis = parameters.transposeB ? null : build.facts(right).dynamicAxis;
    return build.primitive("matmul", [left, right], parameters, { shape, dynamicAxis, storage }, views);
  };
  const [g, aRows] = [[outputGradient, rows] as const, transposed ? inner : rows];
  const contracted = { transposeA: false, transposeB: true };
  const left = (): NetworkNode => {
    if (bFacts.storage !== "sparse") {
      return transposed
        ? matmul([b, inner], g, contracted, aFacts)
        : matmul(g, [b, inner], contracted, aFacts);
    }
    // Sparse data touches only some columns of A; of a transposed A only some rows, for which there is no short form.
    if (!transposed && columns === 1) {
      // The columns that are touched are the last dimension.
      const shape = aFacts.shape.at(-1) === inner ? aFacts.shape : [rows, inner];
      return matmul(g, [b, inner], contracted, { ...aFacts, shape }, "touched");
    }
    const dense = build.primitive("toDense", [b], {}, { ...bFacts, storage: "dense" });
    return transposed
      ? matmul([dense, inner], g, contracted, aFacts)
      : matmul(g, [dense, inner], contracted, aFacts);
  };
  const right = (): NetworkNode =>
    matmul([a, aRows], g, { transposeA: !transposed, transposeB: false }, bFacts);
  return [wants(0) ? left() : null, wants(1) ? right() : null];
}

function perSampleGradientA(
  build: GraphBuilder,
  gradient: NetworkNode,
  b: NetworkNode,
  { rows, inner, columns }: ProductSizes,
  transposed: boolean,
  shape: SampleShape,
): NetworkNode {
  const g = build.reshape(gradient, transposed ? [1, rows, columns] : [rows, 1, columns]);
  const other = build.reshape(b, transposed ? [inner, 1, columns] : [1, inner, columns]);
  const products = build.map(product, [g, other]);
  const { dynamicAxis } = build.facts(products);
  return build.reshape(
    build.reduceTo(products, transposed ? [inner, rows, 1] : [rows, inner, 1], dynamicAxis),
    shape,
  );
}

function perSampleGradientB(
  build: GraphBuilder,
  gradient: NetworkNode,
  a: NetworkNode,
  { rows, inner, columns }: ProductSizes,
  transposed: boolean,
  shape: SampleShape,
): NetworkNode {
  const g = build.reshape(gradient, transposed ? [1, rows, columns] : [rows, 1, columns]);
  const other = build.reshape(a, transposed ? [inner, rows, 1] : [rows, inner, 1]);
  const products = build.map(product, [g, other]);
  const { dynamicAxis } = build.facts(products);
  return build.reshape(
    build.reduceTo(products, transposed ? [inner, 1, columns] : [1, inner, columns], dynamicAxis),
    shape,
  );
}

const attributes = {
  outputRank: { kind: "integer", doc: "Number of axes of A that the result keeps.", default: 1 },
  inferInputRankToMap: {
    kind: "integer",
    doc: "Number of trailing axes of B not to contract, when A's shape is to be extended; −1 = do not extend.",
    default: -1,
  },
} as const;

const stored: StoredLayout = {
  fields: [
    axisField("outputRank", { since: 3, otherwise: 1 }, "unsigned8"),
    axisField("inferInputRankToMap", { since: 12, otherwise: -1 }),
  ],
};

const times = defineOp({
  name: "Times",
  doc:
    "Matrix product of tensors: the first outputRank axes of A are kept, the others are contracted with the first axes " +
    "of B. Unknown dimensions of A are inferred.",
  source: "Source/ComputationNetworkLib/LinearAlgebraNodes.h",
  inputs: [
    { name: "A", doc: "Left operand, mostly a parameter." },
    { name: "B", doc: "Right operand." },
  ],
  attributes,
  stored,
  differentiable: "yes",
  sparseInputs: [1],
  memory: memoryInputs,
  shape: (context) => productShape(context, false),
  gradient: (context) => gradientOfProduct(context, false),
  lower: (context) => lowerProduct(context, false),
});

const transposeTimes = defineOp({
  name: "TransposeTimes",
  source: "Source/ComputationNetworkLib/LinearAlgebraNodes.h",
  doc: "Product of the transposed matrix A with B.",
  inputs: [
    { name: "A", doc: "A matrix; it is used transposed." },
    { name: "B", doc: "Right operand." },
  ],
  attributes,
  stored,
  differentiable: "yes",
  sparseInputs: [1],
  memory: memoryInputs,
  shape: (context) => productShape(context, true),
  gradient: (context) => gradientOfProduct(context, true),
  lower: (context) => lowerProduct(context, true),
});

export const linearAlgebraOperations: readonly OpDefinition[] = [times, transposeTimes];
