import { CntkError } from "../../diagnostics/diagnostic.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import { inSteps, type Evaluation } from "../../evaluator/index.js";
import type { Span } from "../../diagnostics/source.js";
import type { CallContext, NativeClass, RecordValue, Value } from "../../evaluator/values.js";
import { declarationList } from "../../network/attributes.js";
import { makeNode } from "../../network/build.js";
import type { Attributes, NetworkNode, NodeGroup, ParameterValues } from "../../network/network.js";
import type { AttributeDeclaration, OpDefinition } from "../../network/op-definition.js";
import { operationByName, operations } from "../../ops/index.js";
import { Arguments } from "./arguments.js";
import {
  constantAttributes,
  deferredInitializationLine,
  readLearnableParameter,
} from "./learnable-parameter.js";
import type { BuildSettings } from "./settings.js";
import { NodeValue } from "./values.js";

/** Group tags, with the spellings CNTK keeps for old scripts. */
const groupOfTag: Readonly<Record<string, NodeGroup>> = {
  feature: "feature",
  label: "label",
  criterion: "criterion",
  criteria: "criterion",
  evaluation: "evaluation",
  eval: "evaluation",
  output: "output",
};

/**
 * Makes computation nodes: for `new ComputationNode [ operation = '…' ; … ]` and for the operators. It reads an operation's
 * attributes as the registry declares them, so a new operation needs nothing here. Values that parameters bring along from
 * files, literals and models are kept in `values`.
 */
export class NodeFactory {
  readonly values = new Map<NetworkNode, ParameterValues>();

  constructor(readonly settings: BuildSettings) {}

  /** The native class of that name. */
  nativeClass(): NativeClass {
    return {
      name: "ComputationNode",
      restartsPath: true,
      construct: (record, context) => inSteps(this.construct(record, context)),
    };
  }

  /** A node of known inputs and attributes, named by the path it was written at. */
  create(
    operation: string,
    inputs: readonly NodeValue[],
    attributes: Attributes,
    context: CallContext,
  ): NodeValue {
    const value = this.blank(this.operation(operation, context), attributes, context);
    value.attachInputs(inputs);
    return value;
  }

  /** A number written beside a node: a parameter of shape `[1]` that is never trained, under the operator's own path. */
  constant(value: number, context: CallContext): NodeValue {
    const op = this.operation("LearnableParameter", context);
    const given = { shape: [1], learningRateMultiplier: 0, ...constantAttributes(value) };
    return this.blank(op, given, context);
  }

  /** A copy of a node with the same values, under its own or another name; `changes` are attributes that differ. */
  duplicate(value: NodeValue, name?: string, changes?: Attributes, origin?: Span): NodeValue {
    const copy = value.duplicate(this.settings.seeds.drawNodeNumber(), name, changes, origin);
    const values = this.values.get(value.node);
    if (values) this.values.set(copy.node, values);
    return copy;
  }

  private *construct(record: RecordValue, context: CallContext): Evaluation {
    const args = new Arguments(record, context);
    const op = this.operation(yield* args.string("operation"), context);
    // The number is drawn before the inputs are evaluated: the C++ object is there before they are attached.
    const number = this.settings.seeds.drawNodeNumber();
    const value =
      op.role === "parameter"
        ? yield* this.parameter(op, args, number)
        : this.blank(op, { ...this.engineOf(op), ...(yield* readAttributes(op, args)) }, context, number);
    const inputs = readInputs(op, args);
    if (op.delay) value.attachInputsLater(inputs);
    else value.attachInputs(yield* inputs);
    const tag = yield* args.string("tag");
    if (tag !== "") value.node.tags.add(groupFromTag(tag, context));
    return value;
  }

  /** The random engine of a node that has one. */
  private engineOf({ stored }: OpDefinition): Attributes {
    const isRandom = stored.fields.some(({ name }) => name === "seed");
    return isRandom ? this.settings.seeds.drawEngine() : {};
  }

