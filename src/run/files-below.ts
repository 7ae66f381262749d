import type { FileAccess } from "../files/file-access.js";

/** A file, its path relative to the folder, and the time of its last change. */
export interface FileBelow {
  readonly path: string;
  readonly modified: number;
}

/** Folders inside one another that are looked into, and files that are looked at. */
const deepest = 4;
const most = 20_000;

/** The files in a folder and below, without hidden ones and installed packages. */
export function filesBelow(files: FileAccess): FileBelow[] {
  const found: FileBelow[] = [];
  const open: { readonly folder: string; readonly depth: number }[] = [{ folder: "", depth: 0 }];
  for (let next = open.pop(); next && found.length < most; next = open.pop()) {
    const { folder, depth } = next;
    for (const name of files.list?.(folder === "" ? "." : folder) ?? []) {
      if (name.startsWith(".") || name === "node_modules") continue;
      const path = folder === "" ? name : `${folder}/${name}`;
      if (files.isDirectory(path)) {
        if (depth < deepest) open.push({ folder: path, depth: depth + 1 });
        continue;
      }
      const modified = files.modified(path);
      if (modified !== undefined) found.push({ path, modified });
    }
  }
  return found;
}
