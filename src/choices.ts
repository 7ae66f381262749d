/*
 * Words that a user may choose from, apart from what stands behind them: who only looks at a command line loads nothing else.
 */

/** What a user may write after `--backend`; `tfjs` alone takes the best of its variants. */
export const backendNames = [
  "wasm",
  "javascript",
  "tfjs",
  "tfjs-node",
  "tfjs-wasm",
  "tfjs-cpu",
  "reference",
] as const;
export type BackendName = (typeof backendNames)[number];

/** What a model can be exported to. */
export const exportFormats = ["onnx", "tfjs", "cntk", "text", "numpy"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** The stages of the road that can be shown. */
export const explainStages = ["config", "ast", "values", "network", "shapes", "gradients", "plan"] as const;
export type ExplainStage = (typeof explainStages)[number];
