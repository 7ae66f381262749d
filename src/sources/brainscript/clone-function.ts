import { CntkError } from "../../diagnostics/diagnostic.js";
import {
  flattened,
  inSteps,
  isRecord,
  nativeFunction,
  originOf,
  readyThunk,
  wrongType,
  type Evaluation,
} from "../../evaluator/index.js";
import type { CallContext, NativeClass, RecordValue, Thunk, Value } from "../../evaluator/values.js";
import type { Attributes } from "../../network/network.js";
import { compareNames } from "../../network/node-order.js";
import { Arguments, asNode } from "./arguments.js";
import type { NodeFactory } from "./computation-node.js";
import { NetworkValue, NodeValue } from "./values.js";

/** What becomes of the parameters below the outputs. */
type ParameterTreatment = "learnable" | "constant" | "shared";

/** The nodes that a function gives: one, or several under names. */
type Outputs = NodeValue | ReadonlyMap<string, NodeValue>;

/** A part of a network that can be copied. */
interface Section {
  readonly inputs: readonly NodeValue[];
  readonly outputs: Outputs;
  readonly treatment: ParameterTreatment;
  /** What each call copies, in the order of construction; the inputs are not among them. */
  readonly copied: readonly NodeValue[];
}

/**
 * `BS.Network.CloneFunction (inputNodes, outputNodes, parameters)`: a function that copies the part of a network between
 * inputs and outputs, with each call anew (ComputationNetworkScripting.cpp, CloneFunctionConfigLambda).
 */
export function cloneFunctionClass(factory: NodeFactory): NativeClass {
  return {
    name: "CloneFunctionConfigLambda",
    construct: (record, context) => inSteps(cloneFunction(record, context, factory)),
  };
}

function* cloneFunction(record: RecordValue, context: CallContext, factory: NodeFactory): Evaluation {
  const args = new Arguments(record, context);
  const place = args.thunk("inputNodes");
  const inputs = yield* flattened(yield place.ask(), () => originOf(place).span, asNode);
  const outputs = yield* readOutputs(args);
  const treatment = yield* readTreatment(args);
  const below = yield* nodesBelow(outputs instanceof NodeValue ? [outputs] : [...outputs.values()]);
  const unused = inputs.find((input) => !below.includes(input));
  if (unused) {
    throw new CntkError({
      code: "clone-input",
      message: `CloneFunction: No specified output depends on the specified input ${unused.describe()}.`,
      span: args.place("inputNodes"),
    });
  }
  const section = { inputs, outputs, treatment, copied: copiedNodes(below, inputs, treatment) };
  const names = inputs.map((_, index) => `input_${index}`);
  return nativeFunction(names, (given, at) => inSteps(copySection(section, given, at, factory)));
}

function* readOutputs(args: Arguments): Evaluation<Outputs> {
  const value: Value = yield args.ask("outputNodes");
  if (value instanceof NodeValue) return value;
  const outputs = new Map<string, NodeValue>();
  const place = args.place("outputNodes");
  if (value instanceof NetworkValue) {
    for (const name of value.memberNames()) {
      const node = value.member(name);
      if (node) outputs.set(name, node);
    }
  } else {
    if (!isRecord(value)) throw wrongType(value, "IConfigRecord", place);
    for (const name of [...value.names].sort(compareNames)) {
      const thunk = value.own(name);
      if (thunk)
        outputs.set(
          name,
          asNode(yield thunk.ask(), () => thunk.span),
        );
    }
  }
  if (outputs.size > 0) return outputs;
  throw new CntkError({
    code: "clone-outputs",
    message: "CloneFunction: At least one output nodes must be specified.",
    span: place,
  });
}

function* readTreatment(args: Arguments): Evaluation<ParameterTreatment> {
  const text = yield* args.string("parameters");
  if (text === "learnable" || text === "constant" || text === "shared") return text;
  throw new CntkError({
    code: "clone-parameters",
    message: "CloneFunction: 'parameters' option must be 'learnable', 'constant', or 'shared'.",
    span: args.place("parameters"),
  });
}

/** The outputs and everything they need, in the order of construction. */
function* nodesBelow(outputs: readonly NodeValue[]): Evaluation<NodeValue[]> {
  const found = new Set<NodeValue>();
  const stack = [...outputs];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    yield* node.attachLateInputs();
    stack.push(...node.inputs);
  }
  return [...found].sort((left, right) => left.number - right.number);
}

