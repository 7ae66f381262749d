import { writeWhole } from "../files/file-access.js";
import type { Session } from "../session.js";

/** Writes text to a file, which appears whole, or to standard output where the path is `-` (Common/File.cpp). */
export function writeText(
  { files, output }: Pick<Session, "files" | "output">,
  path: string,
  pieces: Iterable<string>,
): void {
  if (path === "-") {
    for (const piece of pieces) output.write(piece);
    return;
  }
  writeWhole(files, path, (file) => {
    for (const piece of pieces) file.write(piece);
  });
}
