/** Model file → network. */
export { inModelFile } from "./in-model-file.js";
export { loadModelFile, requirePrecision, type ModelFiles } from "./load-model.js";
export { networkFromModel } from "./network-from-model.js";
