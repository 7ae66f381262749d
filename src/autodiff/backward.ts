import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, SampleShape } from "../network/network.js";
import { restrictOrder } from "../network/node-order.js";
import { add, argument, constant } from "../primitives/expression.js";
import type { ForwardGraph } from "./forward.js";
import type { InternalGraph } from "./graph-builder.js";

/**
 * The gradient of the sum of all of `root`'s elements with respect to each of `wanted`, as new nodes. Reverse mode: the
 * root's gradient is 1, then every node, in the reverse of the evaluation order, hands its gradient on to its inputs, first
 * input first; what several consumers hand to one node is added in that order (an `overwritesGradient` replaces it).
 * Only nodes with one of `wanted` below them take part. Throws CntkError where an op has no gradient.
 * Source: ComputationNetworkEvaluation.cpp, Backprop; ComputationNode.h, Backprop.
 */
export function backwardGraph(
  forward: ForwardGraph,
  root: NetworkNode,
  wanted: Iterable<NetworkNode>,
): Map<NetworkNode, NetworkNode> {
  const { builder } = forward;
  const order = restrictOrder(forward.order, [root]);
  const targets = new Set(wanted);
  const takesPart = new Set<NetworkNode>();
  for (const node of order) {
    if (targets.has(node) || node.inputs.some((input) => takesPart.has(input))) takesPart.add(node);
  }
  const gradients = new Map<NetworkNode, NetworkNode>();
  gradients.set(root, builder.map(constant(1), [root], `${root.name}:gradient`));
  for (const node of order.reverse()) {
    if (!node.inputs.some((input) => takesPart.has(input))) continue;
    builder.within(`${node.name}:backward`, () => propagate(forward, node, takesPart, gradients));
  }
  return new Map(
    Array.from(targets, (node) => [
      node,
      gradients.get(node) ?? builder.map(constant(0), [node], `${node.name}:gradient`),
    ]),
  );
}

/** Hands a node's gradient on to its inputs. */
function propagate(
  forward: ForwardGraph,
  node: NetworkNode,
  takesPart: ReadonlySet<NetworkNode>,
  gradients: Map<NetworkNode, NetworkNode>,
): void {
  const { builder } = forward;
  if (node.op.differentiable === "error" && !node.op.gradient) throw noGradient(node);
  const outputGradient = gradients.get(node);
  if (!outputGradient || !node.op.gradient || node.op.differentiable === "none") return;
  const { attributes } = builder.facts(node);
  const contributions = node.op.gradient({
    node,
    attributes,
    inputs: node.inputs,
    companions: forward.companions.get(node) ?? [],
    outputGradient,
    wants: (index) => {
      const input = node.inputs[index];
      return input !== undefined && takesPart.has(input);
    },
    build: builder,
  });
  const overwrites = node.op.overwritesGradient?.(attributes) ?? [];
  node.inputs.forEach((input, index) => {
    const contribution = contributions[index];
    if (!contribution || !takesPart.has(input)) return;
    const fitted = fitTo(builder, contribution, input);
    const soFar = overwrites[index] ? undefined : gradients.get(input);
    gradients.set(
      input,
      soFar ? builder.map(add(argument(0), argument(1)), [soFar, fitted], `${input.name}:gradient`) : fitted,
    );
  });
}

/** Reduces a contribution over the axes (and samples) along which the input was broadcast, or spreads a constant one. */
function fitTo(builder: InternalGraph, contribution: NetworkNode, input: NetworkNode): NetworkNode {
  const target = builder.facts(input);
  let fitted = contribution;
  let { shape, dynamicAxis } = builder.facts(fitted);
  const isNarrower = target.shape.some((dim, axis) => (shape[axis] ?? 1) < dim);
  if (isNarrower || (target.dynamicAxis !== null && dynamicAxis === null)) {
    fitted = builder.map(argument(0), [fitted, input]);
    ({ shape, dynamicAxis } = builder.facts(fitted));
  }
  const rank = Math.max(shape.length, target.shape.length);
  const isWider = !sameShape(extended(shape, rank), extended(target.shape, rank));
  if (isWider || (dynamicAxis !== null && target.dynamicAxis === null)) {
    return builder.reduceTo(fitted, target.shape, target.dynamicAxis);
  }
  return shape.length === target.shape.length ? fitted : builder.reshape(fitted, target.shape);
}

function extended(shape: SampleShape, rank: number): SampleShape {
  return [...shape, ...Array<number>(rank - shape.length).fill(1)];
}

function sameShape(a: SampleShape, b: SampleShape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

function noGradient(node: NetworkNode): CntkError {
  return new CntkError({
    code: "no-gradient",
    message: `${node.op.name} operation is used for evaluation only.`,
    span: node.origin,
    label: `no gradient passes through '${node.name}'`,
    calls: node.calls?.map((span) => ({ span })),
    hint: "a criterion to train with must be differentiable, e.g. CrossEntropyWithSoftmax or SquareError",
  });
}
