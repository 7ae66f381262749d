import { flattened, type Evaluation } from "../../evaluator/index.js";
import type { RecordValue, Thunk, Value } from "../../evaluator/values.js";
import { suggest } from "../../diagnostics/suggest.js";
import { NetworkAssembly } from "../../network/build.js";
import type {
  DynamicAxis,
  MisspeltGroup,
  Network,
  NetworkNode,
  NodeFacts,
  NodeGroup,
} from "../../network/network.js";
import { compareNames } from "../../network/node-order.js";
import { asNode } from "./arguments.js";
import type { NodeFactory } from "./computation-node.js";
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
 * Source: ComputationNetworkScripting.cpp.
 */
export function* assembleNetwork(record: RecordValue, factory: NodeFactory): Evaluation {
  const defaultAxis = factory.settings.compiler?.newDefaultAxis();
  const roots = yield* tagListedNodes(record);
  const names = [...record.names].sort(compareNames);
  const firstNames = new Map<NetworkNode, string>();
  for (const name of names) {
    const thunk = ownMember(record, name);
    const value: Value = yield thunk.ask();
    if (!(value instanceof NodeValue)) continue;
    if (!groupMembers.has(name)) {
      // Of several names for one node the last in this order stays.
      const first = firstNames.get(value.node);
      if (first === undefined) firstNames.set(value.node, name);
      else value.node.renamed = { from: first, span: thunk.span };
      value.node.name = name;
    }
    roots.push(value);
  }
  const { network, nodes } = yield* collectNetwork(roots, factory, defaultAxis);
  const described = { ...network, misspelt: misspeltGroups(record) };
  return new NetworkValue(described, nodes, factory.settings.compiler, record);
}

/** Puts the nodes that `criterionNodes` and its like list into their groups, and returns them. */
export function* tagListedNodes(record: RecordValue): Evaluation<NodeValue[]> {
  const listed: NodeValue[] = [];
  for (const name of [...record.names].sort(compareNames)) {
    const group = groupMembers.get(name);
    if (!group) continue;
    const thunk = ownMember(record, name);
    for (const value of yield* flattened(yield thunk.ask(), () => thunk.span, asNode)) {
      value.node.tags.add(group);
      listed.push(value);
    }
  }
  return listed;
}

/** Members that list nodes under a name that is nearly one of the groups'. */
function misspeltGroups(record: RecordValue): MisspeltGroup[] {
  return record.names.flatMap((name) => {
    const meant = groupMembers.has(name) ? undefined : suggest(name, groupMembers.keys());
    const group = meant === undefined ? undefined : groupMembers.get(meant);
    if (meant === undefined || group === undefined) return [];
    return [{ name, group, meant, span: ownMember(record, name).span }];
  });
}

function ownMember(record: RecordValue, name: string): Thunk {
  const thunk = record.own(name);
  if (!thunk) throw new Error(`record lists the member '${name}' but does not have it`);
  return thunk;
}

/** A network that was collected from its roots. */
export interface CollectedNetwork {
  readonly network: Network;
  readonly nodes: readonly NodeValue[];
  /** Links and roots that went elsewhere. */
  readonly relinked: number;
}

/**
 * Everything reachable from `roots`, breadth first, under names that are unique without regard to case. Roots and links to
 * a node in `replacements` go to what replaces it (ComputationNetworkScripting.cpp, ConstructFromRoots).
 */
export function* collectNetwork(
  roots: readonly NodeValue[],
  factory: NodeFactory,
  defaultAxis: DynamicAxis | undefined,
  replacements: ReadonlyMap<NodeValue, NodeValue> = new Map(),
): Evaluation<CollectedNetwork> {
  const numbers = new Map<NetworkNode, number>();
  const known = new Map<NetworkNode, NodeFacts>();
  const assembly = new NetworkAssembly(factory.values, (node) => numbers.get(node) ?? 0);
  const nodes: NodeValue[] = [];
  let relinked = 0;
  const replaced = (value: NodeValue): NodeValue | undefined => {
    const replacement = replacements.get(value);
    if (replacement) relinked++;
    return replacement;
  };
  const queue = roots.map((root) => replaced(root) ?? root);
  for (let next = 0; next < queue.length; next++) {
    const value = queue[next]!;
    numbers.set(value.node, value.number);
    if (!assembly.add(value.node)) continue;
    nodes.push(value);
    if (value.facts) known.set(value.node, value.facts);
    yield* value.attachLateInputs();
    value.inputs.forEach((input, index) => {
      const replacement = replaced(input);
      if (replacement) value.setInput(index, replacement);
    });
    for (const input of value.inputs) queue.push(input);
  }
  const network = { ...assembly.finish(), defaultAxis, known };
  return { network, nodes, relinked };
}
