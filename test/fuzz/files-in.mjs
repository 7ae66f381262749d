import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The files among paths and in the folders among them, in order. */
export function filesIn(given) {
  return given
    .flatMap((path) =>
      statSync(path).isDirectory()
        ? readdirSync(path, { recursive: true }).map((name) => join(path, name))
        : [path],
    )
    .filter((path) => statSync(path).isFile())
    .sort();
}
