import { CntkError } from "../../diagnostics/diagnostic.js";
import { makeNode } from "../../network/build.js";
import { UniqueNames } from "../../network/edit.js";
import type { Attributes, NetworkNode, ParameterValues } from "../../network/network.js";
import { requireOperation } from "../../ops/index.js";
import type { OnnxAttributeValue, OnnxConstant, OnnxFileGraph, OnnxFileNode } from "./read-onnx.js";

/*
 * ONNX's last axis is contiguous in memory, CNTK's first one: the axes behind those of samples and time are a node's shape in
 * reverse, with the same bytes.
 */

/** Something that the graph computes: the node that gives it. */
export interface NodeValue {
  readonly kind: "node";
  readonly node: NetworkNode;
  /** The axes of one sample, in ONNX's order. */
  readonly dims: readonly number[];
  /** Axes in front of them: of samples, of time and samples, or none. */
  readonly leads: number;
  /** Of two axes in front, the first one and the second one have changed places. */
  readonly isSwapped?: boolean;
}

/** Numbers that stand in the file; they become a parameter when a node reads them. */
export interface ConstantValue extends OnnxConstant {
  readonly kind: "constant";
  readonly name: string;
  readonly leads: 0;
}

/** Sizes of a tensor, as far as they are known: a list that operations on shapes compute. NaN stands for samples and time. */
export interface SizesValue {
  readonly kind: "sizes";
  readonly sizes: readonly number[];
}

/** Frames in front of or behind those of a sequence, which a slice along time makes a delay of. */
export interface DelayedValue {
  readonly kind: "delayed";
  readonly of: NodeValue;
  readonly initial: Value;
  readonly before: number;
  readonly behind: number;
}

/** One frame of initial values. */
export interface FrameValue {
  readonly kind: "frame";
  readonly initial: Value;
}

/** What a recurrent layer gives: [time, directions, samples, hidden], or without time. Its directions lie in one vector. */
export interface DirectionsValue {
  readonly kind: "directions";
  readonly of: NodeValue;
  readonly count: number;
}

export type Value = NodeValue | DirectionsValue | ConstantValue | SizesValue | DelayedValue | FrameValue;

/** The nodes of the network that is being made. */
export class Assembly {
  readonly nodes: NetworkNode[] = [];
  readonly values = new Map<NetworkNode, ParameterValues>();
  private readonly names = new UniqueNames([], "_");
  private readonly parameters = new Map<ConstantValue, NetworkNode>();
  private timeIsSecond: boolean | undefined;

  /** A recurrence goes along the first axis. Throws where others went along the other one. */
  goThrough(operation: OperationImport, { isSwapped = false }: NodeValue): void {
    this.timeIsSecond ??= isSwapped;
    if (this.timeIsSecond !== isSwapped)
      throw operation.problem("others go through time along the axis that is that of samples here");
  }

  add(
    operation: string,
    inputs: readonly NetworkNode[],
    wanted: string,
    attributes: Attributes = {},
  ): NetworkNode {
    const node = makeNode({
      op: requireOperation(operation),
      name: this.names.take(wanted),
      inputs,
      attributes,
    });
    this.nodes.push(node);
    return node;
  }

  parameter(constant: ConstantValue): NetworkNode {
    const known = this.parameters.get(constant);
    if (known) return known;
    const { dims, values, name } = constant;
    // What the file does not tell: numbers that stand alone are settings, others were learned.
    const learningRateMultiplier = constant.multiplier ?? (values.length > 1 ? 1 : 0);
    const shape = dims.length === 0 ? [1] : [...dims].reverse();
    const node = this.add("LearnableParameter", [], name, { shape, learningRateMultiplier, init: "" });
    this.values.set(node, values);
    this.parameters.set(constant, node);
    return node;
  }
}

/** Values by name, in a graph and in those around it. */
export class Scope {
  private readonly values = new Map<string, Value>();

  constructor(private readonly outer?: Scope) {}

  get(name: string): Value | undefined {
    return this.values.get(name) ?? this.outer?.get(name);
  }

  set(name: string, value: Value): void {
    this.values.set(name, value);
  }

  addConstants({ initializers }: OnnxFileGraph): void {
    for (const [name, constant] of initializers)
      this.set(name, { kind: "constant", name, leads: 0, ...constant });
  }
}

/** What a rule works with: one operation of ONNX and its operands. */
export class OperationImport {
  constructor(
    readonly assembly: Assembly,
    readonly scope: Scope,
    readonly source: OnnxFileNode,
  ) {}

  get name(): string {
    return this.source.outputs[0] ?? this.source.operation;
  }

