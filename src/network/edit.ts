import { CntkError } from "../diagnostics/diagnostic.js";
import { emptyGroups } from "./build.js";
import { NameIndex } from "./name-index.js";
import type { Attributes, Network, NetworkNode, NodeGroup, ParameterValues } from "./network.js";
import { depthFirstOrder } from "./node-order.js";
import type { OpDefinition } from "./op-definition.js";

/*
 * Changing networks. Every function here leaves the given network and its nodes as they are and returns a new network;
 * nodes that do not change are shared between the two, and so are parameter values.
 */

const groupNames: readonly NodeGroup[] = ["feature", "label", "criterion", "evaluation", "output"];

/** A node with other contents. */
type Changes = Partial<Pick<NetworkNode, "name" | "op" | "inputs" | "attributes" | "tags" | "origin">>;

/** A copy of a node, with inputs, attributes and tags of its own. */
export function copyNode(node: NetworkNode, changes: Changes = {}): NetworkNode {
  return { ...node, inputs: [...node.inputs], tags: new Set(node.tags), ...changes };
}

/** A copied network and where each node of the old one went. */
export interface ClonedNetwork {
  readonly network: Network;
  readonly copies: ReadonlyMap<NetworkNode, NetworkNode>;
}

/** A network of new nodes, links and groups among them; parameters keep their values. */
export function cloneNetwork(network: Network): ClonedNetwork {
  const copies = new Map(network.nodes.map((node) => [node, copyNode(node)]));
  return { network: mapped(network, copies), copies };
}

export interface CloneOptions {
  /** Name of the copy of a node. */
  readonly name: (node: NetworkNode) => string;
  /** What stands in for nodes that are not copied: a copy's links to them go there. */
  readonly substitutes?: ReadonlyMap<NetworkNode, NetworkNode>;
  /** Which of the nodes below are copied; the others stay shared. Default: all. */
  readonly copies?: (node: NetworkNode) => boolean;
}

/**
 * Copies of `outputs` and of what is below them, down to the substitutes. The copies belong to no network yet; they keep no
 * tags. Cycles become cycles of copies. Returns the copy of each node that was copied.
 */
export function cloneBelow(
  outputs: readonly NetworkNode[],
  { name, substitutes = new Map(), copies: isCopied = () => true }: CloneOptions,
): Map<NetworkNode, NetworkNode> {
  const copies = new Map<NetworkNode, NetworkNode>();
  const stack = [...outputs].reverse();
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (copies.has(node) || substitutes.has(node) || !isCopied(node)) continue;
    copies.set(node, copyNode(node, { name: name(node), tags: new Set() }));
    stack.push(...[...node.inputs].reverse());
  }
  for (const copy of copies.values())
    copy.inputs = copy.inputs.map((input) => substitutes.get(input) ?? copies.get(input) ?? input);
  return copies;
}

/**
 * The network with nodes added at the end; a name that is taken (without regard to case) gets a number: `x`, `x1`, `x2`.
 * The added nodes enter the groups of their tags. The nodes given are taken, not copied, unless they need another name.
 */
export function addNodes(
  network: Network,
  added: readonly NetworkNode[],
  values?: ReadonlyMap<NetworkNode, ParameterValues>,
): Network {
  const names = new UniqueNames(network.nodes);
  const renamed = new Map<NetworkNode, NetworkNode>();
  for (const node of added) {
    const name = names.take(node.name);
    if (name !== node.name) renamed.set(node, copyNode(node, { name }));
  }
  const all: Network = {
    nodes: [...network.nodes, ...added],
    groups: groupsOf((group) => [...network.groups[group], ...added.filter(({ tags }) => tags.has(group))]),
    values: new Map([...network.values, ...(values ?? [])]),
  };
  return renamed.size === 0 ? all : mapped(all, withUsers(all.nodes, renamed));
}

/**
 * The network in which every user of an old node uses the new one instead, groups included; `except` tells users that keep
 * the old one. Old nodes stay in the network (`prune` drops what nobody uses), new ones that are not in it are added.
 * Chains (a → b, b → c) are followed to the end.
 * @throws CntkError `edit-cycle` when replacements lead back to themselves
 */
export function replaceNodes(
  network: Network,
  replacements: ReadonlyMap<NetworkNode, NetworkNode>,
  except: (user: NetworkNode) => boolean = () => false,
): Network {
  const known = new Set(network.nodes);
  const added = [...new Set(replacements.values())].filter((node) => !known.has(node));
  const extended = added.length === 0 ? network : addNodes(network, added);
  const target = (node: NetworkNode): NetworkNode => endOfChain(node, replacements);
  const relinked = new Map<NetworkNode, NetworkNode>();
  for (const node of extended.nodes) {
    if (except(node)) continue;
    const inputs = node.inputs.map(target);
    if (inputs.some((input, index) => input !== node.inputs[index]))
      relinked.set(node, copyNode(node, { inputs }));
  }
  const everyCopy = withUsers(extended.nodes, relinked);
  const network2 = mapped(extended, everyCopy);
  const groups = groupsOf((group) =>
    extended.groups[group].map((node) => everyCopy.get(target(node)) ?? target(node)),
  );
  return { ...network2, groups };
}

function endOfChain(node: NetworkNode, replacements: ReadonlyMap<NetworkNode, NetworkNode>): NetworkNode {
  let current = node;
  const passed = new Set<NetworkNode>();
  for (let next = replacements.get(current); next; next = replacements.get(current)) {
    if (passed.has(current)) {
      throw new CntkError({
        code: "edit-cycle",
        message: `The replacements of '${node.name}' lead back to '${current.name}'.`,
      });
    }
    passed.add(current);
    current = next;
  }
  return current;
}

