import type { Assignment } from "../network/execution-graph.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { restrictOrder } from "../network/node-order.js";
import { InternalGraph } from "./graph-builder.js";

/** Training and inference differ in what random and normalizing nodes do. */
export type Mode = "training" | "inference";

/** The forward part of an execution graph. */
export interface ForwardGraph {
  readonly mode: Mode;
  readonly builder: InternalGraph;
  /** The nodes that the roots need, in evaluation order; a node that is written out as others stands behind these. */
  readonly order: readonly NetworkNode[];
  /** The same with the internal nodes that they are computed with, each before its owner. */
  readonly fullOrder: readonly NetworkNode[];
  /** Internal nodes beside a node's inputs; of a node that is written out as others, the one that has its value. */
  readonly companions: ReadonlyMap<NetworkNode, readonly NetworkNode[]>;
  /** State that the forward pass changes (running statistics). */
  readonly assignments: readonly Assignment[];
}

/** Everything that is computed for `roots`: their part of the network and what its nodes are computed with. */
export function forwardGraph(shaped: ShapedNetwork, roots: readonly NetworkNode[], mode: Mode): ForwardGraph {
  const builder = new InternalGraph(shaped);
  const order: NetworkNode[] = [];
  const fullOrder: NetworkNode[] = [];
  const companions = new Map<NetworkNode, readonly NetworkNode[]>();
  const assignments: Assignment[] = [];
  const add = (node: NetworkNode): void => {
    const before = builder.nodes.length;
    const { attributes, details } = builder.facts(node);
    const context = { node, attributes, details, mode, build: builder };
    if (node.op.expand) {
      const value = builder.within(node, "expanded", () => node.op.expand?.(context));
      // What it is written out as may need companions of its own.
      for (const part of builder.nodes.slice(before)) add(part);
      if (value) companions.set(node, [value]);
    } else {
      const made = builder.within(node, "forward", () => node.op.companions?.(context));
      if (made && made.nodes.length > 0) companions.set(node, made.nodes);
      if (made?.assignments) assignments.push(...made.assignments);
      fullOrder.push(...builder.nodes.slice(before));
    }
    order.push(node);
    fullOrder.push(node);
  };
  for (const node of restrictOrder(shaped.order, roots)) add(node);
  return { mode, builder, order, fullOrder, companions, assignments };
}

/** The node that has the value of a node which is written out as others. */
export function writtenOutAs(forward: ForwardGraph, node: NetworkNode): NetworkNode | undefined {
  return node.op.expand && forward.companions.get(node)?.[0];
}

/** The nodes of `order` that `roots` need, directly or as inputs and companions of others; cuts what nothing asks for. */
export function neededNodes(
  order: readonly NetworkNode[],
  roots: Iterable<NetworkNode>,
  companions: ReadonlyMap<NetworkNode, readonly NetworkNode[]>,
): NetworkNode[] {
  const needed = new Set<NetworkNode>();
  const pending = [...roots];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    pending.push(...node.inputs, ...(companions.get(node) ?? []));
  }
  return order.filter((node) => needed.has(node));
}
