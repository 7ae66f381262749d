import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, ShapedNetwork } from "./network.js";
import { depthFirstOrder } from "./node-order.js";

/*
 * Statistics of the training set (Mean, InvStdDev): nodes that training computes before its first epoch and that are
 * constants from then on.
 */

/** Has a statistic its value? */
export function isComputed(node: NetworkNode, { facts }: Pick<ShapedNetwork, "facts">): boolean {
  return (facts.get(node)?.attributes ?? node.attributes)["hasComputed"] === true;
}

/** The statistics that a training has to compute first, in evaluation order (ComputationNetwork.cpp, GetNodesRequiringPreComputation). */
export function statisticsToCompute(shaped: ShapedNetwork): NetworkNode[] {
  return shaped.order.filter((node) => node.op.role === "precompute" && !isComputed(node, shaped));
}

/** The network once its statistics have their values. */
export function withStatistics(shaped: ShapedNetwork, computed: readonly NetworkNode[]): ShapedNetwork {
  const facts = new Map(shaped.facts);
  for (const node of computed) {
    const known = facts.get(node);
    if (known) facts.set(node, { ...known, attributes: { ...known.attributes, hasComputed: true } });
  }
  return { ...shaped, facts };
}

/** @throws CntkError where nodes need a statistic that no training has computed. */
export function requireStatistics(shaped: ShapedNetwork, nodes: readonly NetworkNode[]): void {
  const missing = depthFirstOrder(nodes).find(
    (node) => node.op.role === "precompute" && !isComputed(node, shaped),
  );
  if (!missing) return;
  throw new CntkError({
    code: "statistics-missing",
    message: `${missing.name} ${missing.op.name} operation: MarkComputed(false) has not been called.`,
    span: missing.origin,
    calls: missing.calls?.map((span) => ({ span })),
    hint: "it is a statistic of training data, which training computes: name a trained model (modelPath) instead of describing the network",
  });
}