/** The network of `roots` and all that they need, in its order; groups lose the others. */
export function prune(network: Network, roots: readonly NetworkNode[]): Network {
  const needed = new Set(depthFirstOrder(roots));
  const keep = (node: NetworkNode): boolean => needed.has(node);
  return {
    nodes: network.nodes.filter(keep),
    groups: groupsOf((group) => network.groups[group].filter(keep)),
    values: new Map([...network.values].filter(([node]) => keep(node))),
  };
}

/**
 * The network with nodes under new names.
 * @throws CntkError `duplicate-node-name` when a new name is taken (without regard to case)
 */
export function renameNodes(network: Network, names: ReadonlyMap<NetworkNode, string>): Network {
  const taken = new NameIndex<NetworkNode>();
  for (const node of network.nodes) {
    const name = names.get(node) ?? node.name;
    const other = taken.get(name);
    if (other) {
      throw new CntkError({
        code: "duplicate-node-name",
        message: `There would be two nodes named '${name}'.`,
        hint: `'${other.name}' and '${node.name}'; node names must differ in more than upper and lower case`,
      });
    }
    taken.set(name, node);
  }
  const renamed = new Map<NetworkNode, NetworkNode>();
  for (const node of network.nodes) {
    const name = names.get(node);
    if (name !== undefined && name !== node.name) renamed.set(node, copyNode(node, { name }));
  }
  return mapped(network, withUsers(network.nodes, renamed));
}

/** A new node between a node and all its users, and the network with it. */
export interface InsertedNodes {
  readonly network: Network;
  /** The new nodes, in the order of the nodes they stand behind. */
  readonly inserted: readonly NetworkNode[];
  /** What became of the nodes that use one of them, directly or not. */
  readonly copies: ReadonlyMap<NetworkNode, NetworkNode>;
}

/**
 * Puts a node of `op` (one input, e.g. Pass) between each of `nodes` and everything that uses it. Groups keep the nodes
 * themselves.
 */
export function insertBehind(
  network: Network,
  nodes: readonly NetworkNode[],
  op: OpDefinition,
  name: (node: NetworkNode) => string,
  attributes: Attributes = {},
): InsertedNodes {
  const names = new UniqueNames(network.nodes);
  const behind = new Map<NetworkNode, NetworkNode>();
  for (const node of nodes) {
    behind.set(node, { name: names.take(name(node)), op, inputs: [node], attributes, tags: new Set() });
  }
  const inserted = [...behind.values()];
  const relinked = new Map<NetworkNode, NetworkNode>();
  for (const node of network.nodes) {
    const inputs = node.inputs.map((input) => behind.get(input) ?? input);
    if (inputs.some((input, index) => input !== node.inputs[index]))
      relinked.set(node, copyNode(node, { inputs }));
  }
  const extended: Network = { ...network, nodes: [...network.nodes, ...inserted] };
  const everyCopy = withUsers(extended.nodes, relinked);
  return {
    network: mapped(extended, everyCopy),
    inserted: inserted.map((node) => everyCopy.get(node) ?? node),
    copies: everyCopy,
  };
}

/** Names of a network, compared without regard to case as CNTK does. */
export class UniqueNames {
  private readonly taken: NameIndex<true>;

  constructor(
    nodes: Iterable<NetworkNode>,
    /** Between a name and the number behind it. */
    private readonly separator = "",
  ) {
    this.taken = new NameIndex(Array.from(nodes, ({ name }) => [name, true] as const));
  }

  /** The name itself, or the first of `name1`, `name2`, … that is free; it is taken from now on. */
  take(name: string): string {
    let free = name;
    for (let number = 1; this.taken.has(free); number++) free = `${name}${this.separator}${number}`;
    this.taken.set(free, true);
    return free;
  }
}

/** Adds to `changed` a copy of every node that uses, directly or not, a changed one, and links the copies to one another. */
function withUsers(
  nodes: readonly NetworkNode[],
  changed: ReadonlyMap<NetworkNode, NetworkNode>,
): Map<NetworkNode, NetworkNode> {
  const users = new Map<NetworkNode, NetworkNode[]>();
  const note = (input: NetworkNode, user: NetworkNode): void => {
    const list = users.get(input);
    if (list) list.push(user);
    else users.set(input, [user]);
  };
  // Links as they will be: those of changed nodes are their copies'.
  for (const node of nodes) for (const input of (changed.get(node) ?? node).inputs) note(input, node);
  const copies = new Map(changed);
  const stack = [...changed.keys()];
  for (let node = stack.pop(); node; node = stack.pop()) {
    for (const user of users.get(node) ?? []) {
      if (copies.has(user)) continue;
      copies.set(user, copyNode(user));
      stack.push(user);
    }
  }
  for (const copy of copies.values()) copy.inputs = copy.inputs.map((input) => copies.get(input) ?? input);
  return copies;
}

/** The network with nodes replaced by their copies (already linked, or to be linked, among themselves). */
function mapped(network: Network, copies: ReadonlyMap<NetworkNode, NetworkNode>): Network {
  const copyOf = (node: NetworkNode): NetworkNode => copies.get(node) ?? node;
  for (const copy of copies.values()) copy.inputs = copy.inputs.map(copyOf);
  return {
    nodes: network.nodes.map(copyOf),
    groups: groupsOf((group) => network.groups[group].map(copyOf)),
    values: new Map(Array.from(network.values, ([node, values]) => [copyOf(node), values])),
  };
}

function groupsOf(members: (group: NodeGroup) => NetworkNode[]): Record<NodeGroup, NetworkNode[]> {
  const groups = emptyGroups();
  for (const group of groupNames) groups[group] = members(group);
  return groups;
}