/** The nodes that depend on an input or, unless parameters are shared, on something that can be frozen. */
function copiedNodes(
  below: readonly NodeValue[],
  inputs: readonly NodeValue[],
  treatment: ParameterTreatment,
): NodeValue[] {
  const users = new Map<NodeValue, NodeValue[]>();
  for (const user of below) {
    for (const input of user.inputs) users.set(input, [...(users.get(input) ?? []), user]);
  }
  const frozen = treatment === "shared" ? [] : below.filter((node) => frozenAttributes(node));
  const dependent = new Set<NodeValue>();
  const stack = [...inputs, ...frozen];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (dependent.has(node)) continue;
    dependent.add(node);
    stack.push(...(users.get(node) ?? []));
  }
  return below.filter((node) => dependent.has(node) && !inputs.includes(node));
}

/** The attributes that keep a node from learning; undefined for nodes that learn nothing. */
function frozenAttributes({ node }: NodeValue): Attributes | undefined {
  if (node.op.role === "parameter") return { learningRateMultiplier: 0 };
  if (node.op.name === "BatchNormalization")
    return { normalizationTimeConstant: Infinity, blendTimeConstant: Infinity };
  return undefined;
}

/** A call of the function: copies the section, with the arguments in the place of its inputs. */
function* copySection(
  { inputs, outputs, treatment, copied }: Section,
  given: readonly Thunk[],
  { path, span }: CallContext,
  factory: NodeFactory,
): Evaluation {
  const log = (text: string): void => factory.settings.log(text);
  const standIns = new Map<NodeValue, NodeValue>();
  const shown: string[] = [];
  for (const [index, input] of inputs.entries()) {
    const thunk = given[index];
    if (!thunk) throw new Error("a call passes as many arguments as the function has parameters");
    const argument = asNode(yield thunk.ask(), () => thunk.span);
    standIns.set(input, argument);
    shown.push(`${argument.node.name} : ${argument.node.op.name}`);
  }
  log(`CloneFunction: (${shown.join(", ")}) -> ${describeOutputs(outputs)}\n`);
  for (const node of copied) {
    const changes = treatment === "constant" ? frozenAttributes(node) : undefined;
    standIns.set(node, factory.duplicate(node, `${path}.${node.node.name}`, changes, span));
  }
  const relinked = relink(standIns, log);
  log(`CloneFunction: Cloned ${copied.length} nodes and relinked ${relinked} inputs.\n`);
  const standIn = (node: NodeValue): NodeValue => standIns.get(node) ?? node;
  if (outputs instanceof NodeValue) return standIn(outputs);
  const members = Array.from(outputs, ([name, node]) => {
    return [name, readyThunk(standIn(node), span, node.node.name)] as const;
  });
  return recordOf(new Map(members), path);
}

function describeOutputs(outputs: Outputs): string {
  if (outputs instanceof NodeValue) return outputs.describe();
  const lines = Array.from(outputs, ([name, { node }]) => `    ${name} = ${node.name} : ${node.op.name}\n`);
  return `[\n${lines.join("")}]`;
}

/** Links to nodes that have a stand-in go there, with a line for each; links to others stay, with a line that does not end. */
function relink(standIns: ReadonlyMap<NodeValue, NodeValue>, log: (text: string) => void): number {
  const originals = [...standIns.keys()].sort((left, right) => left.number - right.number);
  let count = 0;
  for (const original of originals) {
    const node = standIns.get(original);
    if (!node) continue;
    node.inputs.forEach((input, index) => {
      log(`${node.node.name}.inputs[${index}] = ${input.node.name} (${input.number})`);
      const target = standIns.get(input);
      if (!target) return;
      node.setInput(index, target);
      log(` ==>  ${target.node.name} (${target.number})\n`);
      count++;
    });
  }
  return count;
}

/** A record that stands in no scope. */
function recordOf(members: ReadonlyMap<string, Thunk>, path: string): RecordValue {
  return {
    kind: "record",
    path,
    names: [...members.keys()],
    own: (name) => members.get(name),
    lookup: (name) => members.get(name),
  };
}
