import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode } from "../network/network.js";

/** Nodes of a recurrence, in the order of one turn, and the direction in time in which the frames follow each other. */
export interface NodeLoop {
  readonly nodes: readonly NetworkNode[];
  readonly direction: 1 | -1;
}

/** A part of an entry: a single node, or the nodes of a loop. */
export type Part = NetworkNode | NodeLoop;

export function isLoop(part: Part): part is NodeLoop {
  return "direction" in part;
}

/**
 * Puts nodes in an order of execution: inputs first; nodes that need one another through delays form a loop, which stands in
 * one piece after its inputs. Where that leaves a choice the given order decides. `inputsOf` lists what a node needs.
 * Throws CntkError for a cycle that no delay closes, or whose delays point in both directions of time.
 */
export function executionOrder(
  nodes: readonly NetworkNode[],
  inputsOf: (node: NetworkNode) => readonly NetworkNode[],
  delayOf: (node: NetworkNode) => 1 | -1 | undefined,
): Part[] {
  if (isExecutable(nodes, inputsOf)) return [...nodes];
  const position = new Map(nodes.map((node, index) => [node, index]));
  const inside = (node: NetworkNode) => inputsOf(node).filter((input) => position.has(input));
  const component = stronglyConnected(nodes, inside);
  const members = new Map<number, NetworkNode[]>();
  for (const node of nodes) {
    const id = component.get(node) as number;
    const known = members.get(id);
    if (known) known.push(node);
    else members.set(id, [node]);
  }
  return topological(members, component, position, inside).map((group): Part => {
    const [first] = group as [NetworkNode];
    const isSingle = group.length === 1 && !inside(first).includes(first);
    return isSingle ? first : turn(group, inside, delayOf, position);
  });
}

/** Does each node stand behind all that it needs? Then the given order is the one that is looked for. */
function isExecutable(
  nodes: readonly NetworkNode[],
  inputsOf: (node: NetworkNode) => readonly NetworkNode[],
): boolean {
  const ahead = new Set(nodes);
  for (const node of nodes) {
    if (inputsOf(node).some((input) => ahead.has(input))) return false;
    ahead.delete(node);
  }
  return true;
}

/** The number of each node's strongly connected component (Tarjan, without recursion). */
function stronglyConnected(
  nodes: readonly NetworkNode[],
  inputsOf: (node: NetworkNode) => readonly NetworkNode[],
): Map<NetworkNode, number> {
  const component = new Map<NetworkNode, number>();
  const lowest = new Map<NetworkNode, number>();
  const stack: NetworkNode[] = [];
  let count = 0;
  for (const root of nodes) {
    if (lowest.has(root)) continue;
    const visits = [{ node: root, inputs: inputsOf(root), next: 0, index: lowest.size }];
    lowest.set(root, lowest.size);
    stack.push(root);
    for (let top = visits.at(-1); top; top = visits.at(-1)) {
      const input = top.inputs[top.next++];
      if (input === undefined) {
        visits.pop();
        const own = lowest.get(top.node) as number;
        const caller = visits.at(-1)?.node;
        if (caller) lowest.set(caller, Math.min(lowest.get(caller) as number, own));
        if (own !== top.index) continue;
        for (let node = stack.pop(); node; node = stack.pop()) {
          component.set(node, count);
          if (node === top.node) break;
        }
        count++;
      } else if (!lowest.has(input)) {
        visits.push({ node: input, inputs: inputsOf(input), next: 0, index: lowest.size });
        lowest.set(input, lowest.size);
        stack.push(input);
      } else if (!component.has(input)) {
        const lower = Math.min(lowest.get(top.node) as number, lowest.get(input) as number);
        lowest.set(top.node, lower);
      }
    }
  }
  return component;
}

/** The components, inputs first; of those that are ready the one whose first node comes first in the given order. */
function topological(
  members: ReadonlyMap<number, readonly NetworkNode[]>,
  component: ReadonlyMap<NetworkNode, number>,
  position: ReadonlyMap<NetworkNode, number>,
  inputsOf: (node: NetworkNode) => readonly NetworkNode[],
): (readonly NetworkNode[])[] {
  const waitingFor = new Map<number, number>();
  const consumers = new Map<number, Set<number>>();
  for (const [id, group] of members) {
    const needed = new Set(group.flatMap((node) => inputsOf(node).map((input) => component.get(input))));
    needed.delete(id);
    waitingFor.set(id, needed.size);
    for (const other of needed as Set<number>) {
      const known = consumers.get(other);
      if (known) known.add(id);
      else consumers.set(other, new Set([id]));
    }
  }
  const placeOf = (id: number) => position.get(members.get(id)?.[0] as NetworkNode) as number;
  const ready = new Heap(placeOf);
  for (const [id, count] of waitingFor) if (count === 0) ready.push(id);
  const order: (readonly NetworkNode[])[] = [];
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    order.push(members.get(id) as readonly NetworkNode[]);
    for (const consumer of consumers.get(id) ?? []) {
      const left = (waitingFor.get(consumer) as number) - 1;
      waitingFor.set(consumer, left);
      if (left === 0) ready.push(consumer);
    }
  }
  return order;
}

/** A turn of a loop: its nodes in an order in which only delays read what comes later. */
function turn(
  group: readonly NetworkNode[],
  inputsOf: (node: NetworkNode) => readonly NetworkNode[],
  delayOf: (node: NetworkNode) => 1 | -1 | undefined,
  position: ReadonlyMap<NetworkNode, number>,
): NodeLoop {
  const members = new Set(group);
  const directions = new Set(group.flatMap((node) => delayOf(node) ?? []));
  const [direction] = directions;
  if (directions.size > 1) {
    throw loopProblem(
      group,
      "loop-both-directions",
      "It is not allowed to have multiple different stepping directions in the same loop (loop connected to",
    );
  }
  const component = new Map(group.map((node, index) => [node, index]));
  const within = (node: NetworkNode) =>
    delayOf(node) === undefined ? inputsOf(node).filter((input) => members.has(input)) : [];
  const single = new Map(group.map((node, index) => [index, [node]]));
  const nodes = topological(single, component, position, within).flat();
  if (direction === undefined || nodes.length < group.length) {
    throw loopProblem(group, "cycle-without-delay", "There is no recurrent node in the loop connected to");
  }
  return { nodes, direction };
}

function loopProblem(group: readonly NetworkNode[], code: string, what: string): CntkError {
  const node = group.find(({ internal }) => !internal) ?? group[0];
  if (!node) throw new Error("a loop has no nodes");
  const ending = what.includes("(") ? ")." : ".";
  return new CntkError({
    code,
    message: `${what} ${node.name} ${node.op.name} operation${ending}`,
    span: node.origin,
    calls: node.calls?.map((span) => ({ span })),
  });
}

/** A binary heap of numbers, smallest key first. */
class Heap {
  private readonly items: number[] = [];

  constructor(private readonly keyOf: (item: number) => number) {}

  push(item: number): void {
    this.items.push(item);
    let at = this.items.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.key(parent) <= this.key(at)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): number | undefined {
    const [top] = this.items;
    const last = this.items.pop();
    if (this.items.length === 0 || last === undefined) return top;
    this.items[0] = last;
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.items.length && this.key(child) < this.key(least)) least = child;
      }
      if (least === at) return top;
      this.swap(at, least);
      at = least;
    }
  }

  private key(at: number): number {
    return this.keyOf(this.items[at] as number);
  }

  private swap(a: number, b: number): void {
    [this.items[a], this.items[b]] = [this.items[b] as number, this.items[a] as number];
  }
}
