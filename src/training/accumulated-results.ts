import { elementCount, type NetworkNode, type ShapedNetwork } from "../network/network.js";
import { depthFirstOrder } from "../network/node-order.js";
import type { Values } from "../numerics/values.js";

/*
 * EpochAccumulator: the mean of a value over all samples of an epoch or evaluation so far. What is made of it is a result of
 * the whole pass, which neither minibatches nor samples divide.
 */

const isAccumulator = ({ op }: NetworkNode): boolean => op.name === "EpochAccumulator";

/** Is a node's value a result of the pass so far? (ComputationNetworkEvaluation.cpp, ExtractNodesWhichAccumulateResult) */
export function accumulates(node: NetworkNode): boolean {
  return depthFirstOrder([node]).some(isAccumulator);
}

/** What the accumulators below some nodes remember, as it is when a pass begins, by the names of the states. */
export function emptyAccumulators(
  nodes: readonly NetworkNode[],
  { facts }: ShapedNetwork,
  states: ReadonlySet<string>,
): ReadonlyMap<string, Values> {
  const empty = depthFirstOrder(nodes)
    .filter(isAccumulator)
    .flatMap((node): [string, Values][] => [
      [`${node.name}.average`, new Float64Array(elementCount(facts.get(node)?.shape ?? []))],
      [`${node.name}.sampleCount`, new Float64Array(1)],
    ]);
  return new Map(empty.filter(([name]) => states.has(name)));
}
