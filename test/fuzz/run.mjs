// Large runs over damaged model files: node test/fuzz/run.mjs COUNT FIRST-SEED FILE-OR-FOLDER… (after npm run build).
// Every mutation must end within 5 s, with a result or a CntkError. Prints what did not, and how often which error came.
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { exercise, mutated, rebuilt, zeroSample } from "./mutate.mjs";

const timeLimit = 5000;
const dist = new URL("../../dist/src/", import.meta.url);
const load = (path) => import(new URL(path, dist));

async function work({ paths, folder }) {
  const [modelFiles, { ModelSession }, { CntkError }, { selectBackend }, { nodeFiles }] = await Promise.all(
    ["model-files/index.js", "actions/model-session.js", "diagnostics/diagnostic.js", "backends/select.js"]
      .concat("node/files.js")
      .map(load),
  );
  const select = async (elementType) =>
    (await selectBackend({ requested: "reference", elementType, deviceId: -1 })).backend;
  const [float, double] = [await select("float"), await select("double")];
  const files = nodeFiles(folder);
  const models = paths.map((path, index) => {
    const bytes = new Uint8Array(readFileSync(path));
    const model = modelFiles.readModel(bytes, path);
    const data = join(folder, `data${index}.txt`);
    writeFileSync(data, zeroSample(model));
    return { bytes, data, isDouble: model.nodes.some(({ precision }) => precision === "double") };
  });
  const api = { ...modelFiles, ModelSession, CntkError };
  parentPort.on("message", async (seed) => {
    const { bytes, data, isDouble } = models[(seed >> 1) % models.length];
    const backend = isDouble ? double : float;
    try {
      const damaged = (seed & 1) === 0 ? mutated(bytes, seed) : (rebuilt(api, bytes, seed) ?? bytes);
      const outcome = await exercise({ ...api, backend }, damaged, `seed ${seed}`, files, data);
      parentPort.postMessage({ seed, outcome });
    } catch (error) {
      parentPort.postMessage({
        seed,
        outcome: "INTERNAL",
        stack: String(error?.stack ?? error).slice(0, 600),
      });
    }
  });
  parentPort.postMessage({ ready: true });
}

function modelsIn(path) {
  const paths = statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true }).map((name) => join(path, name))
    : [path];
  return paths.filter((name) => {
    if (!statSync(name).isFile() || name.includes("broken")) return false;
    return readFileSync(name).subarray(0, 6).equals(Buffer.from("BCN", "utf16le"));
  });
}

async function run([count, first, ...places]) {
  const paths = places.flatMap(modelsIn).sort();
  const folder = mkdtempSync(join(tmpdir(), "cntkts-fuzz-"));
  console.log(`${paths.length} models, ${count} mutations from seed ${first}`);
  const outcomes = new Map();
  let next = first;
  let largest = 0;
  const slow = [];
  const start = () => new Worker(new URL(import.meta.url), { workerData: { paths, folder } });
  await new Promise((finished) => {
    let worker = start();
    let timer;
    let begun = 0;
    const step = () => {
      if (next >= first + count) {
        finished(worker.terminate());
        return;
      }
      const seed = next++;
      begun = performance.now();
      timer = setTimeout(() => {
        console.log(`seed ${seed} (${paths[(seed >> 1) % paths.length]}): not ended after ${timeLimit} ms`);
        outcomes.set("HANGS", (outcomes.get("HANGS") ?? 0) + 1);
        void worker.terminate();
        worker = start();
        listen();
      }, timeLimit);
      worker.postMessage(seed);
    };
    const listen = () => {
      worker.on("message", ({ ready, seed, outcome, stack }) => {
        clearTimeout(timer);
        if (!ready) {
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          const taken = performance.now() - begun;
          if (taken > 1000) slow.push(`${seed}: ${Math.round(taken)} ms`);
          if (stack) console.log(`seed ${seed} (${paths[(seed >> 1) % paths.length]}): ${stack}`);
          largest = Math.max(largest, process.memoryUsage().rss);
        }
        step();
      });
      worker.on("error", (error) => {
        clearTimeout(timer);
        console.log(
          `seed ${next - 1} (${paths[((next - 1) >> 1) % paths.length]}): the thread died: ${error}`,
        );
        outcomes.set("DIED", (outcomes.get("DIED") ?? 0) + 1);
        worker = start();
        listen();
      });
    };
    listen();
  });
  console.log(Object.fromEntries([...outcomes].sort((a, b) => b[1] - a[1])));
  console.log(
    `largest memory ${Math.round(largest / 2 ** 20)} MB; slower than 1 s: ${slow.join(", ") || "none"}`,
  );
  if (["HANGS", "INTERNAL", "DIED"].some((outcome) => outcomes.has(outcome))) process.exitCode = 1;
}

if (isMainThread) {
  const [count = "1000", first = "1", ...places] = process.argv.slice(2);
  await run([Number(count), Number(first), ...places]);
} else await work(workerData);
