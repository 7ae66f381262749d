import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Source } from "../diagnostics/source.js";
import { libraryFiles, libraryParts } from "../library/index.js";

/** The folder `library` beside the folder this file is in: src/library, or dist/src/library where the build copies it. */
const libraryFolder = join(dirname(fileURLToPath(import.meta.url)), "..", "library");

/** The BrainScript library as shipped, one source per file; names are shown as `<library>/layers.bs`. */
export function readLibrarySources(): Source[] {
  return [...libraryFiles, ...libraryParts].map((name) => ({
    name: `<library>/${name}`,
    text: readFileSync(join(libraryFolder, name), "utf8"),
  }));
}
