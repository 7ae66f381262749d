import { CntkError } from "../diagnostics/diagnostic.js";
import { findNode } from "../network/find-node.js";
import { elementCount, type NetworkNode, type ShapedNetwork } from "../network/network.js";
import type { Session } from "../session.js";

/** All evaluation nodes and then all criteria, where a command names none. Throws CntkError `no-criterion` where there are none. */
export function defaultEvaluationNodes(
  { log }: Pick<Session, "log">,
  { network: { groups } }: ShapedNetwork,
): NetworkNode[] {
  const what = "using all the default evalnodes and training criterion nodes";
  log.write(`evalNodeNames are not specified, ${what}.\n`);
  const nodes = [...new Set([...groups.evaluation, ...groups.criterion])];
  if (nodes.length > 0) return nodes;
  throw new CntkError({
    code: "no-criterion",
    message: "There is no default evaluation node or training criterion specified in the network.",
    hint: "name nodes to evaluate: evalNodeNames = (ce:err)",
  });
}

/**
 * The nodes of these names, or the default ones (ComputationNetwork.h, GetEvalNodesWithName).
 * @throws CntkError `node-unknown`, `criterion-not-scalar`.
 */
export function evaluationNodesNamed(
  session: Pick<Session, "log">,
  shaped: ShapedNetwork,
  names: readonly string[],
): NetworkNode[] {
  if (names.length === 0) return defaultEvaluationNodes(session, shaped);
  return names.map((name) => {
    const node = findNode(shaped.network.nodes, name);
    if (node) {
      requireScalar(shaped, node);
      return node;
    }
    throw new CntkError({
      code: "node-unknown",
      message: `There is no node named '${name}' in the network.`,
    });
  });
}

/** @throws CntkError `criterion-not-scalar` for a node with several elements. */
export function requireScalar(shaped: ShapedNetwork, node: NetworkNode): void {
  const shape = shaped.facts.get(node)?.shape ?? [];
  if (elementCount(shape) === 1) return;
  throw new CntkError({
    code: "criterion-not-scalar",
    message: "Criterion nodes to evaluate must have dimension 1x1.",
    span: node.origin,
    label: `${node.name} has ${elementCount(shape)} elements`,
  });
}