  private *parameter(op: OpDefinition, args: Arguments, number: number): Evaluation<NodeValue> {
    const setup = yield* readLearnableParameter(args, this.settings);
    const value = this.blank(op, setup.attributes, args.context, number);
    if (setup.values) this.values.set(value.node, setup.values);
    if (this.settings.traceLevel > 0) this.settings.log(deferredInitializationLine(setup));
    return value;
  }

  private blank(
    op: OpDefinition,
    attributes: Attributes,
    context: CallContext,
    number = this.settings.seeds.drawNodeNumber(),
  ): NodeValue {
    const { span: origin, path: name, calls } = context;
    const node = makeNode({ op, name, attributes, origin, ...(calls && { calls }) });
    return new NodeValue(node, number, context.span);
  }

  private operation(name: string, context: CallContext): OpDefinition {
    const op = operationByName(name);
    if (op && !op.internal) return op;
    const known = operations.filter((candidate) => !candidate.internal).map((candidate) => candidate.name);
    const hint = didYouMean(name, known);
    throw new CntkError({
      code: "unknown-operation",
      message: `Attempted to instantiate undefined operation ${name}.`,
      span: context.span,
      ...(hint && { hint }),
    });
  }
}

function* readAttributes(op: OpDefinition, args: Arguments): Evaluation<Attributes> {
  const attributes: Record<string, unknown> = {};
  for (const [key, declaration] of declarationList(op.attributes)) {
    if (declaration.computed) continue;
    const member = declaration.member ?? key;
    const from = declaration.within === undefined ? args : yield* args.ownOf(declaration.within);
    attributes[key] =
      "default" in declaration && !from?.has(member)
        ? declaration.default
        : yield* readAttribute(declaration, member, from ?? args);
  }
  return attributes;
}

function* readAttribute(
  declaration: AttributeDeclaration,
  member: string,
  args: Arguments,
): Evaluation<unknown> {
  switch (declaration.kind) {
    case "number":
      return yield* args.number(member);
    case "integer":
    case "integers":
      return yield* declaration.natural ? args.size(member) : args.integer(member);
    case "boolean":
      return yield* args.boolean(member);
    case "string": {
      // An input's dynamicAxis may be given as the axis node itself; CNTK keeps its name.
      const value: Value = yield args.ask(member);
      return value instanceof NodeValue ? value.node.name : yield* args.string(member);
    }
    case "shape":
      return yield* args.shape(member);
    case "booleans":
      return yield* args.booleans(member);
  }
}

/** The nodes of `inputs`: one node or an array of them, nested or not. Throws when the operation takes another number. */
function* readInputs(op: OpDefinition, args: Arguments): Evaluation<NodeValue[]> {
  const inputs = yield* args.inputs();
  const required = op.inputs.filter((input) => !input.optional).length;
  const most = op.variadic ? Infinity : op.inputs.length;
  if (inputs.length < required || inputs.length > most) {
    const expected = inputs.length < required ? required : most;
    throw new CntkError({
      code: "input-count",
      message: `Expected ${expected} inputs, but ${inputs.length} were given.`,
      span: args.has("inputs") ? args.thunk("inputs").span : args.context.span,
      hint: `${op.name} takes ${describeInputs(op)}`,
    });
  }
  return inputs;
}

function describeInputs(op: OpDefinition): string {
  if (op.inputs.length === 0) return "no inputs";
  const names = op.inputs.map((input) => (input.optional ? `[${input.name}]` : input.name));
  return names.join(", ") + (op.variadic ? ", …" : "");
}

function groupFromTag(tag: string, context: CallContext): NodeGroup {
  const group = Object.hasOwn(groupOfTag, tag) ? groupOfTag[tag] : undefined;
  if (group) return group;
  throw new CntkError({
    code: "unknown-tag",
    message: `Invalid group tag '${tag}', must be one of 'feature', 'label', 'criterion', 'evaluation', 'output'.`,
    span: context.span,
  });
}
