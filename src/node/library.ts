import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { libraryFiles, libraryParts, type LibrarySource } from "../library/index.js";

/** The folder `library` beside the folder this file is in: src/library, or dist/src/library where the build copies it. */
const libraryFolder = join(dirname(fileURLToPath(import.meta.url)), "..", "library");

/** The BrainScript library as shipped, one source per file; names are shown as `<library>/layers.bs`. */
export function readLibrarySources(): LibrarySource[] {
  return [...libraryFiles, ...libraryParts].map((name) => {
    const file = join(libraryFolder, name);
    const tree = `${file}.tree`;
    return {
      name: `<library>/${name}`,
      text: readFileSync(file, "utf8"),
      tree: existsSync(tree) ? readFileSync(tree, "utf8") : undefined,
    };
  });
}
