import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, SampleShape } from "../network/network.js";
import { add, argument, constant } from "../primitives/expression.js";
import type { Parameters } from "../primitives/parameters.js";
import { type ForwardGraph, neededNodes, writtenOutAs } from "./forward.js";
import type { InternalGraph } from "./graph-builder.js";

/**
 * The gradient of the sum of all of `root`'s elements with respect to each of `wanted`, as new nodes. Reverse mode: the
 * root's gradient is 1, then every node, in the reverse of the evaluation order, hands its gradient on to its inputs, first
 * input first; what several consumers hand to one node is added in that order (an `overwritesGradient` replaces it).
 * Only nodes with one of `wanted` below them take part. Throws CntkError where an op has no gradient.
 *
 * A recurrence closes a cycle by inputs that stand later in the order than their users (delay nodes). What such a user hands on
 * is made before its own gradient exists, from a placeholder that is filled once the walk has come to the user. The
 * gradient of a delay is the opposite delay, so the result is a network whose cycles are closed by delays again.
 * Source: ComputationNetworkEvaluation.cpp, Backprop; ComputationNode.h, Backprop.
 *
 * `seen` is told the gradient of each node's first input as it is when the node has handed on its own.
 */
export function backwardGraph(
  forward: ForwardGraph,
  root: NetworkNode,
  wanted: Iterable<NetworkNode>,
  seen?: GradientsSeen,
): Map<NetworkNode, NetworkNode> {
  const targets = new Set(wanted);
  const walk = new BackwardWalk(forward, root, targets, seen);
  walk.run();
  const { builder } = forward;
  return new Map(
    Array.from(targets, (node) => [
      node,
      walk.gradients.get(node) ?? builder.map(constant(0), [node], `${node.name}:gradient`),
    ]),
  );
}

type Gaps = Parameters["reduce"]["gaps"];

/** Told of a node, and of the gradient of its first input by the time that the node has added to it. */
export type GradientsSeen = (node: NetworkNode, gradient: NetworkNode) => void;

class BackwardWalk {
  readonly gradients = new Map<NetworkNode, NetworkNode>();
  private readonly builder: InternalGraph;
  private readonly order: readonly NetworkNode[];
  private readonly position: ReadonlyMap<NetworkNode, number>;
  private readonly takesPart: ReadonlySet<NetworkNode>;
  /** Nodes whose gradient is not zero in gaps, where CNTK has not masked it by then. */
  private readonly reachesGaps = new Set<NetworkNode>();
  /** Stands for the gradient of a node that hands something on before it has been reached. */
  private readonly placeholders = new Map<NetworkNode, NetworkNode>();

  constructor(
    private readonly forward: ForwardGraph,
    private readonly root: NetworkNode,
    targets: ReadonlySet<NetworkNode>,
    private readonly seen: GradientsSeen | undefined,
  ) {
    this.builder = forward.builder;
    this.order = neededNodes(forward.order, [root], forward.companions);
    this.position = new Map(this.order.map((node, index) => [node, index]));
    this.takesPart = this.aboveTargets(targets);
  }

  run(): void {
    const { builder, root } = this;
    this.gradients.set(root, builder.map(constant(1), [root], `${root.name}:gradient`));
    this.reachesGaps.add(root);
    for (const node of this.order) if (this.handsOnEarly(node)) this.handOnEarly(node);
    for (const node of [...this.order].reverse()) {
      if (!this.inputsOf(node).some((input) => this.takesPart.has(input))) continue;
      const placeholder = this.placeholders.get(node);
      if (placeholder) {
        const gradient = this.gradients.get(node) ?? builder.map(constant(0), [node]);
        builder.attach(placeholder, gradient);
        this.gradients.set(node, placeholder);
      }
      builder.within(node, "backward", () => this.handOn(node));
    }
  }

