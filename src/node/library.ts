import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Source } from "../diagnostics/source.js";

/** The folder `library` beside the folder this file is in: src/library, or dist/src/library where the build copies it. */
const libraryFolder = join(dirname(fileURLToPath(import.meta.url)), "..", "library");

/** The BrainScript library as shipped, one source per file, by file name (`layers.bs`); names shown as `<library>/layers.bs`. */
export function readLibrarySources(): Source[] {
  const names = readdirSync(libraryFolder).filter((name) => name.endsWith(".bs"));
  names.sort();
  return names.map((name) => ({
    name: `<library>/${name}`,
    text: readFileSync(join(libraryFolder, name), "utf8"),
  }));
}
