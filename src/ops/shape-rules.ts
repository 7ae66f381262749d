import type { CntkError } from "../diagnostics/diagnostic.js";
import { elementCount } from "../network/network.js";
import type { DynamicAxis, SampleShape } from "../network/network.js";
import type { DataInput, ShapeContext, ShapedInput, ShapeResult } from "../network/op-definition.js";
import { stretchedTogether } from "../primitives/stretching.js";
import { at, describe, formatDims, shapeProblem } from "./define-op.js";

/*
 * The shape rules that many operations share, after ComputationNode.cpp. All of them are asked in every pass; only the
 * final one insists that everything fits.
 */

/** CNTK works with one-element vectors where nothing is left: `[1]`. */
export const scalarShape: SampleShape = [1];

/** The dynamic axis of the first input that has one; in the final pass inputs with another axis are reported. */
export function inferDynamicAxis(context: ShapeContext): DynamicAxis | null {
  let first: ShapedInput | undefined;
  for (const input of context.inputs) {
    if (!input.dynamicAxis) continue;
    if (!first) first = input;
    else if (context.isFinalPass) warnOfMismatch(context, first, input);
  }
  return first?.dynamicAxis ?? null;
}

/** CNTK's reminder that two inputs run along different dynamic axes. */
function warnOfMismatch(context: ShapeContext, a: ShapedInput, b: ShapedInput): void {
  if (!a.dynamicAxis || !b.dynamicAxis || a.dynamicAxis === b.dynamicAxis) return;
  context.message(
    `WARNING: ${describe(context.node)}: Dynamic axes mismatch between ${describe(a.node)} and ${describe(b.node)}. ` +
      "If they are incompatible, this will fail later.\n",
  );
}

/** Output like the only input. */
export function unaryMap(context: ShapeContext): ShapeResult {
  const dynamicAxis = inferDynamicAxis(context);
  return { shape: at(context.inputs, 0).shape, dynamicAxis };
}

/** Each of the first two inputs that is a parameter with unknown dimensions borrows them from the other. */
export function inferFromEachOther(context: ShapeContext): void {
  context.inferParameter(0, at(context.inputs, 1).shape);
  context.inferParameter(1, at(context.inputs, 0).shape);
}

/** Two inputs that are broadcast to each other, axis by axis from the first. */
export function binaryZip(context: ShapeContext): ShapeResult {
  const dynamicAxis = inferDynamicAxis(context);
  inferFromEachOther(context);
  const [a, b] = [at(context.inputs, 0), at(context.inputs, 1)];
  if (context.isFinalPass) warnOfMismatch(context, a, b);
  const shape = [...a.shape];
  while (shape.length < b.shape.length) shape.push(1);
  b.shape.forEach((dim, axis) => {
    const own = at(shape, axis);
    // 1 broadcasts, 0 is not known yet.
    if (own <= 1 && dim !== 0) shape[axis] = dim;
    else if ((dim > 1 || own === 0) && dim !== own && context.isFinalPass) {
      throw incompatible(context, a, b, axis);
    }
  });
  return { shape, dynamicAxis };
}

/** Any number of inputs broadcast together. Unlike with two, a mismatch is an error in every pass. */
export function naryZip(context: ShapeContext): ShapeResult {
  const dynamicAxis = inferDynamicAxis(context);
  const { inputs } = context;
  for (let index = 0; index < inputs.length; index++) {
    for (let other = 0; other < inputs.length; other++) {
      if (other !== index) context.inferParameter(index, at(inputs, other).shape);
    }
  }
  if (context.isFinalPass) {
    inputs.forEach((a, i) => inputs.slice(i + 1).forEach((b) => warnOfMismatch(context, a, b)));
  }
  const rank = Math.max(...inputs.map((input) => input.shape.length));
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    let widest: ShapedInput | undefined;
    for (const input of inputs) {
      const dim = input.shape[axis];
      if (dim === undefined) continue;
      const most = widest?.shape[axis] ?? 0;
      if (widest && dim > 1 && most > 1 && dim !== most) throw incompatible(context, widest, input, axis);
      if (dim > most) widest = input;
    }
    shape.push(widest?.shape[axis] ?? at(inputs, 0).shape[axis] ?? 1);
  }
  return { shape, dynamicAxis };
}

function incompatible(context: ShapeContext, a: ShapedInput, b: ShapedInput, axis: number): Error {
  return shapeProblem(
    context.node,
    "shape-mismatch",
    `${describe(context.node)}: Input dimensions [${formatDims(a.shape)}] and [${formatDims(b.shape)}] are not compatible.`,
    `'${a.node.name}' has ${a.shape[axis] ?? 1} and '${b.node.name}' has ${b.shape[axis] ?? 1} along axis ${axis + 1}: ` +
      "they must be equal, or one of them 1",
  );
}

/** One input, summed up to a single number over everything, samples included. */
export function unaryReduce(_context: ShapeContext): ShapeResult {
  return { shape: scalarShape, dynamicAxis: null };
}

/** The error of a criterion whose two inputs cannot be compared element by element. */
export function differentSamples({ node }: ShapeContext, a: ShapedInput, b: ShapedInput): CntkError {
  return shapeProblem(
    node,
    "shape-mismatch",
    `${describe(node)}: The tensor dimensions in the inputs do not match. ${formatDims(a.shape)} != ${formatDims(b.shape)}`,
    `'${a.node.name}' has ${elementCount(a.shape)} elements per sample, '${b.node.name}' has ${elementCount(b.shape)}`,
  );
}

/** A criterion of two inputs: both run along a dynamic axis, the result is one number for the whole minibatch. */
export function binaryReduce(context: ShapeContext): ShapeResult {
  inferFromEachOther(context);
  if (context.isFinalPass) {
    const [a, b] = [at(context.inputs, 0), at(context.inputs, 1)];
    if (!stretchedTogether(a.shape, b.shape)) throw differentSamples(context, a, b);
    context.inputs.slice(0, 2).forEach((input, index) => {
      if (input.dynamicAxis) return;
      throw shapeProblem(
        context.node,
        "no-minibatch-data",
        `${describe(context.node)}: Expected MBLayout in Input ${index}.`,
        `'${input.node.name}' does not depend on an input, so it has no samples to compare`,
      );
    });
  }
  return { shape: scalarShape, dynamicAxis: null };
}

/** CNTK gives a node without samples room for its values as a matrix, and code that makes another matrix stumbles over it. */
export const refusedView = {
  code: "sample-sizes",
  message: "Resize: Cannot resize the matrix because it is a view.",
  hint: "the operation takes minibatch data; of parameters and constants only columns",
} as const;

/** Samples go with samples only: CNTK's sentence for an input without them beside one that has some (Sequences.h). */
export function refusesSingles(inputs: readonly DataInput[]): string | undefined {
  const single = inputs.find(({ hasDynamicAxis }) => !hasDynamicAxis);
  if (!single || !inputs.some(({ hasDynamicAxis }) => hasDynamicAxis)) return undefined;
  const { name, op } = single.node;
  return `Node '${name}' (${op.name} operation): ColumnRangeWithMBLayoutFor: FrameRange's dynamic axis is inconsistent with matrix. They are compatible though--are you missing a ReconcileDynamicAxis operation?`;
}
