import type { ViewData, ViewGroup, ViewNode, ViewParameter } from "../view-data.js";

/** What can be selected: a node or a group. */
export interface Item {
  readonly kind: "node" | "group";
  readonly index: number;
}

/** The network with its groups, and which of them are open. */
export class NetworkTree {
  readonly open = new Set<number>([0]);
  /** Group of each node that stands in one; parameters are shown with their users. */
  private readonly groupOf = new Map<number, number>();
  private readonly inner = new Map<number, number[]>();
  private readonly users = new Map<number, number[]>();

  constructor(readonly data: ViewData) {
    data.groups.forEach(({ nodes, parent, open }, index) => {
      for (const node of nodes) this.groupOf.set(node, index);
      if (parent !== undefined) this.inner.set(parent, [...(this.inner.get(parent) ?? []), index]);
      if (open) this.open.add(index);
    });
    data.nodes.forEach(({ inputs }, user) => {
      for (const input of new Set(inputs)) this.users.set(input, [...(this.users.get(input) ?? []), user]);
    });
  }

  node(index: number): ViewNode {
    return this.data.nodes[index] as ViewNode;
  }

  group(index: number): ViewGroup {
    return this.data.groups[index] as ViewGroup;
  }

  groupsIn(group: number): readonly number[] {
    return this.inner.get(group) ?? [];
  }

  usersOf(node: number): readonly number[] {
    return this.users.get(node) ?? [];
  }

  /** A node is drawn inside of its users where it stands in no group. */
  isFolded(node: number): boolean {
    return !this.groupOf.has(node);
  }

  parameterOf(node: number): ViewParameter | undefined {
    const { parameter } = this.node(node);
    return parameter === undefined ? undefined : this.data.parameters[parameter];
  }

  /** Parameters that are drawn inside of a node. */
  foldedInputs(node: number): readonly number[] {
    return this.node(node).inputs.filter((input) => this.isFolded(input));
  }

  /** All nodes of a group, those of groups in it too. */
  nodesIn(group: number): number[] {
    const found: number[] = [];
    const stack = [group];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      found.push(...this.group(top).nodes);
      stack.push(...this.groupsIn(top));
    }
    return found;
  }

  /** Values in the parameters that the nodes of a group use. */
  valuesIn(group: number): number {
    const used = new Set(this.nodesIn(group).flatMap((node) => [node, ...this.foldedInputs(node)]));
    return [...used].reduce((sum, node) => sum + (this.parameterOf(node)?.statistics.count ?? 0), 0);
  }

  /** The groups around an item, from the outermost on. */
  around({ kind, index }: Item): number[] {
    const path: number[] = [];
    const start = kind === "node" ? this.groupOf.get(index) : this.group(index).parent;
    for (let group = start; group !== undefined; group = this.group(group).parent) path.unshift(group);
    return path;
  }

  /** What is seen of an item: itself, the outermost closed group around it, or of a folded parameter its first user. */
  seen(item: Item): Item {
    const [user] = item.kind === "node" && this.isFolded(item.index) ? this.usersOf(item.index) : [];
    const shown: Item = user === undefined ? item : { kind: "node", index: user };
    const closed = this.around(shown).find((group) => !this.open.has(group));
    return closed === undefined ? shown : { kind: "group", index: closed };
  }

  /** Opens all groups around an item. */
  reveal(item: Item): void {
    const [user] = item.kind === "node" && this.isFolded(item.index) ? this.usersOf(item.index) : [];
    for (const group of this.around(user === undefined ? item : { kind: "node", index: user }))
      this.open.add(group);
  }

  /** Opens groups, large ones last, until as many boxes would be shown; returns how many stay closed. */
  openAll(mostShown: number): number {
    let shown = 0;
    const waiting = [0];
    let closed = 0;
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      const members = this.group(group).nodes.length + this.groupsIn(group).length;
      if (shown + members > mostShown && group !== 0) closed++;
      else {
        this.open.add(group);
        shown += members;
        waiting.push(...this.groupsIn(group));
      }
    }
    return closed;
  }

  closeAll(): void {
    this.open.clear();
    this.open.add(0);
  }

  /** The name inside of a group: what follows the group's own; of the group's value the last part. */
  shortName(name: string, group: number): string {
    const { label } = this.group(group);
    if (name === label) return name.split(".").at(-1) ?? name;
    return label !== "" && name.startsWith(`${label}.`) ? name.slice(label.length + 1) : name;
  }
}
