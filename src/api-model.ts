import { ModelSession } from "./actions/model-session.js";
import type { RunOptions } from "./api-run.js";
import type { Backend } from "./backends/backend.js";
import { openModel } from "./model-files/index.js";
import { nodeFiles } from "./node/files.js";
import { cores } from "./node/platform.js";
import type { ElementType } from "./numerics/values.js";
import { cpuDevice } from "./session.js";

/*
 * Loading a model and looking at it. It stands apart from what else programs can do with models (api.ts), so that who only
 * looks loads nothing that computes.
 */

export { printNodesAction as printNodes } from "./actions/print-nodes.js";
export { modelSummary, nodesAsJson } from "./actions/print-summary.js";

export interface LoadOptions extends Pick<RunOptions, "directory" | "files" | "backend"> {
  /** Threads that compute; default: one for each core. */
  readonly threads?: number;
}

/** Loads a CNTK model file (version 1 container). Throws CntkError when it is not one or is damaged. */
export function loadModel(path: string, options: LoadOptions = {}): ModelSession {
  const files = options.files ?? nodeFiles(options.directory);
  const model = openModel(files, path);
  const backendFor = async (elementType: ElementType): Promise<Backend> => {
    const [{ selectBackend }, { computeTeam }] = await Promise.all([
      import("./backends/select.js"),
      import("./threads/index.js"),
    ]);
    const { backend } = await selectBackend({
      requested: options.backend,
      elementType,
      deviceId: cpuDevice,
      team: computeTeam(options.threads ?? cores()),
      fused: true,
    });
    return backend;
  };
  return new ModelSession(model, backendFor, path);
}
