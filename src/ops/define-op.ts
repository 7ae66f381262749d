import { CntkError } from "../diagnostics/diagnostic.js";
import {
  type AttributeDeclarations,
  type AttributeKind,
  type AttributesOf,
  typedAttributes,
} from "../network/attributes.js";
import type { DynamicAxis, NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type {
  MemoryRule,
  MessageWeight,
  OpDefinition,
  OpEntry,
  ShapeContext,
  ShapeResult,
} from "../network/op-definition.js";
import { refusedByTensors } from "../network/not-implemented.js";
import type { StoredLayout } from "../network/stored-fields.js";

/** What a family writes down for an operation; `defineOp` adds what all have in common. */
type Entry<S extends AttributeDeclarations, D> = Omit<OpEntry<S, AttributesOf<S>, D>, "memory" | "stored"> & {
  readonly stored?: StoredLayout;
  readonly memory?: MemoryRule | ((attributes: AttributesOf<S>) => MemoryRule);
};

/** Reads neither its output nor its inputs in the backward pass. */
export const memoryNone: MemoryRule = { usesOutput: false, usesInputs: "none" };
/** CNTK's default: the backward pass may read output and inputs. */
export const memoryAll: MemoryRule = { usesOutput: true, usesInputs: "all" };
export const memoryInputs: MemoryRule = { usesOutput: false, usesInputs: "all" };
export const memoryOutput: MemoryRule = { usesOutput: true, usesInputs: "none" };

/**
 * Completes an entry of the registry. From here on its attributes are plain data again: this is the one place where they
 * get their types, by the declarations. CNTK's checks of the inputs come before the entry's own shape rule, and a node
 * with one sparse input is sparse unless the rule says otherwise (ComputationNode.h, `Validate`).
 */
export function defineOp<const S extends AttributeDeclarations, D = undefined>(
  entry: Entry<S, D>,
): OpDefinition {
  return {
    ...(entry as unknown as OpDefinition),
    stored: entry.stored ?? { fields: [] },
    refusesSparse: entry.refusesSparse ?? refusedByTensors,
    memory: (entry.memory as OpDefinition["memory"] | undefined) ?? memoryAll,
    shape(context: ShapeContext): ShapeResult {
      checkInputs(entry, context);
      const { node } = context;
      const attributes = typedAttributes(entry.attributes, context.attributes, (name, kind) =>
        wrongAttribute(node, name, kind),
      );
      const result = entry.shape(new TypedContext(context, attributes));
      const completed = { ...result, attributes: result.attributes ?? attributes };
      const only = context.inputs.length === 1 ? context.inputs[0] : undefined;
      return result.storage === undefined && only?.storage === "sparse"
        ? { ...completed, storage: "sparse" }
        : completed;
    },
  };
}

/** A context whose attributes are typed and complete. */
class TypedContext<A> implements ShapeContext<A> {
  readonly node: NetworkNode;
  readonly inputs: ShapeContext["inputs"];
  readonly isFinalPass: boolean;

  constructor(
    private readonly context: ShapeContext,
    readonly attributes: A,
  ) {
    this.node = context.node;
    this.inputs = context.inputs;
    this.isFinalPass = context.isFinalPass;
  }

  get inputAxis(): DynamicAxis | null {
    return this.context.inputAxis;
  }

  newDynamicAxis(base: string): DynamicAxis {
    return this.context.newDynamicAxis(base);
  }

  detailsOf(other: NetworkNode): unknown {
    return this.context.detailsOf(other);
  }

  inferParameter(index: number, like: SampleShape): void {
    this.context.inferParameter(index, like);
  }

  setParameterShape(index: number, shape: SampleShape): void {
    this.context.setParameterShape(index, shape);
  }

  message(text: string, weight?: MessageWeight): void {
    this.context.message(text, weight);
  }
}

/** What is declared and absent, or of another kind, cannot come from a script: the model file is damaged. */
export function wrongAttribute(node: NetworkNode, name: string, kind: AttributeKind): CntkError {
  const value = node.attributes[name];
  return shapeProblem(
    node,
    "wrong-attribute",
    value === undefined
      ? `${describe(node)}: the attribute '${name}' (${kind}) is missing.`
      : `${describe(node)}: the attribute '${name}' should be a ${kind}, not ${shown(value)}.`,
  );
}

function shown(value: unknown): string {
  return (typeof value === "bigint" ? `${value}` : JSON.stringify(value)).slice(0, 40);
}

function checkInputs(entry: Pick<OpDefinition, "inputs" | "variadic">, context: ShapeContext): void {
  const { node, inputs } = context;
  const required = entry.inputs.filter((input) => !input.optional).length;
  const most = entry.variadic ? Infinity : entry.inputs.length;
  if (inputs.length < required || inputs.length > most) {
    const expected = inputs.length < required ? required : most;
    throw shapeProblem(
      node,
      "input-count",
      `Expected ${expected} inputs, but ${inputs.length} were given.`,
      `${describe(node)} takes ${entry.inputs.map((input) => input.name).join(", ")}`,
    );
  }
  if (!context.isFinalPass) return;
  for (const input of inputs) {
    if (elementCount(input.shape) === 0) {
      throw shapeProblem(
        node,
        "empty-input",
        `${describe(node)}: input ${input.node.name} ${input.node.op.name} has 0 elements.`,
        input.isParameter
          ? `the dimensions of parameter '${input.node.name}' [${formatDims(input.shape)}] could not be inferred: state them`
          : undefined,
      );
    }
  }
}

/** CNTK's way to name a node in messages: `Node 'z' (Plus operation)`. */
export function describe(node: NetworkNode): string {
  return `Node '${node.name}' (${node.op.name} operation)`;
}

/** The shorter way of some messages: `z Times operation`. */
export function describeShort(node: NetworkNode): string {
  return `${node.name} ${node.op.name} operation`;
}

/** Dimensions without brackets: `28 x 28 x 1`. */
export function formatDims(shape: SampleShape): string {
  return shape.join(" x ");
}

/** An error about a node: located where the node was written, with the calls that led there. */
export function shapeProblem(node: NetworkNode, code: string, message: string, hint?: string): CntkError {
  return new CntkError({
    code,
    message,
    ...(node.origin && { span: node.origin, label: `makes ${node.name} (${node.op.name})` }),
    ...(node.calls && { calls: node.calls.map((span) => ({ span })) }),
    ...(hint !== undefined && { hint }),
  });
}

/** Input `index` of a list that the shape check has found long enough. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}`);
  return item;
}
