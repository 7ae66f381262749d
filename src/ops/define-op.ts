import { CntkError } from "../diagnostics/diagnostic.js";
import type { Attributes, NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { MemoryRule, OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";

/** What a family writes down for an operation; `defineOp` adds what all have in common. */
export type OpEntry = Omit<OpDefinition, "memory"> & { readonly memory?: OpDefinition["memory"] };

/** Reads neither its output nor its inputs in the backward pass. */
export const memoryNone: MemoryRule = { usesOutput: false, usesInputs: "none" };
/** CNTK's default: the backward pass may read output and inputs. */
export const memoryAll: MemoryRule = { usesOutput: true, usesInputs: "all" };
export const memoryInputs: MemoryRule = { usesOutput: false, usesInputs: "all" };
export const memoryOutput: MemoryRule = { usesOutput: true, usesInputs: "none" };

/**
 * Completes an entry of the registry: CNTK's checks of the inputs come before the entry's own shape rule, and a node with
 * one sparse input is sparse unless the rule says otherwise (ComputationNode.h, `Validate`).
 */
export function defineOp(entry: OpEntry): OpDefinition {
  return {
    ...entry,
    memory: entry.memory ?? memoryAll,
    shape(context: ShapeContext): ShapeResult {
      checkInputs(entry, context);
      const result = entry.shape(context);
      const only = context.inputs.length === 1 ? context.inputs[0] : undefined;
      if (result.storage === undefined && only?.storage === "sparse") return { ...result, storage: "sparse" };
      return result;
    },
  };
}

function checkInputs(entry: OpEntry, context: ShapeContext): void {
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

/** An attribute that is not there or of another kind: a mistake of the program, not of its user. */
function wrongAttribute(name: string, kind: string, value: unknown): Error {
  return new Error(`attribute '${name}' should be a ${kind}, not ${JSON.stringify(value)}`);
}

export function numberAttribute(attributes: Attributes, name: string): number {
  const value = attributes[name];
  if (typeof value !== "number") throw wrongAttribute(name, "number", value);
  return value;
}

export function booleanAttribute(attributes: Attributes, name: string): boolean {
  const value = attributes[name];
  if (typeof value !== "boolean") throw wrongAttribute(name, "boolean", value);
  return value;
}

export function stringAttribute(attributes: Attributes, name: string): string {
  const value = attributes[name];
  if (typeof value !== "string") throw wrongAttribute(name, "string", value);
  return value;
}

export function shapeAttribute(attributes: Attributes, name: string): readonly number[] {
  const value = attributes[name];
  if (!Array.isArray(value) || !value.every((dim) => typeof dim === "number")) {
    throw wrongAttribute(name, "list of numbers", value);
  }
  return value as number[];
}

export function booleansAttribute(attributes: Attributes, name: string): readonly boolean[] {
  const value = attributes[name];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "boolean")) {
    throw wrongAttribute(name, "list of booleans", value);
  }
  return value as boolean[];
}

/** Input `index` of a list that the shape check has found long enough. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}`);
  return item;
}
