import type { OpDefinition, ReduceOperation, ShapeContext, ShapeResult } from "../network/op-definition.js";
import { elementCount } from "../network/network.js";
import type { SampleShape } from "../network/network.js";
import { argument, constant, multiply } from "../primitives/expression.js";
import type { Expression } from "../primitives/expression.js";
import {
  at,
  booleanAttribute,
  defineOp,
  memoryNone,
  numberAttribute,
  shapeAttribute,
  stringAttribute,
} from "./define-op.js";
import type { OpEntry } from "./define-op.js";
import { asMatrix, emitMap, withDims } from "./lowering.js";
import { inferDynamicAxis, naryZip, scalarShape } from "./shape-rules.js";

/*
 * Operations that only cntkts makes: the vocabulary that gradients, updates and companions are written in. They are not
 * differentiated again, they do not appear in logs, and no script or model file can ask for them.
 */

/** Completes an internal operation. */
export function internalOp(entry: Omit<OpEntry, "internal" | "differentiable" | "source">): OpDefinition {
  return defineOp({
    ...entry,
    source: "cntkts (design.md §4: gradients are networks)",
    internal: true,
    differentiable: "none",
    memory: memoryNone,
  });
}

/** Elementwise expression; attribute `expression` is an Expression over the inputs. Without inputs the result is `[1]`. */
export const mapOp = internalOp({
  name: "Map",
  doc: "An elementwise expression over broadcast inputs.",
  inputs: [{ name: "x", doc: "An argument of the expression.", optional: true }],
  variadic: true,
  attributes: {
    expression: { kind: "string", doc: "The expression, as data (src/primitives/expression.ts)." },
  },
  shape: (context) =>
    context.inputs.length === 0 ? { shape: scalarShape, dynamicAxis: null } : naryZip(context),
  lower: (context) => emitMap(context, context.attributes["expression"] as Expression),
});

/**
 * Reduction to a smaller shape. Attributes: `shape`; `overSamples`: sum over the samples as well; `operation`; `scale`, by
 * which the rounded result is multiplied.
 */
export const reduceToOp = internalOp({
  name: "ReduceTo",
  doc: "Reduces the axes that are 1 in the given shape and, if asked, the samples.",
  inputs: [{ name: "x", doc: "What is reduced." }],
  attributes: {
    shape: { kind: "shape", doc: "Shape of the result; missing trailing dimensions count as 1." },
    overSamples: {
      kind: "boolean",
      doc: "Also over the samples; the result has no dynamic axis.",
      default: false,
    },
    operation: {
      kind: "string",
      doc: "sum, max, min, product, logSum, argmax or argmin.",
      default: "sum" satisfies ReduceOperation,
    },
    scale: { kind: "number", doc: "Factor of the rounded result.", default: 1 },
  },
  shape: ({ attributes, inputs }) => ({
    shape: shapeAttribute(attributes, "shape"),
    dynamicAxis: booleanAttribute(attributes, "overSamples") ? null : at(inputs, 0).dynamicAxis,
  }),
  lower(context) {
    const { attributes, output } = context;
    const input = at(context.inputs, 0);
    const rank = Math.max(input.dims.length, output.dims.length);
    const from = withDims(input, padded(input.dims, rank));
    const to = withDims(output, padded(output.dims, rank));
    const scale = numberAttribute(attributes, "scale");
    if (from.dims.every((dim, i) => dim === to.dims[i]) && from.perSample === to.perSample) {
      emitMap(context, scale === 1 ? argument(0) : multiply(constant(scale), argument(0)), [from], to);
      return;
    }
    const operation = stringAttribute(attributes, "operation") as ReduceOperation;
    context.emit({ kind: "reduce", operation, input: from, output: to, scale });
  },
});

function padded(shape: SampleShape, rank: number): SampleShape {
  return [...shape, ...new Array<number>(rank - shape.length).fill(1)];
}

/** The same elements under another shape, attribute `shape`. */
export const reshapeToOp = internalOp({
  name: "ReshapeTo",
  doc: "The same elements under another shape.",
  inputs: [{ name: "x", doc: "Any shape of the same number of elements." }],
  attributes: { shape: { kind: "shape", doc: "The new shape." } },
  shape(context): ShapeResult {
    const shape = shapeAttribute(context.attributes, "shape");
    const input = at(context.inputs, 0);
    if (elementCount(shape) !== elementCount(input.shape)) {
      throw new Error(`ReshapeTo: [${input.shape.join(" x ")}] does not fit into [${shape.join(" x ")}]`);
    }
    return { shape, dynamicAxis: input.dynamicAxis };
  },
  lower: (context) => context.emit({ kind: "copy", input: at(context.inputs, 0), output: context.output }),
});

