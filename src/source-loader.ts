import { plainText, type SourceLoader } from "../grammar/index.js";
import { attempted } from "./diagnostics/attempts.js";
import type { FileAccess } from "./files/file-access.js";

const baseName = (path: string): string =>
  path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);

const directoryOf = (path: string): string => {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end < 0 ? "." : path.slice(0, end);
};

/**
 * Finds BrainScript includes as CNTK does: the path as given, then its base name in the folders of the including files
 * and in the include folders.
 */
export function sourceLoader(files: FileAccess, includeDirectories: readonly string[]): SourceLoader {
  return {
    load(path, includedFrom) {
      const folders = [
        ...[...includedFrom].reverse().map((source) => directoryOf(source.name)),
        ...includeDirectories,
      ];
      const candidates = [path, ...folders.map((folder) => `${folder}/${baseName(path)}`)];
      const found = candidates.find((candidate) => files.exists(candidate) && !files.isDirectory(candidate));
      return found === undefined
        ? undefined
        : plainText({ name: found, text: attempted(() => files.readText(found)) });
    },
  };
}
