import protobuf from "protobufjs";
import { graphMessage } from "./graph.js";
import { type NetworkRequest, onnxGraph } from "./network-graph.js";
import { onnxSchema } from "./schema.js";

export interface OnnxRequest extends NetworkRequest {
  readonly producerVersion: string;
}

const types = protobuf.Root.fromJSON(onnxSchema);

/**
 * A network, as far as its outputs need it, as the bytes of an ONNX model. Inputs and outputs are [N, …] with the axes of
 * CNTK's shapes in reverse; where there is recurrence, [T, N, …] with sequences of equal length.
 * @throws CntkError `export-operation`, naming the first node that has no counterpart
 */
export function exportOnnx(request: OnnxRequest): Uint8Array {
  const message = {
    irVersion: 8,
    producerName: "cntkts",
    producerVersion: request.producerVersion,
    graph: graphMessage(onnxGraph(request)),
    opsetImport: [{ domain: "", version: request.opset }],
  };
  const type = types.lookupType("ModelProto");
  return type.encode(type.fromObject(message)).finish();
}
