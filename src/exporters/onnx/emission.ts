import { CntkError } from "../../diagnostics/diagnostic.js";
import type { NetworkNode, NodeFacts, SampleShape, ShapedNetwork } from "../../network/network.js";
import { type ElementType, newValues, type Values } from "../../numerics/values.js";
import type { OnnxGraph } from "./graph.js";
import { integers, type OnnxAttribute } from "./graph.js";

/**
 * What the rule of an operation works with: the graph that it adds to, and the tensors of its inputs.
 *
 * CNTK's first axis is contiguous in memory, ONNX's last one: a tensor [W x H x C] of samples is [N, C, H, W] with the same
 * bytes, and CNTK's axis k (from 1) is ONNX's axis -k. In front stand the leading axes: N, or T and N for sequences; nodes
 * without samples have none.
 */
export class Emission {
  constructor(
    readonly graph: OnnxGraph,
    readonly shaped: ShapedNetwork,
    readonly elementType: ElementType,
    readonly opset: number,
    /** Leading axes of nodes with samples: 1, or 2 for sequences. */
    readonly leading: number,
    /** The tensors of nodes that are there. */
    private readonly tensors: Map<NetworkNode, string>,
    readonly values: ReadonlyMap<NetworkNode, Values>,
  ) {}

  /** The same for a graph inside, which sees what is outside. */
  inside(graph: OnnxGraph, leading: number, known: ReadonlyMap<NetworkNode, string>): Emission {
    const tensors = new Map([...this.tensors, ...known]);
    return new Emission(graph, this.shaped, this.elementType, this.opset, leading, tensors, this.values);
  }

  facts(node: NetworkNode): NodeFacts {
    const facts = this.shaped.facts.get(node);
    if (!facts) throw new Error(`${node.name} was not validated`);
    return facts;
  }

  shape(node: NetworkNode): SampleShape {
    return this.facts(node).shape;
  }

  /** Number of leading axes of a node. */
  leads(node: NetworkNode): number {
    return this.facts(node).dynamicAxis ? this.leading : 0;
  }

  tensor(node: NetworkNode): string {
    const name = this.tensors.get(node);
    if (name === undefined) throw new Error(`${node.name} has no tensor yet`);
    return name;
  }

  has(node: NetworkNode): boolean {
    return this.tensors.has(node);
  }

  define(node: NetworkNode, tensor: string): void {
    this.tensors.set(node, tensor);
  }

  /** The input of a node by its place. */
  input(node: NetworkNode, index: number): NetworkNode {
    const input = node.inputs[index];
    if (!input) throw new Error(`${node.name} has no input ${index}`);
    return input;
  }

  add(
    operation: string,
    inputs: readonly string[],
    name: string,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    return this.graph.add(operation, inputs, name, attributes);
  }

  /** One number of the model's precision. */
  scalar(name: string, value: number): string {
    const values = newValues(this.elementType, 1);
    values[0] = value;
    return this.graph.constant(name, { dims: [], values });
  }

  /** A constant under CNTK's dimensions. */
  constant(name: string, shape: SampleShape, values: Values): string {
    return this.graph.constant(name, { dims: reversed(shape), values });
  }

  /** The tensor under other dimensions; leading axes stay. */
  reshape(tensor: string, dims: readonly number[], leads: number, name: string): string {
    const shape = this.graph.numbers(`${name}/shape`, [...new Array<number>(leads).fill(0), ...dims]);
    return this.add("Reshape", [tensor, shape], name);
  }

  /** An input as it takes part in an elementwise operation of so many axes: ONNX lines up axes from the last, N among them. */
  broadcast(node: NetworkNode, rank: number): string {
    const tensor = this.tensor(node);
    const leads = this.leads(node);
    const own = this.shape(node);
    if (leads === 0 || own.length >= rank) return tensor;
    const dims = [...new Array<number>(rank - own.length).fill(1), ...reversed(own)];
    return this.reshape(tensor, dims, leads, `${node.name}/of_rank_${rank}`);
  }

  /** What is the same for all samples, once for each sample of another node. */
  forEachSample(tensor: string, shape: SampleShape, like: NetworkNode, name: string): string {
    const { graph } = this;
    const dims = this.add("Shape", [this.tensor(like)], `${name}/like`);
    const bounds = [graph.numbers(`${name}/from`, [0]), graph.numbers(`${name}/to`, [this.leading])];
    const front = this.add("Slice", [dims, ...bounds], `${name}/leading`);
    const own = graph.numbers(`${name}/own`, reversed(shape));
    const whole = this.add("Concat", [front, own], `${name}/dims`, {
      axis: { kind: "i", value: 0 },
    });
    return this.add("Expand", [tensor, whole], name);
  }

  /** A reduction along axes counted from the last; the axes stay with one element. */
  reduce(operation: string, tensor: string, axes: readonly number[], name: string): string {
    const keepdims: OnnxAttribute = { kind: "i", value: 1 };
    if (operation === "ReduceSum" || this.opset >= 18)
      return this.add(operation, [tensor, this.graph.numbers(`${name}/axes`, axes)], name, { keepdims });
    return this.add(operation, [tensor], name, { axes: integers(axes), keepdims });
  }
}

/** "To the end" in slices. */
export const endOfAxis = 2 ** 31 - 1;

/** Dimensions as ONNX has them. */
export const reversed = (shape: SampleShape): number[] => [...shape].reverse();

/** The refusal of a node; nothing is written. */
export function noCounterpart(node: NetworkNode, why?: string, instead?: string): CntkError {
  return new CntkError({
    code: "export-operation",
    message: `${node.op.name} has no counterpart in ONNX${why === undefined ? "" : ` ${why}`} (node '${node.name}').`,
    hint: instead ?? "--output with nodes that do not need it leaves it out",
  });
}
