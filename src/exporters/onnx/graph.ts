import type { ElementType, Values } from "../../numerics/values.js";
import { attributeTypes, elementTypes, learningRateNote } from "./schema.js";

/** A tensor with its values, row-major. */
export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly values: Values | BigInt64Array;
  /** The factor of the learning rate of a parameter, for who trains on. */
  readonly learningRateMultiplier?: number;
}

/** The value of an attribute. */
export type OnnxAttribute =
  | { readonly kind: "i"; readonly value: number }
  | { readonly kind: "f"; readonly value: number }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "s"; readonly value: string }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "t"; readonly value: OnnxTensor }
  | { readonly kind: "g"; readonly value: OnnxGraph };

export const integer = (value: number): OnnxAttribute => ({ kind: "i", value });
export const integers = (value: readonly number[]): OnnxAttribute => ({ kind: "ints", value });
export const text = (value: string): OnnxAttribute => ({ kind: "s", value });
export const texts = (value: readonly string[]): OnnxAttribute => ({ kind: "strings", value });

/** A tensor that goes in or comes out; a dimension is a number or a name. */
export interface OnnxValue {
  readonly name: string;
  readonly elementType: ElementType;
  /** Absent = not told. */
  readonly dims?: readonly (number | string)[];
}

export interface OnnxNode {
  /** Name of the node of the network that it helps to compute. */
  readonly origin: string;
  readonly operation: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A graph under construction. Names are unique in it and in the graphs around it. */
export class OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new Map<string, OnnxTensor>();
  readonly inputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  private origin = "";

  constructor(
    readonly name: string,
    private readonly taken: Set<string> = new Set(),
    /** In front of all names of an inner graph, so that the outer one keeps those of CNTK's nodes. */
    private readonly prefix = "",
  ) {}

  /** A graph inside this one. */
  inner(name: string): OnnxGraph {
    return new OnnxGraph(name, this.taken, `${name}/`);
  }

  /** The name itself, or the first of `name_1`, `name_2`, … that is free; it is taken from now on. */
  take(wanted: string): string {
    const name = `${this.prefix}${wanted}`;
    let free = name;
    for (let number = 1; this.taken.has(free); number++) free = `${name}_${number}`;
    this.taken.add(free);
    return free;
  }

  /** What is added from now on is for this node of the network. */
  beginNode(name: string): void {
    this.origin = name;
  }

  push(node: Omit<OnnxNode, "origin">): void {
    this.nodes.push({ ...node, origin: this.origin });
  }

  /** Adds a node with one output and gives that output's name. */
  add(
    operation: string,
    inputs: readonly string[],
    wanted: string,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const output = this.take(wanted);
    this.push({ operation, inputs, outputs: [output], attributes });
    return output;
  }

  constant(wanted: string, tensor: OnnxTensor): string {
    const name = this.take(wanted);
    this.initializers.set(name, tensor);
    return name;
  }

  /** A list of whole numbers as a tensor. */
  numbers(wanted: string, values: readonly number[]): string {
    return this.constant(wanted, { dims: [values.length], values: BigInt64Array.from(values, BigInt) });
  }
}

/** All names that an operation reads, and graphs inside it. */
function namesRead({ inputs, attributes }: OnnxNode): Set<string> {
  const read = new Set(inputs);
  for (const attribute of Object.values(attributes)) {
    if (attribute.kind !== "g") continue;
    for (const { name } of attribute.value.outputs) read.add(name);
    for (const node of attribute.value.nodes) for (const name of namesRead(node)) read.add(name);
  }
  return read;
}

/** The operations that the outputs of a graph need, in order. */
function neededNodes(graph: OnnxGraph): OnnxNode[] {
  const wanted = new Set(graph.outputs.map(({ name }) => name));
  const needed = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((output) => wanted.has(output))) return false;
    for (const name of namesRead(node)) wanted.add(name);
    return true;
  });
  return needed.reverse();
}

/** The graph as protobufjs takes it; what the outputs do not need is left out. */
export function graphMessage(graph: OnnxGraph): Record<string, unknown> {
  const nodes = neededNodes(graph);
  const read = new Set([
    ...graph.outputs.map(({ name }) => name),
    ...nodes.flatMap((node) => [...namesRead(node)]),
  ]);
  return {
    name: graph.name,
    node: nodes.map((node, index) => ({
      name: node.outputs[0] ?? `node${index}`,
      opType: node.operation,
      input: node.inputs,
      output: node.outputs,
      attribute: Object.entries(node.attributes).map(([name, attribute]) =>
        attributeMessage(name, attribute),
      ),
    })),
    initializer: [...graph.initializers]
      .filter(([name]) => read.has(name))
      .map(([name, tensor]) => tensorMessage(tensor, name)),
    input: graph.inputs.map(valueMessage),
    output: graph.outputs.map(valueMessage),
  };
}

function attributeMessage(name: string, attribute: OnnxAttribute): Record<string, unknown> {
  const type = attributeTypes[attribute.kind];
  switch (attribute.kind) {
    case "t":
      return { name, type, t: tensorMessage(attribute.value) };
    case "g":
      return { name, type, g: graphMessage(attribute.value) };
    case "s":
      return { name, type, s: new TextEncoder().encode(attribute.value) };
    case "strings":
      return { name, type, strings: attribute.value.map((text) => new TextEncoder().encode(text)) };
    default:
      return { name, type, [attribute.kind]: attribute.value };
  }
}

function tensorMessage(
  { dims, values, learningRateMultiplier }: OnnxTensor,
  name = "",
): Record<string, unknown> {
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const kind = values instanceof Float32Array ? "float" : values instanceof Float64Array ? "double" : "int64";
  const docString = `${learningRateNote}${learningRateMultiplier}`;
  return {
    dims,
    dataType: elementTypes[kind],
    name,
    rawData,
    ...(learningRateMultiplier !== undefined && { docString }),
  };
}

function valueMessage({ name, elementType, dims }: OnnxValue): Record<string, unknown> {
  const shape = dims && {
    dim: dims.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })),
  };
  return { name, type: { tensorType: { elemType: elementTypes[elementType], ...(shape && { shape }) } } };
}
