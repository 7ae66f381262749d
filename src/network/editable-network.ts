import { CntkError } from "../diagnostics/diagnostic.js";
import type { Values } from "../numerics/values.js";
import { cloneNetwork, copyNode } from "./edit.js";
import { NameIndex } from "./name-index.js";
import { makeNode, type NodeSpecification } from "./build.js";
import type { DynamicAxis, Network, NetworkNode, NodeFacts, NodeGroup } from "./network.js";

/** What a copy takes over from a node. */
export type CopiedParts = "all" | "value" | "links";

/**
 * A network that is changed in place, step by step, as the model editing language and the decomposition of parameters do it.
 * Names are looked up without regard to case, and nodes come in the order of their names, as in CNTK
 * (ComputationNetworkEditing.cpp). Errors have CNTK's sentences.
 */
export class EditableNetwork {
  private readonly byName = new NameIndex<NetworkNode>();
  private readonly groups: Record<NodeGroup, NetworkNode[]>;
  /** Values of parameters and of statistics. */
  readonly values: Map<NetworkNode, Values>;
  /** What a compile found about nodes before they were changed. */
  readonly facts = new Map<NetworkNode, NodeFacts>();
  /** The network keeps the axis that it was made with, however often it is compiled. */
  private readonly defaultAxis: DynamicAxis | undefined;

  /** Works on copies: the given network stays as it is. `facts` are what is known of its nodes. */
  constructor(original: Network, facts: ReadonlyMap<NetworkNode, NodeFacts> = new Map()) {
    const { network, copies } = cloneNetwork(original);
    for (const [node, known] of facts) {
      const copy = copies.get(node);
      if (!copy) continue;
      this.facts.set(copy, known);
      // What a compile chose stays chosen: CNTK tells of a node's engine once.
      copy.attributes = known.attributes;
    }
    for (const node of network.nodes) this.byName.set(node.name, node);
    this.groups = network.groups;
    this.defaultAxis = original.defaultAxis;
    this.values = network.values;
  }

  /** All nodes by name. */
  get nodes(): NetworkNode[] {
    const named = Array.from(this.byName.values(), (node) => ({ node, name: node.name.toLowerCase() }));
    named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return named.map(({ node }) => node);
  }

  /** The network as it is now, for whoever compiles or saves it. */
  get network(): Network {
    const axis = this.defaultAxis && { defaultAxis: this.defaultAxis };
    return { nodes: this.nodes, groups: this.groups, values: this.values, ...axis };
  }

  find(name: string): NetworkNode | undefined {
    return this.byName.get(name);
  }

  /** The node of that name. Throws CntkError `node-unknown`. */
  require(name: string): NetworkNode {
    const node = this.find(name);
    if (node) return node;
    throw new CntkError({
      code: "node-unknown",
      message: `GetNodeFromName: Network has no node named '${name}'.`,
    });
  }

  /** The nodes of a name in which one `*` stands for anything; names with a `*` are compared with their case. */
  matching(pattern: string): NetworkNode[] {
    const star = pattern.indexOf("*");
    if (star < 0) {
      const node = this.find(pattern);
      return node ? [node] : [];
    }
    const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
    return this.nodes.filter(({ name }) => name.startsWith(head) && name.endsWith(tail));
  }

  /** Adds a node that is made here. Throws CntkError `duplicate-node-name`. */
  make(specification: NodeSpecification, values?: Values): NetworkNode {
    const node = makeNode(specification);
    this.add(node);
    if (values) this.values.set(node, values);
    return node;
  }

  /** Enters a node under its name. Throws CntkError `duplicate-node-name`. */
  add(node: NetworkNode): void {
    if (this.byName.add(node.name, node)) {
      throw new CntkError({
        code: "duplicate-node-name",
        message: `AddNodeToNet: Duplicated name for ${node.name} ${node.op.name} operation.`,
      });
    }
  }

  /** Gives a node another name. Throws CntkError `duplicate-node-name`. */
  rename(node: NetworkNode, name: string): void {
    if (this.byName.has(name)) {
      throw new CntkError({
        code: "duplicate-node-name",
        message: "RenameNode: Target name already exists.",
        hint: `there is a node '${this.require(name).name}'`,
      });
    }
    this.byName.delete(node.name);
    node.name = name;
    this.byName.set(name, node);
  }

  /** Takes a node out. Throws CntkError `link-to-nothing` while others use it. */
  remove(node: NetworkNode): void {
    const user = this.usersOf(node)[0];
    if (user)
      throw linkToNothing(`'${user.name}' uses '${node.name}': give it another input with SetInput first`);
    for (const members of Object.values(this.groups)) {
      const place = members.indexOf(node);
      if (place >= 0) members.splice(place, 1);
    }
    this.byName.delete(node.name);
    this.values.delete(node);
  }

  usersOf(node: NetworkNode): NetworkNode[] {
    return this.nodes.filter(({ inputs }) => inputs.includes(node));
  }

  /** Every link to a node goes to another one instead; groups stay as they are. */
  redirect(from: NetworkNode, to: NetworkNode): void {
    for (const { inputs } of this.byName.values()) {
      inputs.forEach((input, index) => {
        if (input === from) inputs[index] = to;
      });
    }
  }

  hasFeatures(): boolean {
    return this.groups.feature.length > 0;
  }

  addToGroup(group: NodeGroup, node: NetworkNode): void {
    this.setMember(group, node, true);
  }

  setMember(group: NodeGroup, node: NetworkNode, isMember: boolean): void {
    const members = this.groups[group];
    if (members.includes(node) === isMember) return;
    if (isMember) members.push(node);
    else members.splice(members.indexOf(node), 1);
    if (isMember) node.tags.add(group);
    else node.tags.delete(group);
  }

  /**
   * Copies a node, of this network or another one, to a name: a new node, or over the one that is there. A new node keeps no
   * place in the groups. Returns the copy.
   */
  copy(from: NetworkNode, values: Values | undefined, name: string, parts: CopiedParts): NetworkNode {
    const known = this.find(name);
    // A copy gets an engine of its own when it is compiled.
    const { engine: _, ...attributes } = from.attributes;
    const to = known ?? copyNode(from, { name, attributes, inputs: [], tags: new Set() });
    if (known) this.copyOver(from, known, parts);
    else this.add(to);
    if (parts !== "value") to.inputs = [...from.inputs];
    if (parts !== "links") {
      if (values) this.values.set(to, values.slice());
      else this.values.delete(to);
    }
    return to;
  }

  private copyOver(from: NetworkNode, to: NetworkNode, parts: CopiedParts): void {
    if (from === to) {
      throw new CntkError({
        code: "copy-to-itself",
        message: "CopyNode: You are copying the node to the same network with same node name.",
      });
    }
    if (from.op !== to.op) {
      throw new CntkError({
        code: "copy-between-operations",
        message: "Cannot copy from one node type to another node type",
        hint: `'${from.name}' is a ${from.op.name}, '${to.name}' a ${to.op.name}`,
      });
    }
    if (parts !== "links") to.attributes = from.attributes;
  }
}

/** CNTK has no links to nothing, and says so in words about something else. */
export function linkToNothing(hint: string): CntkError {
  return new CntkError({
    code: "link-to-nothing",
    message: "an ComputationNodeBasePtr of mismatching precision was passed",
    hint,
  });
}
