import { CntkError } from "../diagnostics/diagnostic.js";
import type { RecordValue, Thunk } from "../evaluator/values.js";
import type { Network, NetworkNode, NodeGroup, ParameterValues } from "../network/network.js";
import { asNode, flatten } from "./arguments.js";
import { NetworkValue, NodeValue } from "./values.js";

/** Members of a network record that list the nodes of a group instead of naming one. */
const groupMembers: ReadonlyMap<string, NodeGroup> = new Map([
  ["criterionNodes", "criterion"],
  ["evaluationNodes", "evaluation"],
  ["featureNodes", "feature"],
  ["labelNodes", "label"],
  ["outputNodes", "output"],
]);

/**
 * Turns the evaluated record of `new ComputationNetwork { … }` into a network: every member is evaluated, in the order of
 * names; nodes among them get the member's name; all that can be reached from them is collected, breadth first.
 * `values` holds what parameters read from files and literals.
 * Source: ComputationNetworkScripting.cpp.
 */
export function assembleNetwork(
  record: RecordValue,
  values: ReadonlyMap<NetworkNode, ParameterValues>,
): NetworkValue {
  const roots: NodeValue[] = [];
  const names = [...record.names].sort(compareCodePoints);
  for (const name of names) {
    const group = groupMembers.get(name);
    if (!group) continue;
    const thunk = ownMember(record, name);
    for (const value of flatten(thunk.force(), thunk.span, asNode)) {
      value.node.tags.add(group);
      roots.push(value);
    }
  }
  for (const name of names) {
    const value = ownMember(record, name).force();
    if (!(value instanceof NodeValue)) continue;
    // Of several names for one node the last in this order stays.
    if (!groupMembers.has(name)) value.node.name = name;
    roots.push(value);
  }
  return collect(roots, values, record);
}

function ownMember(record: RecordValue, name: string): Thunk {
  const thunk = record.own(name);
  if (!thunk) throw new Error(`record lists the member '${name}' but does not have it`);
  return thunk;
}

/** Everything reachable from `roots`, breadth first, under names that are unique without regard to case. */
function collect(
  roots: readonly NodeValue[],
  values: ReadonlyMap<NetworkNode, ParameterValues>,
  record: RecordValue,
): NetworkValue {
  const named = new Map<string, NodeValue>();
  const found = new Set<NodeValue>();
  const groups: Record<NodeGroup, NetworkNode[]> = {
    feature: [],
    label: [],
    criterion: [],
    evaluation: [],
    output: [],
  };
  const queue = [...roots];
  for (let next = 0; next < queue.length; next++) {
    const value = queue[next]!;
    if (found.has(value)) continue;
    takeName(value, named);
    found.add(value);
    value.attachLateInputs();
    for (const group of sortedTags(value.node)) groups[group].push(value.node);
    queue.push(...value.inputs);
  }
  const nodes = [...found].map(({ node }) => node);
  const network: Network = {
    nodes,
    groups,
    values: new Map(nodes.flatMap((node) => (values.has(node) ? [[node, values.get(node)!] as const] : []))),
  };
  return new NetworkValue(network, [...found], record);
}

/** A node's tags in CNTK's order (a set of strings). */
function sortedTags(node: NetworkNode): NodeGroup[] {
  return [...node.tags].sort(compareCodePoints);
}

/**
 * Enters the node under its name. A compound name that is taken gets underscores in front until it is free; a name the user
 * gave is an error.
 */
function takeName(value: NodeValue, named: Map<string, NodeValue>): void {
  const { node } = value;
  for (;;) {
    const key = node.name.toLowerCase();
    const other = named.get(key);
    if (!other) {
      named.set(key, value);
      return;
    }
    if (!/[.[\]]/.test(node.name)) throw duplicateName(value, other);
    node.name = `_${node.name}`;
  }
}

function duplicateName(value: NodeValue, other: NodeValue): CntkError {
  const { node } = value;
  // The usual case: `y = 2 * x` names both the constant and the product `y`.
  const isConstantOfOperator =
    node.origin !== undefined &&
    other.node.origin !== undefined &&
    node.origin.source === other.node.origin.source &&
    node.origin.start === other.node.origin.start;
  const hint = isConstantOfOperator
    ? "the number and the operator would bear the same name here; write Constant (2) .* x instead of 2 * x"
    : node.name === other.node.name
      ? undefined
      : `node names must differ in more than upper and lower case, and '${other.node.name}' is there already`;
  const where = node.origin ?? other.node.origin;
  return new CntkError({
    code: "duplicate-node-name",
    message:
      `AddNodeToNetIfNotYet: Duplicated name for ${node.name} ${node.op.name} operation ` +
      `(${value.number} vs. ${other.number}).`,
    ...(where && { span: where }),
    ...(hint && { hint }),
  });
}

/** C++ order of strings: by code point. */
function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const difference = left[index]!.codePointAt(0)! - right[index]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
