// Large runs over hostile input, after npm run build:
//   node test/fuzz/run.mjs models COUNT FIRST-SEED FILE-OR-FOLDER…       damaged model files: read, print, write, eval, and all actions
//   node test/fuzz/run.mjs reading COUNT FIRST-SEED FILE-OR-FOLDER…      the same files, only read, printed and written: a million in a few minutes
//   node test/fuzz/run.mjs configs COUNT FIRST-SEED FILE-OR-FOLDER…     damaged configurations and networks, checked
//   node test/fuzz/run.mjs checkpoints COUNT FIRST-SEED                  a training that goes on from a damaged checkpoint
//   node test/fuzz/run.mjs readers COUNT FIRST-SEED [WORD…]              an epoch of a reader with a damaged data file (whose name has WORD)
// Every seed must end within 5 s of CPU time, with a result or a CntkError. Prints what did not, and how often which outcome came.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { supervise } from "./supervise.mjs";

const dist = new URL("../../dist/src/", import.meta.url);

/** Runs a seed; what is thrown and is no CntkError is a defect. */
async function outcomeOf(subject, seed) {
  try {
    return { outcome: await subject(seed) };
  } catch (error) {
    return { outcome: "INTERNAL", stack: String(error?.stack ?? error).slice(0, 900) };
  }
}

async function work({ kind, places, folder }) {
  const { prepare } = await import(`./${kind}.mjs`);
  const subject = await prepare((path) => import(new URL(path, dist)), places, folder);
  parentPort.on("message", async (seed) => parentPort.postMessage(await outcomeOf(subject, seed)));
  parentPort.postMessage({ ready: true });
}

if (isMainThread) {
  const [kind = "models", count = "1000", first = "1", ...given] = process.argv.slice(2);
  const { placesOf, describe } = await import(`./${kind}.mjs`);
  const places = placesOf(given);
  if (places.length === 0) {
    console.error(`${kind}: name files or folders to start from`);
    process.exit(2);
  }
  const folder = mkdtempSync(join(tmpdir(), "cntkts-fuzz-"));
  console.log(`${kind}: ${places.length} originals, ${count} mutations from seed ${first}`);
  const options = { count: Number(count), first: Number(first), describe: (seed) => describe(places, seed) };
  const isFine = await supervise(new URL(import.meta.url), { kind, places, folder }, options);
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = isFine ? 0 : 1;
} else await work(workerData);
