import { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import { declarationList } from "./attributes.js";
import type { Attributes, Network, NetworkNode, NodeGroup, ParameterValues } from "./network.js";
import { NameIndex } from "./name-index.js";
import { compareNames } from "./node-order.js";
import type { OpDefinition } from "./op-definition.js";

/** What a node is made of; the sources of networks fill it in, each from its own language. */
export interface NodeSpecification {
  readonly op: OpDefinition;
  readonly name: string;
  readonly inputs?: readonly NetworkNode[];
  /** Attributes that are not given have the default that the op declares. */
  readonly attributes?: Attributes;
  /** Where the node was written, and the chain of calls that led there. */
  readonly origin?: Span;
  readonly calls?: readonly Span[];
}

/** A node as plain data. Its number of inputs is not checked: the shape stage does that, and sources that can say it better. */
export function makeNode({ op, name, inputs, attributes, origin, calls }: NodeSpecification): NetworkNode {
  return {
    name,
    op,
    inputs: inputs ? [...inputs] : [],
    attributes: { ...attributeDefaults(op), ...attributes },
    tags: new Set(),
    ...(origin && { origin }),
    ...(calls && { calls }),
  };
}

const defaultsOf = new WeakMap<OpDefinition, Attributes>();

/** The attributes of a node about which nothing was said. */
export function attributeDefaults(op: OpDefinition): Attributes {
  let defaults = defaultsOf.get(op);
  if (!defaults) {
    const declared = declarationList(op.attributes).filter(([, declaration]) => "default" in declaration);
    defaults = Object.fromEntries(declared.map(([key, declaration]) => [key, declaration.default]));
    defaultsOf.set(op, defaults);
  }
  return defaults;
}

/** Groups without members. */
export function emptyGroups<T = NetworkNode>(): Record<NodeGroup, T[]> {
  return { feature: [], label: [], criterion: [], evaluation: [], output: [] };
}

/**
 * A network that is being put together: nodes are added one by one, in CNTK's order, under names that are unique without
 * regard to case; a node's tags make it a member of groups.
 * Source: ComputationNetwork.h, AddNodeToNetIfNotYet.
 */
export class NetworkAssembly {
  private readonly nodes = new Set<NetworkNode>();
  private readonly groups = emptyGroups();
  private readonly byName = new NameIndex<NetworkNode>();
  /** How many underscores a name is known to need at least. */
  private readonly underscores = new NameIndex<number>();

  /**
   * @param values what parameters bring along from files and literals
   * @param numberOf the number of a node's construction, which shows in one message only
   */
  constructor(
    private readonly values: ReadonlyMap<NetworkNode, ParameterValues> = new Map(),
    private readonly numberOf: (node: NetworkNode) => number = () => 0,
  ) {}

  /** Adds a node, unless it is there already: then false. Throws CntkError `duplicate-node-name`. */
  add(node: NetworkNode): boolean {
    if (this.nodes.has(node)) return false;
    this.takeName(node);
    this.nodes.add(node);
    // CNTK keeps tags as a set of strings, hence in order.
    for (const group of [...node.tags].sort(compareNames)) this.groups[group].push(node);
    return true;
  }

  /** The network of all nodes that were added. */
  finish(): Network {
    const nodes = [...this.nodes];
    const values = new Map<NetworkNode, ParameterValues>();
    for (const node of nodes) {
      const known = this.values.get(node);
      if (known) values.set(node, known);
    }
    return { nodes, groups: this.groups, values };
  }

  /**
   * Enters the node under its name. A compound name that is taken gets underscores in front until it is free; a name the
   * user gave is an error.
   */
  private takeName(node: NetworkNode): void {
    const wanted = node.name;
    const other = this.byName.add(wanted, node);
    if (!other) return;
    if (!/[.[\]]/.test(wanted)) throw this.duplicateName(node, other);
    let count = this.underscores.get(wanted) ?? 1;
    while (this.byName.add("_".repeat(count) + wanted, node)) count++;
    this.underscores.set(wanted, count + 1);
    node.name = "_".repeat(count) + wanted;
  }

  private duplicateName(node: NetworkNode, other: NetworkNode): CntkError {
    const where = node.origin ?? other.origin;
    const hint = duplicateNameHint(node, other);
    return new CntkError({
      code: "duplicate-node-name",
      message:
        `AddNodeToNetIfNotYet: Duplicated name for ${node.name} ${node.op.name} operation ` +
        `(${this.numberOf(node)} vs. ${this.numberOf(other)}).`,
      ...(where && { span: where }),
      ...(hint && { hint }),
    });
  }
}

function duplicateNameHint(node: NetworkNode, other: NetworkNode): string | undefined {
  // The usual case: `y = 2 * x` names both the constant and the product `y`.
  const isConstantOfOperator =
    node.origin !== undefined &&
    other.origin !== undefined &&
    node.origin.source === other.origin.source &&
    node.origin.start === other.origin.start;
  if (isConstantOfOperator) {
    return "the number and the operator would bear the same name here; write Constant (2) .* x instead of 2 * x";
  }
  if (node.name === other.name) return undefined;
  return `node names must differ in more than upper and lower case, and '${other.name}' is there already`;
}
