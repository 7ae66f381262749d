import type { DynamicAxis, NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { ShapeContext, ShapeResult } from "../network/op-definition.js";
import { at, describeShort, formatDims, shapeProblem } from "./define-op.js";
import { inferDynamicAxis } from "./shape-rules.js";

/*
 * Which shapes a product of tensors takes, what it makes of them, and the matrices that they come to.
 */

export type ProductAttributes = {
  readonly outputRank: number;
  readonly inferInputRankToMap: number;
};

/** Special value of inferInputRankToMap: contract over the sequence axis. */
export const reduceSequenceAxis = -2;

/**
 * Shape rule of both products (LinearAlgebraNodes.h, TimesNodeBase::Validate): the first outputRank axes of A stay, the
 * others are contracted against the leading axes of B, whose remaining axes follow.
 */
export function productShape(context: ShapeContext<ProductAttributes>, transposed: boolean): ShapeResult {
  const { node, attributes, isFinalPass } = context;
  const { outputRank, inferInputRankToMap } = attributes;
  const dynamicAxis =
    inferInputRankToMap === reduceSequenceAxis ? axisOfSums(context, transposed) : inferDynamicAxis(context);
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

/** Where the sequence axis is contracted too, each sequence gives one frame; only then does CNTK ask for so plain a form. */
function axisOfSums(context: ShapeContext<ProductAttributes>, transposed: boolean): DynamicAxis {
  const { node, isFinalPass } = context;
  const [left, right] = [at(context.inputs, 0), at(context.inputs, 1)];
  if (!left.dynamicAxis || left.dynamicAxis !== right.dynamicAxis) {
    throw problem(
      node,
      "operation can perform sequence axis reduction only on matching dynamic axes for both operands (which have the same layouts).",
      "minibatch-data",
    );
  }
  const [a, b] = [left.shape, right.shape];
  const inner = a.length > 1 ? a[1] : 1;
  const isPlain = inner === b[0] && (b[1] ?? 1) === 1 && !transposed;
  if (!isPlain && (isFinalPass || (a.length > 0 && b.length > 0))) {
    throw problem(
      node,
      "operation can perform sequence axis reduction only in forms of (m x k) * (k x 1), without transpose.",
    );
  }
  return context.newDynamicAxis("__noSequenceAxis");
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
export interface ProductSizes {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

export function productSizes(
  output: SampleShape,
  a: SampleShape,
  b: SampleShape,
  outputRank: number,
): ProductSizes {
  const rows = elementCount(output.slice(0, outputRank));
  const inner = elementCount(a) / rows;
  return { rows, inner, columns: elementCount(b) / inner };
}
