/**
 * cntkts as a library: run CNTK configurations, load CNTK models. The command line does everything through these
 * functions, and loads of them what a command needs.
 */
export {
  checkConfig,
  explainConfig,
  runConfig,
  version,
  type ExplainOptions,
  type RunOptions,
} from "./api-run.js";
export { loadModel, modelSummary, nodesAsJson, printNodes, type LoadOptions } from "./api-model.js";
export {
  convertData,
  evaluateNodes,
  exportModelFile,
  importModelFile,
  makeMnist,
  viewModelFile,
  visualize,
  type ConvertOptions,
  type EvaluateOptions,
  type ExportOptions,
  type ViewOptions,
  type VisualizeOptions,
} from "./api.js";
export { CntkError, type Diagnostic } from "./diagnostics/diagnostic.js";
export { renderDiagnostic } from "./diagnostics/render.js";
export {
  backendNames,
  explainStages,
  exportFormats,
  type BackendName,
  type ExplainStage,
  type ExportFormat,
} from "./choices.js";
export type { MnistTextFile } from "./actions/mnist.js";
export { printSummary, type LayerSummary, type NetworkSummary, type RunResult } from "./run/run.js";
export type { EvaluatedNode, ModelSession } from "./actions/model-session.js";
export { evaluatedAsJson, evaluatedAsText } from "./actions/eval.js";
export type { Progress, ProgressListener } from "./session.js";
export type { FileAccess } from "./files/file-access.js";
