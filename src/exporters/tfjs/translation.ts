import type { OnnxAttribute, OnnxNode } from "../onnx/graph.js";
import {
  type Attribute,
  type Dims,
  elementsOf,
  type Graph,
  noTensorFlowCounterpart,
  type Tensor,
} from "./graph.js";

/** What a rule works with: one operation of ONNX, its operands, and the graph that it adds to. */
export class Translation {
  constructor(
    readonly graph: Graph,
    readonly node: OnnxNode,
    readonly inputs: readonly Tensor[],
  ) {}

  /** Name of what comes out. */
  get name(): string {
    return this.node.outputs[0] ?? this.node.origin;
  }

  input(index: number): Tensor {
    const tensor = this.inputs[index];
    if (!tensor) throw new Error(`${this.name}: ${this.node.operation} has no input ${index}`);
    return tensor;
  }

  refuse(why?: string): Error {
    return noTensorFlowCounterpart(this.node, why);
  }

  private attribute(name: string): OnnxAttribute | undefined {
    return this.node.attributes[name];
  }

  integer(name: string, otherwise: number): number {
    const attribute = this.attribute(name);
    return attribute?.kind === "i" ? attribute.value : otherwise;
  }

  integers(name: string): readonly number[] {
    const attribute = this.attribute(name);
    return attribute?.kind === "ints" ? attribute.value : [];
  }

  /** The elements of a constant operand. */
  list(index: number): number[] {
    const { values } = this.input(index);
    if (!values) throw this.refuse("it depends on sizes that are not known before");
    return [...values];
  }

  /** Adds an operation that is not the last of its rule. */
  step(
    op: string,
    inputs: readonly Tensor[],
    suffix: string,
    dims: Dims,
    attr?: Readonly<Record<string, Attribute>>,
    type?: Tensor["type"],
  ): Tensor {
    return this.graph.add(op, inputs, `${this.name}/${suffix}`, dims, attr, type ?? inputs[0]?.type);
  }

  /** The elements under other dimensions; the number of samples is found by what is left. Constants are changed themselves. */
  reshape(tensor: Tensor, dims: Dims, name: string): Tensor {
    const { values } = tensor;
    if (values) return this.graph.constant(name, dims.map(Number), values);
    if (dims.filter((dim) => dim === undefined).length > 1)
      throw this.refuse("several of its sizes are unknown");
    const shape = this.graph.list(dims.map((dim) => dim ?? -1));
    return this.graph.add("Reshape", [tensor, shape], name, dims, {}, tensor.type);
  }

  transpose(tensor: Tensor, order: readonly number[], name: string): Tensor {
    const dims = order.map((axis) => tensor.dims[axis]);
    const { values } = tensor;
    if (values)
      return this.graph.constant(name, dims.map(Number), transposed(values, tensor.dims.map(Number), order));
    return this.graph.add("Transpose", [tensor, this.graph.list(order)], name, dims, {}, tensor.type);
  }
}

/** Elements in the order of exchanged axes, row-major. */
function transposed<V extends Float32Array | Int32Array>(
  values: V,
  dims: readonly number[],
  order: readonly number[],
): V {
  const strides = dims.map((_, axis) => elementsOf(dims.slice(axis + 1)));
  const wanted = order.map((axis) => dims[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 1);
  const place = order.map(() => 0);
  let from = 0;
  const result = values.slice() as V;
  for (let to = 0; to < result.length; to++) {
    result[to] = values[from] ?? 0;
    for (let axis = wanted.length - 1; axis >= 0; axis--) {
      from += steps[axis] ?? 0;
      place[axis] = (place[axis] ?? 0) + 1;
      if ((place[axis] ?? 0) < (wanted[axis] ?? 1)) break;
      from -= (place[axis] ?? 0) * (steps[axis] ?? 0);
      place[axis] = 0;
    }
  }
  return result;
}

/** Adds what an operation of ONNX is in TensorFlow; the first result. Throws CntkError `export-operation`. */
export type TranslationRule = (translation: Translation) => Tensor;

/** By the name of ONNX's operation. */
export type TranslationRules = Readonly<Record<string, TranslationRule>>;

/** Dimensions of an elementwise operation: lined up from the last axis, what has one element is stretched. */
export function stretched(inputs: readonly Tensor[]): Dims {
  const rank = Math.max(...inputs.map(({ dims }) => dims.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = inputs.map(({ dims }) => {
      const at = axis - rank + dims.length;
      return at < 0 ? 1 : dims[at];
    });
    return (
      sizes.find((size) => size !== 1 && size !== undefined) ?? (sizes.includes(undefined) ? undefined : 1)
    );
  });
}
