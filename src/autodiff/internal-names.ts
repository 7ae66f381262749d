import { NameIndex, nameIncludes } from "../network/name-index.js";
import type { NetworkNode } from "../network/network.js";

/** What internal nodes are made for: the gradient (`backward`) or update of a node, say. */
export interface Scope {
  /** Absent outside of all scopes. */
  readonly owner: NetworkNode | undefined;
  readonly part: string;
}

/**
 * Names of internal nodes, unique without regard to case. Names in deep networks are as long as the networks are deep, and
 * there are several internal nodes to each of the user's: what is made in a scope is told apart by counting in that scope, so
 * that JavaScript never has to write its name out.
 */
export class InternalNames {
  private readonly own = new NameIndex<true>();
  /** Names of the network's nodes, gathered when somebody asks. */
  private given: NameIndex<true> | undefined;
  /** No name that a text can give has a colon in it, which keeps names of scopes apart; those of model files may. */
  private readonly mayClash: boolean;
  /** By owner: how many nodes of each part and operation there are. */
  private readonly counts = new Map<NetworkNode | undefined, Map<string, number>>();

  constructor(private readonly nodes: readonly NetworkNode[]) {
    this.mayClash = nodes.some(({ name, modelFile }) => modelFile !== undefined && nameIncludes(name, ":"));
  }

  private isTaken(name: string): boolean {
    if (this.own.has(name)) return true;
    if (!this.mayClash && name.includes(":")) return false;
    this.given ??= new NameIndex(this.nodes.map((node) => [node.name, true] as const));
    return this.given.has(name);
  }

  /** The name itself, or with a number behind it. For names that tell more than where the node belongs. */
  unique(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.isTaken(name); count++) name = `${wanted}:${count}`;
    this.own.set(name, true);
    return name;
  }

  /** `owner:part.operation`, the second of its kind `owner:part.operation:2`. */
  inScope({ owner, part }: Scope, operation: string): string {
    let counts = this.counts.get(owner);
    if (!counts) this.counts.set(owner, (counts = new Map<string, number>()));
    const own = owner ? `:${part}.${operation}` : operation;
    const key = own.toLowerCase();
    for (;;) {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      const name = `${owner?.name ?? ""}${own}${count === 1 ? "" : `:${count}`}`;
      if (!this.mayClash || !this.isTaken(name)) return name;
    }
  }
}
