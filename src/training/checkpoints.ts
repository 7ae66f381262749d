import type { FileAccess } from "../files/file-access.js";

/** File of a training after epoch `epoch` (0-based) of `maxEpochs`; epoch −1 is the untrained model (SGD.cpp, GetModelNameForEpoch). */
export function modelFileAfter(modelPath: string, epoch: number, maxEpochs: number): string {
  return epoch === maxEpochs - 1 ? modelPath : `${modelPath}.${epoch + 1}`;
}

/** The checkpoint beside a model file. */
export function checkpointFile(modelFile: string): string {
  return `${modelFile}.ckp`;
}

/**
 * Where a training goes on with makeMode: the number of finished epochs (0 = only the untrained model exists and is to
 * be loaded), or −1 to begin anew. A model counts only if it is not older than its predecessor, which must exist.
 */
export function determineStartEpoch(
  files: FileAccess,
  modelPath: string,
  maxEpochs: number,
  makeMode: boolean,
): number {
  if (!makeMode) return -1;
  for (let epoch = maxEpochs - 1; epoch >= -1; epoch--) {
    const modified = files.modified(modelFileAfter(modelPath, epoch, maxEpochs));
    if (modified === undefined) continue;
    const before = epoch >= 0 ? files.modified(modelFileAfter(modelPath, epoch - 1, maxEpochs)) : undefined;
    if (before === undefined || modified >= before) return epoch + 1;
  }
  return -1;
}

/**
 * Removes the checkpoint that a run leaves when it is killed between saving an epoch, the last of `startEpoch` finished
 * ones, and clearing away the checkpoint before it.
 */
export function removeSupersededCheckpoint(
  files: FileAccess,
  modelPath: string,
  startEpoch: number,
  maxEpochs: number,
): void {
  if (startEpoch < 2) return;
  files.remove(checkpointFile(modelFileAfter(modelPath, startEpoch - 2, maxEpochs)));
}
