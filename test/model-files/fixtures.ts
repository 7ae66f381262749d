import { readFileSync } from "node:fs";

const folder = new URL("../fixtures/model-files/", import.meta.url);

/** A file that CNTK 2.0 (CPU build) wrote. */
export function recorded(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, folder)));
}
