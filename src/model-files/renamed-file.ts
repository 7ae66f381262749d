import { once } from "../diagnostics/attempts.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { type FileAccess, type PendingFile, writeWhole } from "../files/file-access.js";

/**
 * Writes a file that CNTK, too, writes beside its target, as `NAME.tmp`, and renames: that is the file which its log tells of where it
 * cannot be opened.
 * Source: Source/Common/Include/File.h; Source/ComputationNetworkLib/ComputationNetwork.cpp, Save; Source/Common/fileutil.cpp, renameOrDie.
 */
export function writeRenamed(files: FileAccess, path: string, fill: (file: PendingFile) => void): void {
  // Where the target is a folder, only the renaming fails, once.
  if (files.isDirectory(path)) return once(() => writeWhole(files, path, fill));
  try {
    writeWhole(files, path, fill);
  } catch (error) {
    if (!(error instanceof CntkError) || error.diagnostic.logged === undefined) throw error;
    const { logged, ...diagnostic } = error.diagnostic;
    throw new CntkError({ ...diagnostic, logged: logged.replaceAll(`'${path}'`, () => `'${path}.tmp'`) });
  }
}