  /** Nodes with one of the targets below them, targets included; round cycles too. */
  private aboveTargets(targets: ReadonlySet<NetworkNode>): ReadonlySet<NetworkNode> {
    const consumers = new Map<NetworkNode, NetworkNode[]>();
    for (const node of this.order) {
      for (const input of this.inputsOf(node)) {
        const known = consumers.get(input);
        if (known) known.push(node);
        else consumers.set(input, [node]);
      }
    }
    const reached = new Set(this.order.filter((node) => targets.has(node)));
    const pending = [...reached];
    for (let node = pending.pop(); node; node = pending.pop()) {
      for (const consumer of consumers.get(node) ?? []) {
        if (reached.has(consumer)) continue;
        reached.add(consumer);
        pending.push(consumer);
      }
    }
    return reached;
  }

  private inputsOf(node: NetworkNode): readonly NetworkNode[] {
    const value = writtenOutAs(this.forward, node);
    return value ? [value] : node.inputs;
  }

  /** Does an input come later in the order? Only where a cycle is closed. */
  private handsOnEarly(node: NetworkNode): boolean {
    const own = this.position.get(node) ?? 0;
    return node.inputs.some((input) => this.takesPart.has(input) && (this.position.get(input) ?? 0) > own);
  }

  private handOnEarly(node: NetworkNode): void {
    const own = this.position.get(node) ?? 0;
    const placeholder = this.builder.later(`${node.name}:gradient`, node);
    this.placeholders.set(node, placeholder);
    this.reachesGaps.add(node);
    this.builder.within(node, "backward", () =>
      this.propagate(node, placeholder, (input) => (this.position.get(input) ?? 0) > own),
    );
  }

  /** Hands a node's gradient on to its inputs, but for those that had it early. */
  private handOn(node: NetworkNode): void {
    const outputGradient = this.gradients.get(node);
    if (outputGradient) this.checkInputs(node);
    const value = writtenOutAs(this.forward, node);
    if (value) {
      if (outputGradient) this.add(value, outputGradient, false);
      return;
    }
    if (node.op.differentiable === "error" && !node.op.gradient) throw noGradient(node);
    if (!outputGradient) return;
    const own = this.position.get(node) ?? 0;
    this.propagate(node, outputGradient, (input) => (this.position.get(input) ?? 0) < own);
  }

  /** Throws where an op does not want one of its inputs to take part. */
  private checkInputs(node: NetworkNode): void {
    node.inputs.forEach((input, index) => {
      const message = this.takesPart.has(input) && node.op.refusesGradient?.(node, index);
      if (message) throw refusedGradient(node, input, message);
    });
  }

  private propagate(
    node: NetworkNode,
    outputGradient: NetworkNode,
    isMeant: (input: NetworkNode) => boolean,
  ): void {
    if (!node.op.gradient || node.op.differentiable === "none") return;
    const { attributes, details } = this.builder.facts(node);
    const wants = (index: number): boolean => {
      const input = node.inputs[index];
      return input !== undefined && this.takesPart.has(input) && isMeant(input);
    };
    if (!node.inputs.some((_, index) => wants(index))) return;
    const contributions = node.op.gradient({
      node,
      attributes,
      details,
      inputs: node.inputs,
      companions: this.forward.companions.get(node) ?? [],
      outputGradient,
      wants,
      build: this.builder,
    });
    const overwrites = node.op.overwritesGradient?.(attributes) ?? [];
    const isMasked = this.maskedInputs(node, wants);
    node.inputs.forEach((input, index) => {
      const contribution = contributions[index];
      if (!contribution || !wants(index)) return;
      const gaps = node.op.countsGaps && !isMasked(index) ? "counted" : "skipped";
      this.add(input, contribution, overwrites[index] ?? false, gaps);
      if (!isMasked(index)) this.reachesGaps.add(input);
    });
    const gradient = node.inputs[0] && this.gradients.get(node.inputs[0]);
    if (gradient && wants(0)) this.seen?.(node, gradient);
  }

