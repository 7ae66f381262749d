/** ONNX model → network. */
export { networkFromOnnx } from "./network-from-onnx.js";