/** A value that outlives a run: gradient accumulators, momentum. Attributes: `shape`, `initial` (all elements). */
export const stateOp = internalOp({
  name: "State",
  doc: "A value that lives as long as the executable; only assignments change it.",
  role: "state",
  inputs: [],
  attributes: {
    shape: { kind: "shape", doc: "Dimensions." },
    initial: { kind: "number", doc: "Value of all elements before anybody writes it.", default: 0 },
  },
  shape: ({ attributes }) => ({ shape: shapeAttribute(attributes, "shape"), dynamicAxis: null }),
});

/** Permutation of the sample's axes; attribute `axes`: axis i of the result is axis axes[i] of the input, from 0. */
export const transposeAxesOp = internalOp({
  name: "TransposeAxes",
  doc: "The axes of a sample in another order.",
  inputs: [{ name: "x", doc: "Any shape with as many axes as `from` has." }],
  attributes: {
    from: { kind: "shape", doc: "Dimensions under which the input is seen (same number of elements)." },
    axes: { kind: "shape", doc: "For each axis of the result the axis of the input, counted from 0." },
  },
  shape({ attributes, inputs }): ShapeResult {
    const from = shapeAttribute(attributes, "from");
    return {
      shape: shapeAttribute(attributes, "axes").map((axis) => at(from, axis)),
      dynamicAxis: at(inputs, 0).dynamicAxis,
    };
  },
  lower(context) {
    const { attributes, output } = context;
    context.emit({
      kind: "transpose",
      axes: shapeAttribute(attributes, "axes"),
      input: withDims(at(context.inputs, 0), shapeAttribute(attributes, "from")),
      output,
    });
  },
});

/**
 * op(a)·op(b) of matrices, the first `aRows` and `bRows` elements of a and b being a column. Has samples if b has and is not
 * transposed; with b transposed the samples are contracted.
 */
export const matrixProductOp = internalOp({
  name: "MatrixProduct",
  doc: "A matrix product, summed over the samples where they are contracted.",
  inputs: [
    { name: "a", doc: "Left matrix." },
    { name: "b", doc: "Right matrix." },
  ],
  attributes: {
    aRows: { kind: "integer", doc: "Rows of a." },
    bRows: { kind: "integer", doc: "Rows of b." },
    transposeA: { kind: "boolean", doc: "Use a transposed.", default: false },
    transposeB: { kind: "boolean", doc: "Use b transposed.", default: false },
    shape: { kind: "shape", doc: "Shape of the result." },
  },
  shape: ({ attributes, inputs }) => ({
    shape: shapeAttribute(attributes, "shape"),
    dynamicAxis: booleanAttribute(attributes, "transposeB") ? null : at(inputs, 1).dynamicAxis,
  }),
  lower(context) {
    const { attributes } = context;
    const transposeA = booleanAttribute(attributes, "transposeA");
    const a = asMatrix(at(context.inputs, 0), numberAttribute(attributes, "aRows"));
    const b = asMatrix(at(context.inputs, 1), numberAttribute(attributes, "bRows"));
    const output = asMatrix(context.output, transposeA ? a.columns : a.rows);
    context.emit({
      kind: "matmul",
      a,
      b,
      output,
      transposeA,
      transposeB: booleanAttribute(attributes, "transposeB"),
    });
  },
});

/** Like the only input, with attributes that name the engine and the run-time number that is the rate. */
export const dropoutMaskOp = internalOp({
  name: "DropoutMask",
  doc: "A random mask of 0 and 1/(1−rate), shaped like the input.",
  inputs: [{ name: "like", doc: "Gives shape and samples; its values are not read." }],
  attributes: {
    engine: { kind: "string", doc: "Name of the random engine: the dropout node's." },
    rate: { kind: "string", doc: "Name of the run-time number that holds the rate.", default: "dropoutRate" },
  },
  shape: (context: ShapeContext): ShapeResult => ({
    shape: at(context.inputs, 0).shape,
    dynamicAxis: inferDynamicAxis(context),
    storage: "dense",
  }),
  lower(context) {
    const { attributes, output } = context;
    context.emit({
      kind: "dropoutMask",
      engine: stringAttribute(attributes, "engine"),
      rate: stringAttribute(attributes, "rate"),
      output,
    });
  },
});

export const internalOperations: readonly OpDefinition[] = [
  mapOp,
  reduceToOp,
  reshapeToOp,
  stateOp,
  transposeAxesOp,
  matrixProductOp,
  dropoutMaskOp,
];
