// Damaged model files: what `run.mjs models` does with a seed.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesIn } from "./files-in.mjs";
import { actionsConfig, attemptNames, exercise, generator, mutated, rebuilt, zeroSample } from "./mutate.mjs";
import { mutatedMessage } from "./mutate-message.mjs";

/** A file of CNTK's C++ and Python library: a message of protocol buffers whose first field is its version. */
function isLibraryModel(bytes) {
  return bytes[0] === 8 && (bytes[1] === 1 || bytes[1] === 2);
}

function isModel(path) {
  const bytes = readFileSync(path);
  return isLibraryModel(bytes) || bytes.subarray(0, 6).equals(Buffer.from("BCN", "utf16le"));
}

/** The model files in files and folders; those that are there as broken ones aside. */
export function placesOf(given) {
  return filesIn(given).filter((path) => !path.includes("broken") && isModel(path));
}

export function describe(places, seed) {
  return places[(seed >> 1) % places.length];
}

/** Half of the seeds damage bytes, half what they say; of a message, half of these its fields and half the nodes it makes. */
export function damagedFile(api, bytes, seed) {
  if ((seed & 1) === 0) return mutated(bytes, seed);
  if (isLibraryModel(bytes) && generator(seed)(2) === 0) return mutatedMessage(bytes, seed);
  return rebuilt(api, bytes, seed) ?? bytes;
}

/** Every fifth seed goes through actions, one attempt after the other; the others through print-nodes, writing and eval. */
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
      writeFileSync(data, zeroSample(model));
      const configs = attemptNames.map((attempt) => {
        const config = join(folder, `${attempt}${known.size}.cntk`);
        const [damaged, out] = [join(folder, "damaged.dnn"), join(folder, "out")];
        writeFileSync(config, actionsConfig(model, damaged, data, out, attempt));
        return config;
      });
      known.set(path, (found = { bytes, data, configs }));
    }
    return found;
  };
  return async (seed) => {
    const { bytes, data, configs } = original(describe(places, seed));
    const damaged = damagedFile(api, bytes, seed);
    if (seed % 5 > 0) return exercise(api, damaged, `seed ${seed}`, files, data);
    writeFileSync(join(folder, "damaged.dnn"), damaged);
    const number = Math.floor(seed / 5) % configs.length;
    const attempt = attemptNames[number];
    try {
      const log = { write: () => undefined };
      await runConfig([`configFile=${configs[number]}`], {
        directory: folder,
        log,
        output: log,
        backend: "javascript",
      });
      return `${attempt} ok`;
    } catch (error) {
      if (error instanceof CntkError) return `${attempt} ${error.code}`;
      throw error;
    }
  };
}
