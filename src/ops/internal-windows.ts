import type { NetworkNode } from "../network/network.js";
import type { GraphBuilder, OpDefinition } from "../network/op-definition.js";
import type { Geometry } from "../primitives/instruction.js";
import { at, booleanAttribute, shapeAttribute, stringAttribute } from "./define-op.js";
import { internalOp } from "./internal.js";

/*
 * The instructions on sliding windows as nodes, for gradients: convolution and its two adjoints, pooling and its adjoint.
 * All take the attribute `geometry` (src/primitives/instruction.ts) and the `shape` of their result.
 */

const geometryAttributes = {
  geometry: { kind: "string", doc: "Where the windows lie, as data (src/primitives/instruction.ts)." },
  shape: { kind: "shape", doc: "Shape of the result." },
} as const;

const geometryOf = (attributes: Readonly<Record<string, unknown>>): Geometry =>
  attributes["geometry"] as Geometry;

const convolutionForwardOp = internalOp({
  name: "ConvolutionForward",
  doc: "Cross-correlation of the input with the weights.",
  inputs: [
    { name: "weights", doc: "Kernels one after another." },
    { name: "x", doc: "The input." },
  ],
  attributes: geometryAttributes,
  shape: ({ attributes, inputs }) => ({
    shape: shapeAttribute(attributes, "shape"),
    dynamicAxis: at(inputs, 1).dynamicAxis,
  }),
  lower(context) {
    const { attributes, inputs, output } = context;
    context.emit({
      kind: "convolution",
      geometry: geometryOf(attributes),
      weights: at(inputs, 0),
      input: at(inputs, 1),
      output,
    });
  },
});

const convolutionInputGradientOp = internalOp({
  name: "ConvolutionInputGradient",
  doc: "The adjoint of a convolution with respect to its input.",
  inputs: [
    { name: "weights", doc: "Kernels one after another." },
    { name: "gradient", doc: "Gradient of the convolution's output." },
  ],
  attributes: geometryAttributes,
  shape: ({ attributes, inputs }) => ({
    shape: shapeAttribute(attributes, "shape"),
    dynamicAxis: at(inputs, 1).dynamicAxis,
  }),
  lower(context) {
    const { attributes, inputs, output } = context;
    context.emit({
      kind: "convolutionInputGradient",
      geometry: geometryOf(attributes),
      weights: at(inputs, 0),
      outputGradient: at(inputs, 1),
      output,
    });
  },
});

const convolutionWeightGradientOp = internalOp({
  name: "ConvolutionWeightGradient",
  doc: "The adjoint of a convolution with respect to its weights, summed over the samples.",
  inputs: [
    { name: "x", doc: "The convolution's input." },
    { name: "gradient", doc: "Gradient of the convolution's output." },
  ],
  attributes: geometryAttributes,
  shape: ({ attributes }) => ({ shape: shapeAttribute(attributes, "shape"), dynamicAxis: null }),
  lower(context) {
    const { attributes, inputs, output } = context;
    context.emit({
      kind: "convolutionWeightGradient",
      geometry: geometryOf(attributes),
      input: at(inputs, 0),
      outputGradient: at(inputs, 1),
      output,
    });
  },
});

const poolAttributes = {
  ...geometryAttributes,
  mode: { kind: "string", doc: "max or average." },
  includePad: { kind: "boolean", doc: "Average over the whole kernel.", default: false },
} as const;

const modeOf = (attributes: Readonly<Record<string, unknown>>): "max" | "average" =>
  stringAttribute(attributes, "mode") === "max" ? "max" : "average";

const poolForwardOp = internalOp({
  name: "PoolForward",
  doc: "Maximum or average over each window.",
  inputs: [{ name: "x", doc: "The input." }],
  attributes: poolAttributes,
  shape: ({ attributes, inputs }) => ({
    shape: shapeAttribute(attributes, "shape"),
    dynamicAxis: at(inputs, 0).dynamicAxis,
  }),
  lower(context) {
    const { attributes, inputs, output } = context;
    context.emit({
      kind: "pool",
      mode: modeOf(attributes),
      includePad: booleanAttribute(attributes, "includePad"),
      geometry: geometryOf(attributes),
      input: at(inputs, 0),
      output,
    });
  },
});

const poolGradientOp = internalOp({
  name: "PoolGradient",
  doc: "The adjoint of pooling: the gradient of its input.",
  inputs: [
    { name: "gradient", doc: "Gradient of the pooling's output." },
    { name: "x", doc: "The pooling's input; only for max.", optional: true },
    { name: "pooled", doc: "The pooling's output; only for max.", optional: true },
  ],
  attributes: poolAttributes,
  shape: ({ attributes, inputs }) => ({
    shape: shapeAttribute(attributes, "shape"),
    dynamicAxis: at(inputs, 0).dynamicAxis,
  }),
  lower(context) {
    const { attributes, inputs, output } = context;
    const [outputGradient, input, pooled] = [at(inputs, 0), inputs[1], inputs[2]];
    context.emit({
      kind: "poolGradient",
      mode: modeOf(attributes),
      includePad: booleanAttribute(attributes, "includePad"),
      geometry: geometryOf(attributes),
      ...(input && { input }),
      ...(pooled && { pooled }),
      outputGradient,
      output,
    });
  },
});

/** Node: cross-correlation of `x` with `weights`, shaped `geometry.output`. */
export function buildConvolution(
  build: GraphBuilder,
  geometry: Geometry,
  weights: NetworkNode,
  x: NetworkNode,
  shape = geometry.output,
): NetworkNode {
  return build.apply(convolutionForwardOp, [weights, x], { geometry, shape });
}

/** Node: gradient of a convolution's input, shaped `geometry.input`. */
export function buildConvolutionInputGradient(
  build: GraphBuilder,
  geometry: Geometry,
  weights: NetworkNode,
  gradient: NetworkNode,
  shape = geometry.input,
): NetworkNode {
  return build.apply(convolutionInputGradientOp, [weights, gradient], { geometry, shape });
}

/** Node: gradient of a convolution's weights, in the memory order of the weights, shaped `shape`. */
export function buildConvolutionWeightGradient(
  build: GraphBuilder,
  geometry: Geometry,
  x: NetworkNode,
  gradient: NetworkNode,
  shape: readonly number[],
): NetworkNode {
  return build.apply(convolutionWeightGradientOp, [x, gradient], { geometry, shape });
}

export interface PoolKind {
  readonly mode: "max" | "average";
  readonly includePad: boolean;
}

/** Node: pooling of `x`. */
export function buildPool(
  build: GraphBuilder,
  kind: PoolKind,
  geometry: Geometry,
  x: NetworkNode,
  shape = geometry.output,
): NetworkNode {
  return build.apply(poolForwardOp, [x], { ...kind, geometry, shape });
}

/** Node: gradient of a pooling's input; `values` = the pooling's input and output, needed for max only. */
export function buildPoolGradient(
  build: GraphBuilder,
  kind: PoolKind,
  geometry: Geometry,
  gradient: NetworkNode,
  values: readonly [x: NetworkNode, pooled: NetworkNode] | readonly [],
  shape = geometry.input,
): NetworkNode {
  return build.apply(poolGradientOp, [gradient, ...values], { ...kind, geometry, shape });
}

export const internalWindowOperations: readonly OpDefinition[] = [
  convolutionForwardOp,
  convolutionInputGradientOp,
  convolutionWeightGradientOp,
  poolForwardOp,
  poolGradientOp,
];
