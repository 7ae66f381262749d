import protobuf from "protobufjs";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { attributeTypes, elementTypes, learningRateNote, onnxSchema } from "../../exporters/onnx/schema.js";

/** A tensor of an ONNX file, row-major. */
export interface OnnxConstant {
  readonly dims: readonly number[];
  readonly values: Float32Array;
  /** The factor of the learning rate that the file tells. */
  readonly multiplier?: number;
}

export type OnnxAttributeValue =
  number | readonly number[] | readonly string[] | string | OnnxConstant | OnnxFileGraph;

export interface OnnxFileNode {
  readonly operation: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttributeValue>>;
}

export interface OnnxFileGraph {
  readonly nodes: readonly OnnxFileNode[];
  readonly initializers: ReadonlyMap<string, OnnxConstant>;
  /** What goes in; an unknown size is undefined. */
  readonly inputs: readonly { readonly name: string; readonly dims: readonly (number | undefined)[] }[];
  readonly outputs: readonly string[];
}

const types = protobuf.Root.fromJSON(onnxSchema);

/** Messages as protobufjs gives them. */
interface TensorMessage {
  dims: number[];
  dataType: number;
  floatData: number[];
  int32Data: number[];
  int64Data: number[];
  doubleData: number[];
  rawData: Uint8Array;
  name: string;
  docString: string;
  dataLocation: number;
}

interface AttributeMessage {
  name: string;
  type: number;
  f: number;
  i: number;
  s: Uint8Array;
  t: TensorMessage | null;
  g: GraphMessage | null;
  ints: number[];
  floats: number[];
  strings: Uint8Array[];
}

interface GraphMessage {
  node: { opType: string; input: string[]; output: string[]; attribute: AttributeMessage[] }[];
  initializer: TensorMessage[];
  input: {
    name: string;
    type: { tensorType: { shape: { dim: { dimValue: number; dimParam: string }[] } | null } | null } | null;
  }[];
  output: { name: string }[];
}

/**
 * The graph of an ONNX file as plain data.
 * @throws CntkError `onnx-broken`, `onnx-tensor`
 */
export function readOnnx(bytes: Uint8Array, fileName: string): OnnxFileGraph {
  const graph = decoded(bytes, fileName);
  if (!graph || graph.node.length + graph.input.length === 0) {
    throw new CntkError({
      code: "onnx-broken",
      message: `The file '${fileName}' is no ONNX model: it has no graph.`,
      hint: "print-nodes shows models of CNTK",
    });
  }
  return graphOf(graph, fileName);
}

function decoded(bytes: Uint8Array, fileName: string): GraphMessage | null {
  const type = types.lookupType("ModelProto");
  try {
    const message = type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true });
    return message["graph"] as GraphMessage | null;
  } catch (error) {
    throw new CntkError({
      code: "onnx-broken",
      message: `The file '${fileName}' is no ONNX model, or damaged: ${error instanceof Error ? error.message : String(error)}.`,
    });
  }
}

function graphOf(message: GraphMessage, fileName: string): OnnxFileGraph {
  return {
    nodes: message.node.map((node) => ({
      operation: node.opType,
      inputs: node.input,
      outputs: node.output,
      attributes: Object.fromEntries(
        node.attribute.map((attribute) => [attribute.name, valueOf(attribute, fileName)]),
      ),
    })),
    initializers: new Map(message.initializer.map((tensor) => [tensor.name, constantOf(tensor, fileName)])),
    inputs: message.input.map(({ name, type }) => ({
      name,
      dims: (type?.tensorType?.shape?.dim ?? []).map(({ dimValue }) => (dimValue > 0 ? dimValue : undefined)),
    })),
    outputs: message.output.map(({ name }) => name),
  };
}

function valueOf(attribute: AttributeMessage, fileName: string): OnnxAttributeValue {
  switch (attribute.type) {
    case attributeTypes.f:
      return attribute.f;
    case attributeTypes.i:
      return attribute.i;
    case attributeTypes.ints:
      return attribute.ints;
    case attributeTypes.floats:
      return attribute.floats;
    case attributeTypes.strings:
      return attribute.strings.map((text) => new TextDecoder().decode(text));
    case attributeTypes.t:
      return attribute.t ? constantOf(attribute.t, fileName) : "";
    case attributeTypes.g:
      return attribute.g ? graphOf(attribute.g, fileName) : "";
    default:
      return new TextDecoder().decode(attribute.s);
  }
}

function constantOf(tensor: TensorMessage, fileName: string): OnnxConstant {
  const { dims, name, docString } = tensor;
  const count = dims.reduce((product, dim) => product * dim, 1);
  const problem = (what: string): CntkError =>
    new CntkError({ code: "onnx-tensor", message: `The tensor '${name}' of '${fileName}' ${what}.` });
  if (tensor.dataLocation !== 0) throw problem("has its values in another file, which is not read");
  const values = numbersOf(tensor, count);
  if (values === undefined)
    throw problem(
      `has elements of the type ${tensor.dataType}; float, double, whole numbers and bool are read`,
    );
  if (values.length !== count)
    throw problem(`has ${values.length} values, not the ${count} of [${dims.join(", ")}]`);
  const noted = docString.startsWith(learningRateNote)
    ? Number(docString.slice(learningRateNote.length))
    : NaN;
  return { dims, values, ...(Number.isFinite(noted) && { multiplier: noted }) };
}

function numbersOf(tensor: TensorMessage, count: number): Float32Array | undefined {
  const { rawData } = tensor;
  const raw = rawData.length > 0 || count === 0;
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  const each = (size: number, read: (at: number) => number): Float32Array =>
    Float32Array.from({ length: Math.floor(rawData.length / size) }, (_, index) => read(index * size));
  switch (tensor.dataType) {
    case elementTypes.float:
      if (raw && rawData.length % 4 === 0) return new Float32Array(rawData.slice().buffer);
      return raw ? each(4, (at) => view.getFloat32(at, true)) : Float32Array.from(tensor.floatData);
    case elementTypes.double:
      return raw ? each(8, (at) => view.getFloat64(at, true)) : Float32Array.from(tensor.doubleData);
    case elementTypes.int64:
      return raw ? each(8, (at) => Number(view.getBigInt64(at, true))) : Float32Array.from(tensor.int64Data);
    case elementTypes.int32:
      return raw ? each(4, (at) => view.getInt32(at, true)) : Float32Array.from(tensor.int32Data);
    case elementTypes.bool:
      return raw ? each(1, (at) => view.getUint8(at)) : Float32Array.from(tensor.int32Data);
    default:
      return undefined;
  }
}
