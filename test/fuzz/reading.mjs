// Damaged model files that are only read: what `run.mjs reading` does with a seed. A hundred times as many as `run.mjs models`, which
// also computes with them, does in the same time.
import { readFileSync, statSync } from "node:fs";
import { damagedFile, describe, placesOf as modelsIn } from "./models.mjs";

/** Larger files differ in their numbers, not in what can be damaged. */
const largest = 400_000;

export { describe };

export function placesOf(given) {
  return modelsIn(given).filter((path) => statSync(path).size <= largest);
}

/** Reads, prints and writes; what was written must read as what was read. */
export async function prepare(load, places) {
  const [modelFiles, { CntkError }] = await Promise.all(
    ["model-files/index.js", "diagnostics/diagnostic.js"].map(load),
  );
  const originals = new Map();
  return async (seed) => {
    const path = describe(places, seed);
    if (!originals.has(path)) originals.set(path, new Uint8Array(readFileSync(path)));
    const bytes = damagedFile(modelFiles, originals.get(path), seed);
    try {
      const model = modelFiles.readModel(bytes, `seed ${seed}`);
      const text = modelFiles.printNodes(model, { long: true });
      const again = modelFiles.readModel(modelFiles.writeModel(model), `seed ${seed}, written`);
      if (modelFiles.printNodes(again, { long: true }) !== text)
        throw new Error("reads differently once written");
      return "ok";
    } catch (error) {
      if (error instanceof CntkError) return error.code;
      throw error;
    }
  };
}
