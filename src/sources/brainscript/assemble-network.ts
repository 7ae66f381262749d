import { flattened, type Evaluation } from "../../evaluator/index.js";
import type { RecordValue, Thunk, Value } from "../../evaluator/values.js";
import { suggest } from "../../diagnostics/suggest.js";
import { NetworkAssembly } from "../../network/build.js";
import type { MisspeltGroup, NetworkNode, NodeGroup, ParameterValues } from "../../network/network.js";
import { compareNames } from "../../network/node-order.js";
import { asNode } from "./arguments.js";
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
export function* assembleNetwork(
  record: RecordValue,
  values: ReadonlyMap<NetworkNode, ParameterValues>,
): Evaluation {
  const roots: NodeValue[] = [];
  const names = [...record.names].sort(compareNames);
  for (const name of names) {
    const group = groupMembers.get(name);
    if (!group) continue;
    const thunk = ownMember(record, name);
    for (const value of yield* flattened(yield thunk.ask(), thunk.span, asNode)) {
      value.node.tags.add(group);
      roots.push(value);
    }
  }
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
  return yield* collect(roots, values, record);
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

/** Everything reachable from `roots`, breadth first, under names that are unique without regard to case. */
function* collect(
  roots: readonly NodeValue[],
  values: ReadonlyMap<NetworkNode, ParameterValues>,
  record: RecordValue,
): Evaluation<NetworkValue> {
  const numbers = new Map<NetworkNode, number>();
  const assembly = new NetworkAssembly(values, (node) => numbers.get(node) ?? 0);
  const found: NodeValue[] = [];
  const queue = [...roots];
  for (let next = 0; next < queue.length; next++) {
    const value = queue[next]!;
    numbers.set(value.node, value.number);
    if (!assembly.add(value.node)) continue;
    found.push(value);
    yield* value.attachLateInputs();
    for (const input of value.inputs) queue.push(input);
  }
  const network = { ...assembly.finish(), misspelt: misspeltGroups(record) };
  return new NetworkValue(network, found, record);
}
