import type { Backend } from "../../src/backends/backend.js";
import { openBackend } from "../../src/backends/select.js";
import type { BackendName } from "../../src/choices.js";

/** A backend of this machine, or why it is not there. */
export type PresentBackend =
  | { readonly name: BackendName; readonly backend: Backend }
  | { readonly name: BackendName; readonly reason: string };

const names: readonly BackendName[] = [
  "reference",
  "javascript",
  "wasm",
  "tfjs-cpu",
  "tfjs-wasm",
  "tfjs-node",
];

/** Every backend by itself, started; those that cannot start come with the reason. `BACKENDS=a,b` limits the choice. */
export async function presentBackends(): Promise<PresentBackend[]> {
  const wanted = process.env["BACKENDS"]?.split(",");
  const found: PresentBackend[] = [];
  for (const name of names.filter((candidate) => !wanted || wanted.includes(candidate))) {
    try {
      found.push({ name, backend: await openBackend(name) });
    } catch (problem) {
      found.push({ name, reason: problem instanceof Error ? problem.message : String(problem) });
    }
  }
  return found;
}