  /**
   * Which inputs get a gradient whose gaps are zero? Before CNTK adds up the samples for an input that has none of its own,
   * it zeroes the gaps of the node's gradient, and they are zero for the inputs that follow.
   */
  private maskedInputs(node: NetworkNode, wants: (index: number) => boolean): (index: number) => boolean {
    if (!this.reachesGaps.has(node)) return () => true;
    const { builder } = this;
    if (node.op.countsGaps || !builder.facts(node).dynamicAxis) return () => false;
    const masking = node.inputs.findIndex(
      (input, index) => wants(index) && !builder.facts(input).dynamicAxis,
    );
    return (index) => masking >= 0 && masking < index;
  }

  private add(
    input: NetworkNode,
    contribution: NetworkNode,
    overwrites: boolean,
    gaps: Gaps = "skipped",
  ): void {
    const { builder, gradients } = this;
    const fitted = fitTo(builder, contribution, input, gaps);
    const soFar = overwrites ? undefined : gradients.get(input);
    gradients.set(input, soFar ? sum(builder, soFar, fitted, `${input.name}:gradient`) : fitted);
  }
}

/** The sum of two gradients of one node; a touched one is written out beside a dense one. */
function sum(builder: InternalGraph, a: NetworkNode, b: NetworkNode, name: string): NetworkNode {
  const facts = [builder.facts(a), builder.facts(b)] as const;
  const { shape, dynamicAxis } = facts.find(({ storage }) => storage === "dense") ?? facts[0];
  if (facts.every(({ storage }) => storage === "touched")) {
    return builder.primitive("addTouched", [a, b], {}, { shape, dynamicAxis, storage: "touched" });
  }
  const [left, right] = [a, b].map((node, index) =>
    facts[index as 0 | 1].storage === "dense"
      ? node
      : builder.primitive("toDense", [node], {}, { shape, dynamicAxis }),
  ) as [NetworkNode, NetworkNode];
  return builder.map(add(argument(0), argument(1)), [left, right], name);
}

/**
 * Reduces a contribution over the axes (and samples) along which the input was broadcast, or spreads a constant one; brings
 * it under the input's dynamic axis, where the consumer has another one of the same layout.
 */
function fitTo(
  builder: InternalGraph,
  contribution: NetworkNode,
  input: NetworkNode,
  gaps: Gaps,
): NetworkNode {
  if (builder.facts(contribution).storage === "touched") {
    // Only updates know lists of columns: what hands a gradient on takes it written out.
    if (input.op.role === "parameter") return contribution;
    const { shape, dynamicAxis } = builder.facts(input);
    return builder.primitive("toDense", [contribution], {}, { shape, dynamicAxis });
  }
  const fitted = fitShape(builder, contribution, input, gaps);
  const [{ shape, dynamicAxis }, wanted] = [builder.facts(fitted), builder.facts(input).dynamicAxis];
  if (dynamicAxis === null || wanted === null || dynamicAxis === wanted) return fitted;
  return builder.primitive("reconcile", [fitted, input], { repeats: false }, { shape, dynamicAxis: wanted });
}

function fitShape(
  builder: InternalGraph,
  contribution: NetworkNode,
  input: NetworkNode,
  gaps: Gaps,
): NetworkNode {
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
    return builder.reduceTo(fitted, target.shape, target.dynamicAxis, "sum", 1, gaps);
  }
  return shape.length === target.shape.length ? fitted : builder.reshape(fitted, target.shape);
}

function extended(shape: SampleShape, rank: number): SampleShape {
  return [...shape, ...Array<number>(rank - shape.length).fill(1)];
}

function sameShape(a: SampleShape, b: SampleShape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

function refusedGradient(node: NetworkNode, input: NetworkNode, message: string): CntkError {
  return new CntkError({
    code: "no-gradient",
    message,
    span: node.origin,
    label: `no gradient passes through '${node.name}' to '${input.name}'`,
    calls: node.calls?.map((span) => ({ span })),
    hint: `'${input.name}' must not depend on a parameter that is learned`,
  });
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
