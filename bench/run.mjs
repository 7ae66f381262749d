// Benchmarks of the built program (`npm run build` first): prints one table. Not part of the tests.
//   npm run bench -- [--data DIR] [--only training|reader|memory|start]
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cli = join(root, "dist", "cli.js");
const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : fallback;
};
const data = option("data", join(root, "DataSets", "MNIST"));
const only = option("only");
const train = join(data, "Train-28x28_cntk_text.txt");
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

if (!existsSync(cli)) throw new Error("build first: npm run build");
if (!existsSync(train)) throw new Error(`no MNIST in ${data}: node dist/cli.js mnist ${data}`);

/** Runs a configuration in a fresh folder and returns its log and the peak of its memory in MB. */
async function run(words) {
  const folder = mkdtempSync(join(tmpdir(), "cntkts-bench-"));
  const child = spawn(process.execPath, [cli, ...words, `dataDir=${data}`, `outputDir=${folder}`], {
    cwd: root,
  });
  let log = "";
  child.stdout.on("data", (text) => (log += text));
  child.stderr.on("data", (text) => (log += text));
  let peak = 0;
  const watch = setInterval(() => {
    try {
      const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"));
      if (line) peak = Math.max(peak, Number(line[1]) / 1024);
    } catch {
      // the process has ended, or this is not Linux
    }
  }, 100);
  const status = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(watch);
  rmSync(folder, { recursive: true, force: true });
  if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}:\n${log.slice(-2000)}`);
  return { log, peak };
}

const config = (name) => `configFile=${join(root, "models", name)}`;
const rows = [];
const report = (what, value) => {
  rows.push([what, value]);
  console.log(`${what.padEnd(58)} ${value}`);
};

if (!only || only === "training") {
  for (const [backend, samples] of [
    ["wasm", 60000],
    ["javascript", 12800],
    ["tfjs-node", 12800],
    ["tfjs-wasm", 12800],
    ["tfjs-cpu", 3200],
    ["reference", 640],
  ]) {
    try {
      const words = [
        config("07_Deconvolution_BS.cntk"),
        `trainNetwork=[SGD=[epochSize=${samples};maxEpochs=2;firstMBsToShowResult=0;numMBsToShowResult=${Math.floor(samples / 64 / 5)}]]`,
        "command=trainNetwork",
        "--backend",
        backend,
      ];
      const { log } = await run(words);
      const rates = [...log.matchAll(/Epoch\[ 2 of 2\].*samplesPerSecond = ([\d.]+)/g)].map((match) =>
        Number(match[1]),
      );
      report(`training 07, ${backend}, samples/s (median of ${rates.length})`, median(rates).toFixed(0));
    } catch (error) {
      report(
        `training 07, ${backend}`,
        `not available: ${
          String(error.message)
            .split("\n")
            .find((l) => /error/.test(l)) ?? "see the log"
        }`,
      );
    }
  }
}

if (!only || only === "reader") {
  const { nodeFiles } = await import(join(root, "dist", "src", "node", "index.js"));
  const { createTextFormatReader } = await import(join(root, "dist", "src", "readers", "index.js"));
  const speeds = [];
  const files = nodeFiles(data);
  const size = files.open(train).size;
  readFileSync(train);
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    const reader = await createTextFormatReader(
      {
        file: train,
        elementType: "float",
        inputs: [
          { name: "features", alias: "features", dimension: 784, storage: "dense" },
          { name: "labels", alias: "labels", dimension: 10, storage: "dense" },
        ],
      },
      { files, log: { write: () => undefined } },
    );
    await reader.start({ epoch: 0, minibatchSize: 64, epochSize: 60000, rank: 0, workers: 1 });
    let samples = 0;
    for (let minibatch = await reader.next(); minibatch; minibatch = await reader.next()) {
      samples += minibatch.columns;
    }
    await reader.close();
    if (samples !== 60000) throw new Error(`the reader delivered ${samples} samples`);
    speeds.push(size / 1e6 / ((performance.now() - started) / 1000));
  }
  report("text reader, index and parse and shuffle, MB/s (median of 5)", median(speeds).toFixed(0));
}

if (!only || only === "memory") {
  const words = [config("07_Deconvolution_BS.cntk"), "trainNetwork=[SGD=[maxEpochs=1]]"];
  const { peak } = await run(words);
  report("main job, peak memory, MB", peak.toFixed(0));
}

if (!only || only === "start") {
  const times = [];
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    const done = spawnSync(process.execPath, [
      cli,
      "explain",
      config("07_Deconvolution_BS.cntk"),
      "--stage",
      "shapes",
    ]);
    if (done.status !== 0) throw new Error(String(done.stderr));
    times.push(performance.now() - started);
  }
  report("explain --stage shapes of 07, whole process, ms (median of 5)", median(times).toFixed(0));
}
