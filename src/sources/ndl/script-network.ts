import { CntkError } from "../../diagnostics/diagnostic.js";
import { emptyGroups } from "../../network/build.js";
import type { Network, NetworkNode, NodeGroup, ParameterValues } from "../../network/network.js";

/** The network that a script fills or adds to: nodes by name without regard to case, and their groups. */
export interface ScriptNetwork {
  readonly values: Map<NetworkNode, ParameterValues>;
  find(name: string): NetworkNode | undefined;
  /** Throws CntkError `duplicate-node-name`. */
  add(node: NetworkNode): void;
  hasFeatures(): boolean;
  addToGroup(group: NodeGroup, node: NetworkNode): void;
}

/** A network that has nothing yet. */
export class NewScriptNetwork implements ScriptNetwork {
  readonly values = new Map<NetworkNode, ParameterValues>();
  private readonly groups = emptyGroups();
  private readonly byName = new Map<string, NetworkNode>();

  find(name: string): NetworkNode | undefined {
    return this.byName.get(name.toLowerCase());
  }

  add(node: NetworkNode): void {
    const key = node.name.toLowerCase();
    const other = this.byName.get(key);
    if (other) {
      throw new CntkError({
        code: "duplicate-node-name",
        message: `AddNodeToNet: Duplicated name for ${node.name} ${node.op.name} operation.`,
        span: node.origin,
        ...(other.origin && { calls: [{ span: other.origin, label: "the other one" }] }),
        hint: "node names must differ in more than upper and lower case",
      });
    }
    this.byName.set(key, node);
  }

  hasFeatures(): boolean {
    return this.groups.feature.length > 0;
  }

  addToGroup(group: NodeGroup, node: NetworkNode): void {
    node.tags.add(group);
    if (!this.groups[group].includes(node)) this.groups[group].push(node);
  }

  finish(): Network {
    return { nodes: [...this.byName.values()], groups: this.groups, values: this.values };
  }
}
