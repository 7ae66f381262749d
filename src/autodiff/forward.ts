import type { Assignment, NetworkNode, ShapedNetwork } from "../network/network.js";
import { restrictOrder } from "../network/node-order.js";
import { InternalGraph } from "./graph-builder.js";

/** Training and inference differ in what random and normalizing nodes do. */
export type Mode = "training" | "inference";

/** The forward part of an execution graph. */
export interface ForwardGraph {
  readonly mode: Mode;
  readonly builder: InternalGraph;
  /** The network's nodes that the roots need, in evaluation order. */
  readonly order: readonly NetworkNode[];
  /** The same with the internal nodes that they are computed with, each before its owner. */
  readonly fullOrder: readonly NetworkNode[];
  readonly companions: ReadonlyMap<NetworkNode, readonly NetworkNode[]>;
  /** State that the forward pass changes (running statistics). */
  readonly assignments: readonly Assignment[];
}

/** Everything that is computed for `roots`: their part of the network and the nodes' companions. */
export function forwardGraph(shaped: ShapedNetwork, roots: readonly NetworkNode[], mode: Mode): ForwardGraph {
  const builder = new InternalGraph(shaped);
  const order = restrictOrder(shaped.order, roots);
  const fullOrder: NetworkNode[] = [];
  const companions = new Map<NetworkNode, readonly NetworkNode[]>();
  const assignments: Assignment[] = [];
  for (const node of order) {
    const before = builder.nodes.length;
    const { attributes } = builder.facts(node);
    const made = builder.within(`${node.name}:forward`, () =>
      node.op.companions?.({ node, attributes, mode, build: builder }),
    );
    if (made && made.nodes.length > 0) companions.set(node, made.nodes);
    if (made?.assignments) assignments.push(...made.assignments);
    fullOrder.push(...builder.nodes.slice(before), node);
  }
  return { mode, builder, order, fullOrder, companions, assignments };
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
