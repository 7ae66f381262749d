import type { ExecutionGraph } from "../network/execution-graph.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { backwardGraph } from "./backward.js";
import type { Mode } from "./forward.js";
import { forwardGraph, neededNodes } from "./forward.js";

/**
 * The graph that computes `outputs`: entry `evaluate`. In training mode dropout drops and batch normalization uses (and
 * updates) the minibatch's statistics, as in a `write` with nodeUnitTest.
 */
export function inferenceGraph(
  shaped: ShapedNetwork,
  outputs: readonly NetworkNode[],
  mode: Mode = "inference",
): ExecutionGraph {
  const forward = forwardGraph(shaped, outputs, mode);
  const { assignments, companions } = forward;
  const roots = [...outputs, ...assignments.flatMap(({ state, value }) => [state, value])];
  return {
    mode,
    facts: forward.builder.allFacts(),
    companions,
    entries: { evaluate: { order: neededNodes(forward.fullOrder, roots, companions), outputs, assignments } },
  };
}

export interface GradientRequest {
  /** Its elements' sum is differentiated. */
  readonly root: NetworkNode;
  /** Nodes whose gradients are asked for: parameters, inputs, anything below the root. */
  readonly wanted: readonly NetworkNode[];
  /** Values to return beside the gradients. */
  readonly outputs?: readonly NetworkNode[];
}

export interface GradientGraph {
  readonly graph: ExecutionGraph;
  /** The node that holds each wanted gradient; the results of a run carry its name. Nodes that are not below the root have none. */
  readonly gradients: ReadonlyMap<NetworkNode, NetworkNode>;
}

/** The graph that computes values and gradients in one go (training mode): entry `gradients`, all of them outputs. */
export function gradientGraph(shaped: ShapedNetwork, options: GradientRequest): GradientGraph {
  const { root, wanted, outputs = [] } = options;
  const forward = forwardGraph(shaped, [root, ...outputs], "training");
  const before = forward.builder.nodes.length;
  const computed = new Set(forward.fullOrder);
  const below = wanted.filter((node) => computed.has(node));
  const gradients = backwardGraph(forward, root, below);
  const order = [...forward.fullOrder, ...forward.builder.nodes.slice(before)];
  const { assignments, companions } = forward;
  const results = [...new Set([...outputs, ...gradients.values()])];
  const roots = [...results, ...assignments.flatMap(({ state, value }) => [state, value])];
  return {
    graph: {
      mode: "training",
      facts: forward.builder.allFacts(),
      companions,
      entries: {
        gradients: { order: neededNodes(order, roots, companions), outputs: results, assignments },
      },
    },
    gradients,
  };
}