  problem(why: string, hint?: string): CntkError {
    return new CntkError({
      code: "import-operation",
      message: `${this.source.operation} '${this.name}' has no counterpart in CNTK: ${why}.`,
      ...(hint !== undefined && { hint }),
    });
  }

  has(index: number): boolean {
    return (this.source.inputs[index] ?? "") !== "";
  }

  value(index: number): Value {
    const name = this.source.inputs[index] ?? "";
    const value = this.scope.get(name);
    if (value) return value;
    throw this.problem(
      name === "" ? `its input ${index + 1} is missing` : `nothing gives its input '${name}'`,
    );
  }

  /** An operand as a node; constants become parameters. */
  operand(index: number): NodeValue {
    return this.asNode(this.value(index));
  }

  asNode(value: Value): NodeValue {
    if (value.kind === "node") return value;
    if (value.kind !== "constant")
      throw this.problem(
        value.kind === "directions"
          ? "it computes with several directions of a recurrent layer before their axis was moved"
          : "it computes with the sizes of tensors, or with single frames",
      );
    return { kind: "node", node: this.assembly.parameter(value), dims: value.dims, leads: 0 };
  }

  /** The whole numbers of an operand that must be known. */
  list(index: number): number[] {
    const value = this.value(index);
    if (value.kind === "constant") return [...value.values];
    if (value.kind === "sizes") return [...value.sizes];
    throw this.problem(`its input ${index + 1} is computed; only constants will do`);
  }

  private attribute(name: string): OnnxAttributeValue | undefined {
    return Object.hasOwn(this.source.attributes, name) ? this.source.attributes[name] : undefined;
  }

  number(name: string, otherwise: number): number {
    const value = this.attribute(name);
    return typeof value === "number" ? value : otherwise;
  }

  numbers(name: string): readonly number[] | undefined {
    const value = this.attribute(name);
    return Array.isArray(value) ? (value as readonly number[]) : undefined;
  }

  word(name: string, otherwise: string): string {
    const value = this.attribute(name);
    return typeof value === "string" ? value : otherwise;
  }

  words(name: string): readonly string[] {
    const value = this.attribute(name);
    return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
  }

  /** Does anything have a name for this result? */
  isAskedFor(result: number): boolean {
    return (this.source.outputs[result] ?? "") !== "";
  }

  tensor(name: string): OnnxConstant | undefined {
    const value = this.attribute(name);
    return typeof value === "object" && "values" in value && "dims" in value ? value : undefined;
  }

  graph(name: string): OnnxFileGraph | undefined {
    const value = this.attribute(name);
    return typeof value === "object" && "nodes" in value ? value : undefined;
  }

  /** A node whose result has these axes. */
  add(
    operation: string,
    inputs: readonly NodeValue[],
    dims: readonly number[],
    attributes: Attributes = {},
    name = this.name,
  ): NodeValue {
    const nodes = inputs.map(({ node }) => node);
    const leads = Math.max(0, ...inputs.map((input) => input.leads));
    const node = this.assembly.add(operation, nodes, name, attributes);
    const isSwapped = inputs.some((input) => input.isSwapped);
    return { kind: "node", node, dims, leads, ...(isSwapped && { isSwapped }) };
  }

  /** A number as a constant node. */
  scalar(value: number, name: string): NodeValue {
    const values = Float32Array.of(value);
    return this.asNode({ kind: "constant", name, leads: 0, dims: [], values, multiplier: 0 });
  }

  reshape(x: NodeValue, dims: readonly number[], name = this.name): NodeValue {
    const shape = dims.length === 0 ? [1] : [...dims].reverse();
    return this.add("Reshape", [x], dims, { shape, beginAxis: 1, endAxis: 0 }, name);
  }

  /** ONNX's axis as CNTK counts it, from 1; of an axis of samples or time it is 0 or less. */
  axis(axis: number, { dims, leads }: NodeValue): number {
    return axis < 0 ? -axis : leads + dims.length - axis;
  }
}

/** Adds what an operation of ONNX is in CNTK. Throws CntkError `import-operation`. */
export type ImportRule = (operation: OperationImport) => Value | readonly (Value | undefined)[];

export type ImportRules = Readonly<Record<string, ImportRule>>;

/** The axes of an elementwise operation, lined up from the last. */
export function stretchedDims(inputs: readonly NodeValue[]): number[] {
  const rank = Math.max(...inputs.map(({ dims }) => dims.length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...inputs.map(({ dims }) => dims[axis - rank + dims.length] ?? 1)),
  );
}
