import type { FileAccess } from "../files/file-access.js";
import type { SgdOptions } from "./sgd-options.js";

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

/** Checkpoints that are needed no more once an epoch is saved: a training that may go back keeps the last decision's. */
export function supersededCheckpoints(
  { autoAdjust }: Pick<SgdOptions, "autoAdjust">,
  epoch: number,
): readonly number[] {
  const { loadBestModel, interval } = autoAdjust.rateControl;
  if (autoAdjust.rates !== "adjusted after epochs" || !loadBestModel) return epoch > 0 ? [epoch - 1] : [];
  const position = (epoch % interval) + 1;
  const superseded: number[] = [];
  if (position !== 1) superseded.push(epoch - 1);
  if (position === interval) superseded.push(epoch - interval);
  return superseded.filter((past) => past >= 0);
}

/**
 * Removes the checkpoint that a run leaves when it is killed between saving an epoch, the last of `startEpoch` finished
 * ones, and clearing away the checkpoint before it. One that was left otherwise stays, as in CNTK: by a training that
 * ended without a checkpoint for its last model, or that kept all of them.
 */
export function removeSupersededCheckpoint(
  files: FileAccess,
  options: Pick<SgdOptions, "autoAdjust" | "modelPath" | "maxEpochs">,
  startEpoch: number,
): void {
  const checkpointAfter = (epoch: number): string =>
    checkpointFile(modelFileAfter(options.modelPath, epoch, options.maxEpochs));
  if (startEpoch < 2 || !files.exists(checkpointAfter(startEpoch - 1))) return;
  for (const past of supersededCheckpoints(options, startEpoch - 1)) {
    if (!files.exists(checkpointAfter(past - 1))) files.remove(checkpointAfter(past));
  }
}
