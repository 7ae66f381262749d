// Damaged model files: what `run.mjs models` does with a seed.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesIn } from "./files-in.mjs";
import { actionsConfig, exercise, mutated, rebuilt, zeroSample } from "./mutate.mjs";

function isModel(path) {
  return readFileSync(path).subarray(0, 6).equals(Buffer.from("BCN", "utf16le"));
}

/** The model files in files and folders; those that are there as broken ones aside. */
export function placesOf(given) {
  return filesIn(given).filter((path) => !path.includes("broken") && isModel(path));
}

export function describe(places, seed) {
  return places[(seed >> 1) % places.length];
}

/** Every fifth seed goes through the actions test and write, the others through print-nodes, writing and eval. */
export async function prepare(load, places, folder) {
  const [modelFiles, { ModelSession }, { CntkError }, { selectBackend }, { nodeFiles }, { runConfig }] =
    await Promise.all(
      ["model-files/index.js", "actions/model-session.js", "diagnostics/diagnostic.js", "backends/select.js"]
        .concat("node/files.js", "index.js")
        .map(load),
    );
  const backendFor = async (elementType) =>
    (await selectBackend({ requested: "javascript", elementType, deviceId: -1 })).backend;
  const files = nodeFiles(folder);
  const api = { ...modelFiles, ModelSession, CntkError, backendFor, runConfig };
  const known = new Map();
  const original = (path) => {
    let found = known.get(path);
    if (found === undefined) {
      const bytes = new Uint8Array(readFileSync(path));
      const model = modelFiles.readModel(bytes, path);
      const data = join(folder, `data${known.size}.txt`);
      const config = join(folder, `actions${known.size}.cntk`);
      writeFileSync(data, zeroSample(model));
      writeFileSync(config, actionsConfig(model, join(folder, "damaged.dnn"), data, join(folder, "out")));
      known.set(path, (found = { bytes, data, config }));
    }
    return found;
  };
  return async (seed) => {
    const { bytes, data, config } = original(describe(places, seed));
    const damaged = (seed & 1) === 0 ? mutated(bytes, seed) : (rebuilt(api, bytes, seed) ?? bytes);
    if (seed % 5 > 0) return exercise(api, damaged, `seed ${seed}`, files, data);
    writeFileSync(join(folder, "damaged.dnn"), damaged);
    try {
      const log = { write: () => undefined };
      await runConfig([`configFile=${config}`], {
        directory: folder,
        log,
        output: log,
        backend: "javascript",
      });
      return "actions ok";
    } catch (error) {
      if (error instanceof CntkError) return `actions ${error.code}`;
      throw error;
    }
  };
}
