/**
 * cntkts as a library: run CNTK configurations, load CNTK models. The command line does everything through this module.
 */
export {
  checkConfig,
  convertData,
  explainConfig,
  evaluateNodes,
  exportModelFile,
  importModelFile,
  loadModel,
  makeMnist,
  runConfig,
  version,
  viewModelFile,
  visualize,
  type ConvertOptions,
  type EvaluateOptions,
  type ExplainOptions,
  type ExportOptions,
  type LoadOptions,
  type RunOptions,
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
export { modelSummary, nodesAsJson } from "./actions/print-summary.js";
export { printNodesAction as printNodes } from "./actions/print-nodes.js";
export type { Progress, ProgressListener } from "./session.js";
export type { FileAccess } from "./files/file-access.js";
