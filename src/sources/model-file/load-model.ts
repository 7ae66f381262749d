import { retryLines } from "../../diagnostics/attempts.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import { openModel, type ModelFile } from "../../model-files/index.js";
import type { ElementType } from "../../numerics/values.js";

/** Where model files are looked for. */
export interface ModelFiles {
  readonly files: FileAccess;
  /** Only in a check: the untrained models that earlier commands would have left, by absolute path. */
  readonly untrained?: ReadonlyMap<string, () => ModelFile>;
}

/**
 * Reads a model file (or, in a check, takes the untrained network an earlier command left in its place).
 * @throws CntkError `model-missing`, and what is wrong with the file.
 */
export function loadModelFile({ files, untrained }: ModelFiles, path: string): ModelFile {
  const left = untrained?.get(files.resolve(path));
  if (left) return left();
  if (!files.exists(path)) {
    const sentence = `error opening file '${path}': No such file or directory`;
    throw new CntkError({
      code: "model-missing",
      message: sentence,
      logged: retryLines(sentence),
      hint: "a train command with this modelPath writes it",
    });
  }
  return openModel(files, path);
}

/**
 * Refuses a model that was trained in another precision than the run's: its inputs cannot take the run's data
 * (Readers/ReaderLib/ReaderShim.cpp, GetMatrix).
 */
export function requirePrecision(elementType: ElementType, model: ModelFile, path: string): void {
  const other = model.nodes.find(({ precision }) => precision !== elementType);
  if (!other) return;
  throw new CntkError({
    code: "model-precision",
    message: `The model '${path}' is in ${other.precision} precision, but precision="${elementType}" is asked for (node '${other.name}').`,
    hint: `precision = ${other.precision} runs it`,
  });
}
