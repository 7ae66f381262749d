import type { ViewGroup } from "./view-data.js";

/** What groups are made of. */
export interface GroupedNode {
  readonly name: string;
  /** Shown as a part of its users, not as a node of its own. */
  readonly isFolded: boolean;
}

/** A group while it is made. */
interface Group {
  readonly label: string;
  readonly groups: Group[];
  nodes: number[];
}

/** As many boxes are shown at once; more than these are put together. */
const mostMembers = 60;
/** As many are shown when the page opens. */
const firstShown = 40;
/** Names with more parts are cut; no layers are nested as deep. */
const deepest = 24;
/** A group that holds nearly everything is opened even so. */
const nearlyAll = 0.6;

/**
 * The path of layers in a node's name. CNTK names the argument of a layer `x`: `z.x.x.b.x.c` is not deep inside of z, but in
 * `b.x` of the layer two before z.
 */
export function layerPath(name: string): string[] {
  const path: string[] = [];
  for (const part of name.split(".")) {
    if (part === "x" && path.length > 0) path.push(`${path.pop() ?? ""}.x`);
    else path.push(part);
  }
  return path.length > deepest ? [...path.slice(0, deepest), path.slice(deepest).join(".")] : path;
}

/**
 * Groups of nodes, given in the order of evaluation, by their layers' names; the first one is the whole network. Groups with one member only are dissolved; where too
 * many nodes or groups would stand side by side, those that follow each other are put together.
 */
export function groupNodes(nodes: readonly GroupedNode[]): ViewGroup[] {
  const root = byPath(nodes);
  simplify(root);
  gather(root, nodes);
  return flat(root);
}

/** A node stands in the group of its own name, where there is one: a layer's value is part of the layer. */
function byPath(nodes: readonly GroupedNode[]): Group {
  const root: Group = { label: "", groups: [], nodes: [] };
  const known = new Map<string, Group>([["", root]]);
  const paths = nodes.map(({ name }) => layerPath(name));
  const inside = (path: readonly string[]): Group => {
    const key = path.join(".");
    const found = known.get(key);
    if (found) return found;
    const group: Group = { label: key, groups: [], nodes: [] };
    inside(path.slice(0, -1)).groups.push(group);
    known.set(key, group);
    return group;
  };
  nodes.forEach(({ isFolded }, index) => {
    if (!isFolded) inside((paths[index] ?? []).slice(0, -1));
  });
  nodes.forEach(({ isFolded }, index) => {
    if (isFolded) return;
    const path = paths[index] ?? [];
    const own = known.get(path.join("."));
    (own ?? inside(path.slice(0, -1))).nodes.push(index);
  });
  return root;
}

const membersOf = ({ groups, nodes }: Group): number => groups.length + nodes.length;

/** Groups of one member are replaced by it. */
function simplify(group: Group): void {
  group.groups.forEach(simplify);
  const kept: Group[] = [];
  for (const inner of group.groups) {
    if (membersOf(inner) > 1) kept.push(inner);
    else {
      kept.push(...inner.groups);
      group.nodes.push(...inner.nodes);
    }
  }
  group.groups.splice(0, Infinity, ...kept);
}

/** Where too many members stand side by side, runs of them in the order of evaluation become groups. */
function gather(group: Group, nodes: readonly GroupedNode[]): void {
  for (const inner of group.groups) gather(inner, nodes);
  if (membersOf(group) <= mostMembers) return;
  const place = (member: Group | number): number =>
    typeof member === "number"
      ? member
      : allNodes(member).reduce((least, node) => Math.min(least, node), Infinity);
  const members = [...group.groups, ...group.nodes]
    .map((member) => ({ member, at: place(member) }))
    .sort((a, b) => a.at - b.at)
    .map(({ member }) => member);
  const nameOf = (member: Group | number | undefined): string =>
    typeof member === "number" ? (nodes[member]?.name ?? "") : (member?.label.split(" … ")[0] ?? "");
  const size = Math.ceil(members.length / Math.ceil(Math.sqrt(members.length)));
  const runs: Group[] = [];
  for (let from = 0; from < members.length; from += size) {
    const run = members.slice(from, from + size);
    runs.push({
      label: `${nameOf(run[0])} … ${nameOf(run.at(-1))}`,
      groups: run.filter((member) => typeof member !== "number"),
      nodes: run.filter((member) => typeof member === "number"),
    });
  }
  group.groups.splice(0, Infinity, ...runs);
  group.nodes = [];
  gather(group, nodes);
}

function allNodes(group: Group): number[] {
  const found: number[] = [];
  const stack = [group];
  for (let top = stack.pop(); top; top = stack.pop()) {
    for (const node of top.nodes) found.push(node);
    stack.push(...top.groups);
  }
  return found;
}

/** Groups with their parents in front of them. The largest ones are opened as long as the whole stays easy to see. */
function flat(root: Group): ViewGroup[] {
  const open = new Set([root]);
  const total = allNodes(root).length;
  const sizes = new Map<Group, number>();
  const sizeOf = (group: Group): number => {
    const known = sizes.get(group) ?? allNodes(group).length;
    sizes.set(group, known);
    return known;
  };
  let shown = membersOf(root);
  const closed = [...root.groups];
  while (closed.length > 0) {
    closed.sort((a, b) => sizeOf(a) - sizeOf(b));
    const largest = closed.pop();
    if (!largest) break;
    const after = shown - 1 + membersOf(largest);
    if (after > firstShown && sizeOf(largest) < nearlyAll * total) break;
    open.add(largest);
    shown = after;
    closed.push(...largest.groups);
  }
  const groups: ViewGroup[] = [];
  const stack: { group: Group; parent?: number }[] = [{ group: root }];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { group, parent } = top;
    const index = groups.length;
    const { label, nodes } = group;
    groups.push({ label, ...(parent === undefined ? {} : { parent }), nodes, open: open.has(group) });
    for (const inner of [...group.groups].reverse()) stack.push({ group: inner, parent: index });
  }
  return groups;
}
