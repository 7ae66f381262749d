import { suggest } from "../diagnostics/suggest.js";
import type { FileAccess } from "./file-access.js";

/** What may be wrong with the path of a file that is not there, for a message. */
export function missingFileHint(files: FileAccess, path: string): string {
  const turned = path.replaceAll("\\", "/");
  if (turned !== path && files.exists(turned))
    return `folders are parted by / here: did you mean '${turned}'?`;
  const at = turned.lastIndexOf("/");
  const folder = at < 0 ? "." : turned.slice(0, at) || "/";
  if (!files.isDirectory(folder)) return `there is no folder '${folder}'${fromWhere(path)}`;
  const near = suggest(turned.slice(at + 1), files.list?.(folder) ?? []);
  if (near !== undefined) return `did you mean '${turned.slice(0, at + 1)}${near}'?`;
  return `check the path${fromWhere(path)}`;
}

function fromWhere(path: string): string {
  return /^([/\\]|[A-Za-z]:)/.test(path) ? "" : "; a relative one counts from the current directory";
}
