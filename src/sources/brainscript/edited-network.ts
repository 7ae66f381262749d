import {
  flattened,
  inSteps,
  isFunction,
  originOf,
  readyThunk,
  wrongType,
  type Conversion,
  type Evaluation,
  type Place,
} from "../../evaluator/index.js";
import type { CallContext, FunctionValue, NativeClass, RecordValue, Value } from "../../evaluator/values.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import { Arguments, asNode } from "./arguments.js";
import { collectNetwork, tagListedNodes } from "./assemble-network.js";
import type { NodeFactory } from "./computation-node.js";
import { NetworkValue, type NodeValue } from "./values.js";

/**
 * `BS.Network.Edit (inputModel, editFunctions, additionalRoots)`: a network in which every link to an edited node goes to
 * what an edit function made of it. Users of edited nodes are copied, so the input model stays as it was; other nodes
 * belong to both networks (ComputationNetworkScripting.cpp, ComputationNetworkWithEdits).
 */
export function editedNetworkClass(factory: NodeFactory): NativeClass {
  return {
    name: "ComputationNetworkWithEdits",
    construct: (record, context) => inSteps(editedNetwork(record, context, factory)),
  };
}

function* editedNetwork(record: RecordValue, context: CallContext, factory: NodeFactory): Evaluation {
  const { settings } = factory;
  const log = (text: string): void => {
    if (settings.traceLevel > 0) settings.log(text);
  };
  const defaultAxis = settings.compiler?.newDefaultAxis();
  const args = new Arguments(record, context);
  const model: Value = yield args.ask("inputModel");
  if (!(model instanceof NetworkValue))
    throw wrongType(model, "ComputationNetwork", args.place("inputModel"));
  model.compile();
  const functions = yield* listOf(args, "editFunctions", asFunction);
  const additionalRoots = yield* listOf(args, "additionalRoots", asNode);
  const nodes = model.sorted;

  const replacements = new Map<NodeValue, NodeValue>();
  for (const node of nodes) {
    const replacement = yield* firstEdit(node, functions, args);
    if (replacement) replacements.set(node, replacement);
  }
  log(`Edit: ${replacements.size} nodes were edited.\n`);

  const users = usersOf(nodes);
  copyUsers(replacements, users, factory);
  log(`Edit: ${replacements.size} out of ${nodes.length} nodes were either edited or need to be relinked.\n`);
  followChains(replacements, args.place("editFunctions"));

  // Listed nodes enter their groups, but only what is below the roots is in the network.
  yield* tagListedNodes(record);
  const roots = [...nodes.filter((node) => !users.has(node)), ...additionalRoots];
  log(`Edit: ${roots.length} roots to construct the network from.\n`);
  const collected = yield* collectNetwork(roots, factory, defaultAxis, replacements);
  if (collected.relinked > 0) {
    log(`ConstructFromRoots: ${collected.relinked} references were remapped.`);
  }
  const edited = new NetworkValue(collected.network, collected.nodes, settings.compiler);
  edited.compile();
  return edited;
}

function* listOf<T>(args: Arguments, name: string, convert: Conversion<T>): Evaluation<T[]> {
  const thunk = args.thunk(name);
  return yield* flattened(yield thunk.ask(), () => originOf(thunk).span, convert);
}

function asFunction(value: Value, place: Place): FunctionValue {
  if (!isFunction(value)) throw wrongType(value, "ConfigLambda", place());
  return value;
}

/** What the first function that does not give the node back makes of it. */
function* firstEdit(
  node: NodeValue,
  functions: readonly FunctionValue[],
  args: Arguments,
): Evaluation<NodeValue | undefined> {
  const { span, calls } = args.context;
  const { name } = node.node;
  for (const edit of functions) {
    const at = { span, path: name, ...(calls && { calls }) };
    const result: Value = yield edit.call([readyThunk(node, span, name)], new Map(), at);
    const replacement = asNode(result, () => args.place("editFunctions"));
    if (replacement !== node) return replacement;
  }
  return undefined;
}

function usersOf(nodes: readonly NodeValue[]): Map<NodeValue, NodeValue[]> {
  const users = new Map<NodeValue, NodeValue[]>();
  for (const user of nodes) {
    for (const input of user.inputs) {
      const list = users.get(input);
      if (list) list.push(user);
      else users.set(input, [user]);
    }
  }
  return users;
}

/** Whatever uses a replaced node, directly or not, needs other links: it is replaced by a copy under its own name. */
function copyUsers(
  replacements: Map<NodeValue, NodeValue>,
  users: ReadonlyMap<NodeValue, readonly NodeValue[]>,
  factory: NodeFactory,
): void {
  const queue = [...replacements.keys()];
  for (let next = 0; next < queue.length; next++) {
    for (const user of users.get(queue[next]!) ?? []) {
      if (replacements.has(user)) continue;
      replacements.set(user, factory.duplicate(user));
      queue.push(user);
    }
  }
}

/**
 * Replacements may be replaced themselves; each node gets the last in its chain.
 * @throws CntkError `edit-cycle` where the replacements of a node lead back to it (CNTK never ends)
 */
function followChains(replacements: Map<NodeValue, NodeValue>, span: Span): void {
  for (const [node, replacement] of replacements) {
    const passed = new Set([node]);
    let last = replacement;
    for (let next = replacements.get(last); next; next = replacements.get(last)) {
      if (passed.has(last)) {
        const { name } = node.node;
        throw new CntkError({
          code: "edit-cycle",
          message: `The replacements of '${name}' lead back to '${last.node.name}'.`,
          span,
          hint: "an edit function that is given one of these nodes should return it as it is",
        });
      }
      passed.add(last);
      last = next;
    }
    replacements.set(node, last);
  }
}
