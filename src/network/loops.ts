import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode } from "./network.js";
import { depthFirstOrder } from "./node-order.js";

/** A recurrent loop: nodes that need one another's earlier (or later) values. */
export interface RecurrentLoop {
  /** The node where the search entered the loop; CNTK names the loop `Loop_` after it. */
  readonly source: NetworkNode;
  /** In the order they are computed within one time step. */
  readonly nodes: readonly NetworkNode[];
}

export interface EvaluationOrder {
  readonly order: readonly NetworkNode[];
  readonly loops: readonly RecurrentLoop[];
}

/**
 * CNTK's global evaluation order: depth-first from the roots, every loop in one piece and after its inputs.
 * Throws for a cycle that no delay node closes.
 * Source: ComputationNetworkAnalysis.cpp, FormRecurrentLoops.
 */
export function evaluationOrder(roots: readonly NetworkNode[]): EvaluationOrder {
  const visited = depthFirstOrder(roots);
  const loops = findCycles(roots).map((cycle) => ({
    source: cycle.at(-1) as NetworkNode,
    nodes: orderInsideLoop(cycle),
  }));
  if (loops.length === 0) return { order: visited, loops };
  return { order: moveLoopsTogether(visited, loops), loops };
}

/** Strongly connected components of more than one node, in the order they are closed (Tarjan), last visited node first. */
function findCycles(roots: readonly NetworkNode[]): NetworkNode[][] {
  const cycles: NetworkNode[][] = [];
  const lowest = new Map<NetworkNode, number>();
  const stack: NetworkNode[] = [];
  const onStack = new Set<NetworkNode>();
  const visiting: { node: NetworkNode; index: number; next: number }[] = [];
  const enter = (node: NetworkNode) => {
    const index = lowest.size;
    lowest.set(node, index);
    stack.push(node);
    onStack.add(node);
    visiting.push({ node, index, next: 0 });
  };
  const lower = (node: NetworkNode, to: NetworkNode) => {
    lowest.set(node, Math.min(lowest.get(node) ?? 0, lowest.get(to) ?? 0));
  };
  for (const root of roots) {
    if (!lowest.has(root)) enter(root);
    for (let top = visiting.at(-1); top; top = visiting.at(-1)) {
      const input = top.node.inputs[top.next++];
      if (input) {
        if (!lowest.has(input)) enter(input);
        else if (onStack.has(input)) lower(top.node, input);
        continue;
      }
      visiting.pop();
      const caller = visiting.at(-1);
      if (caller) lower(caller.node, top.node);
      if (lowest.get(top.node) !== top.index) continue;
      const component = stack.splice(stack.lastIndexOf(top.node)).reverse();
      for (const node of component) onStack.delete(node);
      // A node that is its own input is none: CNTK validates it like others (`refuseOwnInputs` comes after).
      if (component.length > 1) cycles.push(component);
    }
  }
  return cycles;
}

/**
 * Throws for a node that is its own input without being a delay. Validation has been through it by then, as in CNTK, where it
 * would be computed from what its memory happens to hold.
 */
export function refuseOwnInputs(nodes: readonly NetworkNode[]): void {
  const node = nodes.find((one) => !one.op.delay && one.inputs.includes(one));
  if (node) throw noDelay([node]);
}

/** The order of a time step: from every node that only delay nodes use inside the loop, depth-first, not through delays. */
function orderInsideLoop(cycle: readonly NetworkNode[]): NetworkNode[] {
  const members = new Set(cycle);
  checkDirection(cycle);
  const usedAtOnce = new Set<NetworkNode>();
  for (const node of cycle) {
    if (!node.op.delay) for (const input of node.inputs) usedAtOnce.add(input);
  }
  const order: NetworkNode[] = [];
  const visited = new Set<NetworkNode>();
  const open = new Set<NetworkNode>();
  // An explicit stack: a loop may be longer than JavaScript's call stack is deep.
  const stack: { node: NetworkNode; next: number }[] = [];
  const enter = (node: NetworkNode): void => {
    if (open.has(node)) throw infiniteLoop(node);
    if (visited.has(node)) return;
    visited.add(node);
    open.add(node);
    // What a delay node reads was computed at another step.
    stack.push({ node, next: node.op.delay ? node.inputs.length : 0 });
  };
  for (const start of cycle) {
    if (usedAtOnce.has(start)) continue;
    enter(start);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const input = top.node.inputs[top.next++];
      if (input) {
        if (members.has(input)) enter(input);
        continue;
      }
      open.delete(top.node);
      order.push(top.node);
      stack.pop();
    }
  }
  // Nodes that no such start reaches circle among themselves without a delay.
  const missed = cycle.find((node) => !visited.has(node));
  if (missed) throw infiniteLoop(missed);
  return order;
}

/** Throws unless a delay node closes the loop, and all of them look the same way. */
function checkDirection(cycle: readonly NetworkNode[]): void {
  const delays = cycle.filter((node) => node.op.delay);
  const [first] = delays;
  if (!first) throw noDelay(cycle);
  const other = delays.find((node) => node.op.name !== first.op.name);
  if (other) throw twoDirections(cycle, first, other);
}

function moveLoopsTogether(
  visited: readonly NetworkNode[],
  loops: readonly RecurrentLoop[],
): readonly NetworkNode[] {
  const position = new Map(visited.map((node, index) => [node, index]));
  const loopOf = new Map<NetworkNode, RecurrentLoop>();
  for (const loop of loops) {
    const last = loop.nodes.reduce((latest, node) => Math.max(latest, position.get(node) ?? 0), 0);
    for (const node of loop.nodes) {
      loopOf.set(node, loop);
      position.set(node, last);
    }
  }
  const sorted = [...visited].sort((a, b) => (position.get(a) ?? 0) - (position.get(b) ?? 0));
  const placed = new Set<RecurrentLoop>();
  return sorted.flatMap((node) => {
    const loop = loopOf.get(node);
    if (!loop) return [node];
    if (placed.has(loop)) return [];
    placed.add(loop);
    return loop.nodes;
  });
}

function noDelay(cycle: readonly NetworkNode[]): CntkError {
  const front = cycle[0] as NetworkNode;
  return new CntkError({
    code: "cycle-without-delay",
    message: `There is no recurrent node in the loop connected to ${front.name} ${front.op.name} operation.`,
    span: front.origin,
    calls: front.calls?.map((span) => ({ span })),
    hint: `the nodes ${[...cycle].reverse().map(nodeName).join(" → ")} use one another; a PastValue or FutureValue must stand in between`,
  });
}

function twoDirections(cycle: readonly NetworkNode[], a: NetworkNode, b: NetworkNode): CntkError {
  const front = cycle[0] as NetworkNode;
  return new CntkError({
    code: "two-directions",
    message:
      "It is not allowed to have multiple different stepping directions in the same loop " +
      `(loop connected to ${front.name} ${front.op.name} operation).`,
    span: front.origin,
    calls: front.calls?.map((span) => ({ span })),
    hint: `${a.name} is a ${a.op.name}, ${b.name} a ${b.op.name}: neither can be computed before the other`,
  });
}

function infiniteLoop(node: NetworkNode): CntkError {
  return new CntkError({
    code: "cycle-without-delay",
    message: `${node.name} ${node.op.name} operation is part of an infinite loop that cannot be unrolled.`,
    span: node.origin,
    calls: node.calls?.map((span) => ({ span })),
  });
}

const nodeName = (node: NetworkNode) => node.name;
