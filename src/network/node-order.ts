import { CntkError } from "../diagnostics/diagnostic.js";
import type { Network, NetworkNode } from "./network.js";

/** Compares names as CNTK sorts them: by code point, upper case before lower case. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return rankOfUnit(left) - rankOfUnit(right);
  }
  return a.length - b.length;
}

/** Halves of a code point above 0xFFFF come after all whole ones. */
function rankOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The nodes sorted by name (code points); nodes of equal name keep their order. */
export function sortedByName<T extends { readonly name: string }>(nodes: Iterable<T>): T[] {
  return [...nodes].sort((a, b) => compareNames(a.name, b.name));
}

/**
 * All roots of a network by name: nodes that nobody uses, the criterion, evaluation and output groups, and all nodes
 * that are precomputed. Throws when an input was never attached.
 * Source: ComputationNetwork.cpp, DetermineSetOfAllRoots.
 */
export function collectRoots(network: Network): NetworkNode[] {
  const used = new Set<NetworkNode>();
  for (const node of network.nodes) {
    node.inputs.forEach((input: NetworkNode | undefined, index) => {
      if (!input) {
        throw new CntkError({
          code: "network-malformed",
          message: `DetermineSetOfAllRoots: Input ${index} of ${node.name} ${node.op.name} operation is not connected, network is malformed.`,
          span: node.origin,
        });
      }
      used.add(input);
    });
  }
  const roots = new Set(network.nodes.filter((node) => !used.has(node) || node.op.role === "precompute"));
  for (const group of ["criterion", "evaluation", "output"] as const) {
    for (const node of network.groups[group]) roots.add(node);
  }
  return sortedByName(roots);
}

/**
 * Depth-first order from the roots: inputs left to right, a node after its inputs, each node once. A cycle is cut where
 * it returns to a node already entered (ComputationNetwork.cpp, FormEvalOrder).
 */
export function depthFirstOrder(
  roots: Iterable<NetworkNode>,
  inputsOf: (node: NetworkNode) => readonly NetworkNode[] = ({ inputs }) => inputs,
): NetworkNode[] {
  const order: NetworkNode[] = [];
  const entered = new Set<NetworkNode>();
  // An explicit stack: unrolled networks are deeper than JavaScript's call stack.
  const stack: { node: NetworkNode; next: number }[] = [];
  for (const root of roots) {
    if (entered.has(root)) continue;
    entered.add(root);
    stack.push({ node: root, next: 0 });
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const input = inputsOf(top.node)[top.next++];
      if (!input) {
        order.push(top.node);
        stack.pop();
      } else if (!entered.has(input)) {
        entered.add(input);
        stack.push({ node: input, next: 0 });
      }
    }
  }
  return order;
}

/** The part of an order that `roots` need, themselves included: the evaluation order of a criterion or of outputs. */
export function restrictOrder(order: readonly NetworkNode[], roots: Iterable<NetworkNode>): NetworkNode[] {
  const needed = new Set(depthFirstOrder(roots));
  return order.filter((node) => needed.has(node));
}

/** The nodes that have a node as an input, each once. */
export function consumersOf(nodes: Iterable<NetworkNode>): Map<NetworkNode, Set<NetworkNode>> {
  const consumers = new Map<NetworkNode, Set<NetworkNode>>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      const known = consumers.get(input);
      if (known) known.add(node);
      else consumers.set(input, new Set([node]));
    }
  }
  return consumers;
}

/**
 * The fed nodes (inputs) that some nodes need, in evaluation order. Statistics of the training set need none: they were
 * computed before (ComputationNetwork.cpp, CollectInputAndLearnableParametersRec).
 */
export function inputsBelow(nodes: Iterable<NetworkNode>): NetworkNode[] {
  const order = depthFirstOrder(nodes, ({ op, inputs }) => (op.role === "precompute" ? [] : inputs));
  return order.filter((node) => node.op.role === "input");
}
