import { CntkError } from "../../diagnostics/diagnostic.js";
import type { OnnxNode } from "../onnx/graph.js";

/** Dimensions of a tensor; undefined is the number of samples. */
export type Dims = readonly (number | undefined)[];

export type TensorType = "float32" | "int32" | "bool";

/** A value in the graph. */
export interface Tensor {
  /** Name of the graph's node that gives it; empty for a constant that is not in the graph yet. */
  readonly name: string;
  readonly dims: Dims;
  readonly type: TensorType;
  /** Of constants: the elements, row-major. */
  readonly values?: Float32Array | Int32Array;
  /** Of lists of dimensions: what is known of them. */
  readonly elements?: Dims;
}

/** The value of an attribute as TensorFlow's JSON has it. */
export type Attribute =
  | { readonly type: string }
  | { readonly b: boolean }
  | { readonly i: string }
  | { readonly s: string }
  | { readonly shape: { readonly dim: readonly { readonly size: string }[] } }
  | { readonly list: { readonly i: readonly string[] } };

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, Attribute>>;
}

/** Numbers that stand in a file beside the graph. */
export interface Weight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array | Int32Array;
}

const typeNames: Readonly<Record<TensorType, string>> = {
  float32: "DT_FLOAT",
  int32: "DT_INT32",
  bool: "DT_BOOL",
};

export const typeAttribute = (type: TensorType): Attribute => ({ type: typeNames[type] });
export const wholes = (values: readonly number[]): Attribute => ({ list: { i: values.map(String) } });
export const whole = (value: number): Attribute => ({ i: String(value) });
/** A text; TensorFlow.js expects it in base 64. */
export const text = (value: string): Attribute => ({ s: btoa(value) });
export const shapeAttribute = (dims: Dims): Attribute => ({
  shape: { dim: dims.map((size) => ({ size: String(size ?? -1) })) },
});

/** A graph of TensorFlow operations under construction. */
export class Graph {
  readonly nodes: GraphNode[] = [];
  readonly weights: Weight[] = [];
  private readonly taken = new Set<string>();

  /** A name that TensorFlow takes and that is free: the wanted one, or as near to it as can be. */
  private take(wanted: string): string {
    const name = wanted.replace(/[^A-Za-z0-9_./-]/g, "_").replace(/^[^A-Za-z0-9.]/, "n$&");
    let free = name;
    for (let number = 1; this.taken.has(free); number++) free = `${name}_${number}`;
    this.taken.add(free);
    return free;
  }

  placeholder(wanted: string, dims: Dims): Tensor {
    const name = this.take(wanted);
    const attr = { dtype: typeAttribute("float32"), shape: shapeAttribute(dims) };
    this.nodes.push({ name, op: "Placeholder", input: [], attr });
    return { name, dims, type: "float32" };
  }

  /** Adds an operation with one result. */
  add(
    op: string,
    inputs: readonly Tensor[],
    wanted: string,
    dims: Dims,
    attr: Readonly<Record<string, Attribute>> = {},
    type: TensorType = "float32",
  ): Tensor {
    const input = inputs.map((tensor, index) => this.inGraph(tensor, `${wanted}/input_${index + 1}`));
    const name = this.take(wanted);
    this.nodes.push({ name, op, input, attr: { T: typeAttribute(inputs[0]?.type ?? type), ...attr } });
    return { name, dims, type };
  }

  /** A constant; it is written once something reads it. */
  constant(wanted: string, dims: readonly number[], values: Float32Array | Int32Array): Tensor {
    const type = values instanceof Float32Array ? "float32" : "int32";
    const isList = type === "int32" && dims.length <= 1;
    return { name: wanted, dims, type, values, ...(isList && { elements: [...values] }) };
  }

  /** A list of whole numbers. */
  list(values: readonly number[]): Tensor {
    return this.constant("", [values.length], Int32Array.from(values));
  }

  /** One whole number. */
  number(value: number): Tensor {
    return this.constant("", [], Int32Array.of(value));
  }

  private readonly written = new Map<Tensor, string>();

  /** The name under which an operation reads a tensor; constants enter the graph here. */
  inGraph(tensor: Tensor, otherwise: string): string {
    const { values, dims } = tensor;
    if (!values) return tensor.name;
    const known = this.written.get(tensor);
    if (known !== undefined) return known;
    const name = this.take(tensor.name === "" ? otherwise : tensor.name);
    this.written.set(tensor, name);
    const attr = { dtype: typeAttribute(tensor.type), shape: shapeAttribute(dims) };
    this.nodes.push({ name, op: "Const", input: [], attr });
    this.weights.push({ name, dims: dims.map((dim) => dim ?? 0), values });
    return name;
  }

  /** Nodes and weights that some nodes need, in order. */
  needed(outputs: readonly string[]): { readonly nodes: GraphNode[]; readonly weights: Weight[] } {
    const wanted = new Set(outputs);
    const nodes = [...this.nodes]
      .reverse()
      .filter(({ name, input }) => {
        if (!wanted.has(name)) return false;
        for (const one of input) wanted.add(one);
        return true;
      })
      .reverse();
    return { nodes, weights: this.weights.filter(({ name }) => wanted.has(name)) };
  }
}

export const elementsOf = (dims: readonly number[]): number =>
  dims.reduce((product, dim) => product * dim, 1);

/** The refusal of an operation; nothing is written. */
export function noTensorFlowCounterpart({ operation, origin }: OnnxNode, why?: string): CntkError {
  return new CntkError({
    code: "export-operation",
    message: `Node '${origin}' has no counterpart in TensorFlow.js${why === undefined ? ` (its operation in ONNX would be ${operation})` : `: ${why}`}.`,
    hint: "--to onnx may take it; --output with nodes that do not need it leaves it out",
  });
}
