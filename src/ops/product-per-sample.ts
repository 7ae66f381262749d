import type { NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { GradientContext, GraphBuilder, LoweringContext } from "../network/op-definition.js";
import { argument, binary, constant, multiply, select } from "../primitives/expression.js";
import type { Expression } from "../primitives/expression.js";
import type { Operand } from "../primitives/instruction.js";
import { at } from "./define-op.js";
import { counted, emitMap, flat, mapped, reducedPerSample, withDims } from "./lowering.js";
import {
  type ProductAttributes,
  productSizes,
  type ProductSizes,
  reduceSequenceAxis,
} from "./product-shape.js";

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

export type ProductLowering = LoweringContext<ProductAttributes>;

/** The products of each sample of A with one of B; summed over each sequence where its axis is contracted too. */
export function lowerPerSample(context: ProductLowering, transposed: boolean): void {
  const [a, b] = [at(context.inputs, 0), at(context.inputs, 1)];
  const { outputRank, inferInputRankToMap } = context.attributes;
  if (inferInputRankToMap === reduceSequenceAxis) {
    const each = context.temporary(context.output.dims, a.axis);
    lowerEach({ ...context, output: each }, transposed, false);
    context.emit("sumSequence", [each], context.output, {});
  } else lowerEach(context, transposed, isBroadcastDotProduct(a.dims, b.dims, outputRank, transposed));
}

function lowerEach(context: ProductLowering, transposed: boolean, isDotProduct: boolean): void {
  const [a, b] = [at(context.inputs, 0), at(context.inputs, 1)];
  const { outputRank } = context.attributes;
  const { rows, inner, columns } = productSizes(context.output.dims, a.dims, b.dims, outputRank);
  const dense = [toDense(context, a), toDense(context, b)] as const;
  if (isDotProduct) {
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

/** The gradients of both operands, of which A has samples. */
export function gradientPerSample(
  { node, attributes, inputs, outputGradient, wants, build }: GradientContext<ProductAttributes>,
  transposed: boolean,
): readonly (NetworkNode | null)[] {
  const [a, b] = [at(inputs, 0), at(inputs, 1)];
  const [aFacts, bFacts] = [build.facts(a), build.facts(b)];
  const { outputRank, inferInputRankToMap } = attributes;
  const { shape } = build.facts(node);
  const sizes = productSizes(shape, aFacts.shape, bFacts.shape, outputRank);
  const overSequence = inferInputRankToMap === reduceSequenceAxis;
  if (!overSequence && isBroadcastDotProduct(aFacts.shape, bFacts.shape, outputRank, transposed)) {
    return [
      wants(0) ? dotProductGradient(build, outputGradient, b, a) : null,
      wants(1) ? dotProductGradient(build, outputGradient, a, b) : null,
    ];
  }
  const { dynamicAxis } = aFacts;
  const gradient = overSequence
    ? build.primitive("spreadSequence", [outputGradient, a], {}, { shape, dynamicAxis })
    : outputGradient;
  return [
    wants(0) ? perSampleGradientA(build, gradient, b, sizes, transposed, aFacts.shape) : null,
    wants(1) ? perSampleGradientB(build, gradient, a, sizes, transposed, bFacts.shape) : null,
  ];
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
