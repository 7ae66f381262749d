import { readFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";

/** The machine's name, as CNTK's banner shows it. */
export const hostName = (): string => hostname();

/** Cores that this process may use. */
export const cores = (): number => availableParallelism();

/** How many processes of this run mpiexec has started on this machine (Open MPI's name, MPICH's and Intel's). */
export function processesHere(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): number {
  const count = Number(environment["OMPI_COMM_WORLD_LOCAL_SIZE"] ?? environment["MPI_LOCALNRANKS"] ?? 1);
  return Number.isInteger(count) && count > 0 ? count : 1;
}

export const nodeVersion = process.versions.node;

/** Writes to the process's standard output. */
export const standardOutput = { write: (text: string): void => void process.stdout.write(text) };

/** Writes to the process's standard error. */
export const standardError = { write: (text: string): void => void process.stderr.write(text) };

/** The version in the package's own package.json, found upwards from this file (in src/ and in dist/src/ alike). */
export function packageVersion(): string {
  for (
    let folder = dirname(fileURLToPath(import.meta.url));
    folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    try {
      const content = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        name?: string;
        version?: string;
      };
      if (content.name === "cntkts" && content.version) return content.version;
    } catch {
      // not in this folder
    }
  }
  return "0.0.0";
}

/** Lets the engine take WebAssembly's relaxed vector instructions: Node 20 has them, but asks to be told. */
export function allowRelaxedVectors(): void {
  if (nodeVersion.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");
}
