/** Networks → files of other programs. */
export { exportOnnx, opsets, type OnnxRequest } from "./onnx/export-onnx.js";
export { numpyArchive, type NamedArray } from "./numpy.js";
