/** Networks → files of other programs. */
export { exportOnnx, type OnnxRequest } from "./onnx/export-onnx.js";
export { opsets } from "./onnx/network-graph.js";
export { numpyArchive, type NamedArray } from "./numpy.js";
export { exportTensorFlow, type ModelPart } from "./tfjs/export-tfjs.js";
