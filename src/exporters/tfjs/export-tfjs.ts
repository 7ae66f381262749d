import { joinPieces } from "../../files/join-pieces.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { depthFirstOrder } from "../../network/node-order.js";
import { inElementType } from "../../numerics/values.js";
import type { OnnxGraph, OnnxTensor } from "../onnx/graph.js";
import { needsTime, type NetworkRequest, onnxGraph } from "../onnx/network-graph.js";
import { elementwiseTranslations } from "./elementwise.js";
import {
  Graph,
  noTensorFlowCounterpart,
  shapeAttribute,
  type Tensor,
  typeAttribute,
  type Weight,
} from "./graph.js";
import { shapingTranslations } from "./shaping.js";
import { Translation, type TranslationRules } from "./translation.js";
import { windowTranslations } from "./windows.js";

const rules: TranslationRules = { ...elementwiseTranslations, ...shapingTranslations, ...windowTranslations };

export interface TensorFlowRequest extends Omit<NetworkRequest, "opset" | "elementType"> {
  readonly producerVersion: string;
}

/** A file of the exported model; `name` is relative to its folder. */
export interface ModelPart {
  readonly name: string;
  readonly content: Uint8Array | string;
}

/** A file of weights is at most this long, so that browsers keep it. */
const shardSize = 4 * 2 ** 20;

/**
 * A network, as far as its outputs need it, as a graph model of TensorFlow.js: model.json and files of weights, for
 * `tf.loadGraphModel`. Operations are those of the ONNX export, each written in operations of TensorFlow. Inputs and outputs
 * are [N, …] with the axes of CNTK's shapes in reverse.
 * @throws CntkError `export-operation`, naming the first node that has no counterpart
 */
export function exportTensorFlow(request: TensorFlowRequest): ModelPart[] {
  refuseRecurrence(request);
  // Operation set 18 has the axes of all reductions in the same place.
  const onnx = onnxGraph({ ...request, opset: 18, elementType: "float" });
  const graph = new Graph();
  const tensors = translated(onnx, graph);
  const result = signature(onnx, graph, tensors);
  const { nodes, weights } = graph.needed(result.names);
  const shards = shardsOf(joinPieces(weights.map(({ values }) => bytesOf(values))));
  const model = {
    format: "graph-model",
    generatedBy: `cntkts ${request.producerVersion}`,
    convertedBy: null,
    signature: result.signature,
    modelTopology: { node: nodes, library: {}, versions: { producer: 1087 } },
    weightsManifest: [{ paths: shards.map(({ name }) => name), weights: weights.map(description) }],
  };
  return [...shards, { name: "model.json", content: `${JSON.stringify(model)}\n` }];
}

function refuseRecurrence({ shaped, outputs, constants }: TensorFlowRequest): void {
  const needed = depthFirstOrder(outputs, (node) => (constants.has(node) ? [] : node.inputs));
  const delay = needed.find((node) => needsTime([node], shaped));
  if (!delay) return;
  throw new CntkError({
    code: "export-operation",
    message: `${delay.op.name} has no counterpart in a graph model of TensorFlow.js (node '${delay.name}').`,
    hint: "--to onnx takes networks with recurrence",
  });
}

/** Every operation of ONNX in operations of TensorFlow; the tensors by their names in ONNX. */
function translated(onnx: OnnxGraph, graph: Graph): ReadonlyMap<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const { name, dims = [] } of onnx.inputs) {
    const sizes = dims.map((dim) => (typeof dim === "number" ? dim : undefined));
    tensors.set(name, graph.placeholder(name, sizes));
  }
  for (const [name, { dims, values }] of onnx.initializers)
    tensors.set(name, graph.constant(name, dims, numbersOf(values)));
  for (const node of onnx.nodes) {
    const rule = Object.hasOwn(rules, node.operation) ? rules[node.operation] : undefined;
    if (!rule) throw noTensorFlowCounterpart(node);
    const inputs = node.inputs.map((name) => {
      const tensor = tensors.get(name);
      if (!tensor) throw new Error(`${node.origin}: no tensor ${name}`);
      return tensor;
    });
    const result = rule(new Translation(graph, node, inputs));
    // The places of maxima, a second result of pooling, stand for the image: what reads them finds them itself.
    const [pooled] = inputs;
    node.outputs.forEach((name, index) => tensors.set(name, index > 0 && pooled ? pooled : result));
  }
  return tensors;
}

function numbersOf(values: OnnxTensor["values"]): Float32Array | Int32Array {
  if (values instanceof BigInt64Array) return Int32Array.from(values, Number);
  return inElementType(values, "float") as Float32Array;
}

/** What goes in and comes out, under the names of the network's nodes. */
function signature(
  onnx: OnnxGraph,
  graph: Graph,
  tensors: ReadonlyMap<string, Tensor>,
): { readonly names: string[]; readonly signature: object } {
  const names: string[] = [];
  const described = (values: OnnxGraph["inputs"]): Record<string, object> =>
    Object.fromEntries(
      values.map(({ name }) => {
        const tensor = tensors.get(name);
        if (!tensor) throw new Error(`no tensor ${name}`);
        const inGraph = graph.inGraph(tensor, name);
        names.push(inGraph);
        const { type: dtype } = typeAttribute(tensor.type) as { readonly type: string };
        const { shape: tensorShape } = shapeAttribute(tensor.dims) as { readonly shape: object };
        return [name, { name: `${inGraph}:0`, dtype, tensorShape }];
      }),
    );
  return { signature: { inputs: described(onnx.inputs), outputs: described(onnx.outputs) }, names };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Weight["values"]): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const description = ({ name, dims, values }: Weight): object => ({
  name,
  shape: dims,
  dtype: values instanceof Float32Array ? "float32" : "int32",
});

function shardsOf(weights: Uint8Array): ModelPart[] {
  const count = Math.max(Math.ceil(weights.length / shardSize), 1);
  return Array.from({ length: count }, (_, index) => ({
    name: `group1-shard${index + 1}of${count}.bin`,
    content: weights.subarray(index * shardSize, (index + 1) * shardSize),
  }));
}
