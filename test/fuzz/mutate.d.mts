import type { Backend } from "../../src/backends/backend.js";
import type { CntkError } from "../../src/diagnostics/diagnostic.js";
import type { ElementType } from "../../src/numerics/values.js";
import type { FileAccess } from "../../src/files/file-access.js";
import type { ModelSession } from "../../src/actions/model-session.js";
import type { ModelFile, printNodes, readModel, writeModel } from "../../src/model-files/index.js";

export interface FuzzedApi {
  readonly readModel: typeof readModel;
  readonly writeModel: typeof writeModel;
  readonly printNodes: typeof printNodes;
  readonly ModelSession: typeof ModelSession;
  readonly CntkError: typeof CntkError;
  readonly backendFor: (elementType: ElementType) => Promise<Backend>;
}

export function mutated(bytes: Uint8Array, seed: number): Uint8Array;
export function rebuilt(
  api: Pick<FuzzedApi, "readModel" | "writeModel">,
  bytes: Uint8Array,
  seed: number,
): Uint8Array | undefined;
export function exercise(
  api: FuzzedApi,
  bytes: Uint8Array,
  name: string,
  files: FileAccess,
  dataPath: string,
): Promise<string>;
export function zeroSample(model: ModelFile): string;
export function actionsConfig(
  model: ModelFile,
  modelPath: string,
  dataPath: string,
  outputPath: string,
  attempt?: string,
): string;
export const attemptNames: readonly string[];
