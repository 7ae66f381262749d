import { CntkError } from "../diagnostics/diagnostic.js";
import { NameIndex } from "../network/name-index.js";
import type { DynamicAxis, Network, NetworkNode } from "../network/network.js";
import type { AxisNames } from "./axis-names.js";

/**
 * The dynamic axes of one compile. Nodes that bring an axis of their own (DynamicAxis, Where, …) keep it through all
 * passes; the next compile gives them a new one. Inputs use the network's axis or that of the DynamicAxis they name.
 * Source: ComputationNetworkEvaluation.cpp, ResetMBLayouts.
 */
export class CompileAxes {
  private readonly own = new Map<NetworkNode, DynamicAxis>();
  private byName: NameIndex<NetworkNode> | undefined;
  /** The inputs that lie below the roots, statistics that are known already left out; undefined: all of them. */
  private readonly reached: ReadonlySet<NetworkNode> | undefined;

  /** DynamicAxis nodes take their axes at once, before anything is validated. */
  constructor(
    private readonly network: Network,
    private readonly defaultAxis: DynamicAxis,
    private readonly names: AxisNames,
    roots: readonly NetworkNode[],
  ) {
    if (network.nodes.some(isKnownStatistic)) this.reached = nodesBelow(roots);
    for (const node of network.nodes) {
      if (node.op.name === "DynamicAxis") this.of(node, node.name);
    }
  }

  /** The axis that a node brings; made, with a name after `base`, when it is first asked for. */
  of(node: NetworkNode, base: string): DynamicAxis {
    const known = this.own.get(node);
    if (known) return known;
    const axis = this.names.next(base);
    this.own.set(node, axis);
    return axis;
  }

  /** The axis known of a node before its rule has run: only inputs and DynamicAxis nodes have one. */
  initial(node: NetworkNode): DynamicAxis | null {
    if (node.op.role === "input") return this.ofInput(node);
    return this.own.get(node) ?? null;
  }

  /**
   * None for an input that only known statistics were taken of: CNTK gives it no axis.
   * Throws CntkError for an input whose axis is no DynamicAxis of the network.
   */
  ofInput(node: NetworkNode): DynamicAxis | null {
    if (this.reached && !this.reached.has(node)) return null;
    const name = node.attributes["dynamicAxis"];
    if (typeof name !== "string" || name === "") return this.defaultAxis;
    this.byName ??= new NameIndex(this.network.nodes.map((other) => [other.name, other] as const));
    const source = this.byName.get(name);
    if (source?.op.name === "DynamicAxis") return this.of(source, source.name);
    const place = {
      code: "no-dynamic-axis",
      ...(node.origin && { span: node.origin, label: `the input '${node.name}'` }),
      ...(node.calls && { calls: node.calls.map((span) => ({ span })) }),
      // An axis that is made inside of a call has the name of an argument, under which nobody can define anything.
      hint: name.includes(".")
        ? "an axis is defined by itself: t = DynamicAxis () ; x = Input {…, dynamicAxis = t}"
        : `write ${name} = DynamicAxis () and dynamicAxis = ${name}`,
    };
    throw new CntkError({
      ...place,
      message: source
        ? `${describe(node)}: dynamicAxis argument must be of type DynamicAxis(), but got ${describe(source)}.`
        : `${describe(node)}: Can't find node '${name}' for retrieving dynamic axis.`,
    });
  }
}

/** A mean or deviation that a loaded model brings. */
function isKnownStatistic({ op, attributes }: NetworkNode): boolean {
  return op.role === "precompute" && attributes["hasComputed"] === true;
}

/** What CNTK walks through for the inputs (ComputationNetwork.cpp, CollectInputAndLearnableParametersRec). */
function nodesBelow(roots: readonly NetworkNode[]): Set<NetworkNode> {
  const seen = new Set<NetworkNode>(roots);
  for (const node of seen) {
    if (isKnownStatistic(node)) continue;
    for (const input of node.inputs) seen.add(input);
  }
  return seen;
}

function describe(node: NetworkNode): string {
  return `Node '${node.name}' (${node.op.name} operation)`;
}
