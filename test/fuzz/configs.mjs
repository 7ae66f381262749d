// Damaged configurations of all languages, checked as `cntkts check` does: what `run.mjs configs` does with a seed.
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { filesIn } from "./files-in.mjs";
import { mutatedText } from "./mutate-text.mjs";

/** Configurations and networks among files and folders. */
export function placesOf(given) {
  return filesIn(given)
    .filter((path) => /\.(cntk|bs|ndl|config|mel)$/.test(path))
    .filter((path) => statSync(path).size < 100_000);
}

export function describe(places, seed) {
  return places[seed % places.length];
}

/** The machine's files with another text in the place of one of them; nothing is written. */
export function overlaid(files, path, text) {
  const isIt = (other) => files.resolve(other) === path;
  const nothing = {
    write: () => undefined,
    commit: () => undefined,
    abort: () => undefined,
    close: () => undefined,
  };
  return {
    ...files,
    directory: files.directory,
    withDirectory: (other) => overlaid(files.withDirectory(other), path, text),
    resolve: (other) => files.resolve(other),
    exists: (other) => isIt(other) || files.exists(other),
    isDirectory: (other) => files.isDirectory(other),
    modified: (other) => files.modified(other),
    readText: (other) => (isIt(other) ? text : files.readText(other)),
    readBytes: (other) => (isIt(other) ? new TextEncoder().encode(text) : files.readBytes(other)),
    open: (other) => files.open(other),
    create: () => nothing,
    log: () => nothing,
    makeDirectory: () => undefined,
    remove: () => undefined,
  };
}

export async function prepare(load, places) {
  const [{ checkConfig, CntkError }, { nodeFiles }] = await Promise.all(
    ["index.js", "node/files.js"].map(load),
  );
  const quiet = { write: () => undefined };
  return async (seed) => {
    const path = describe(places, seed);
    const text = mutatedText(readFileSync(path, "latin1"), seed);
    const files = overlaid(nodeFiles(dirname(path)), path, text);
    try {
      await checkConfig([`configFile=${path}`], { files, log: quiet, output: quiet, backend: "javascript" });
      return "ok";
    } catch (error) {
      if (error instanceof CntkError) return error.code;
      throw error;
    }
  };
}
