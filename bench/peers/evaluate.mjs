// Evaluates CNTK's trained model cifar10.ResNet.cmf on random pictures, by cntkts or by onnxruntime-web.
//   node bench/peers/evaluate.mjs cntkts|onnxruntime MODEL BATCH THREADS
// Every line of standard input is a number of seconds; for so long it evaluates, and answers with one line of JSON.
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";

const [engine, model, ...numbers] = process.argv.slice(2);
const [batch, threads] = numbers.map(Number);
const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const pictures = Float32Array.from({ length: batch * 3072 }, (_, i) => ((i * 7919) % 256) - 128);

async function byCntkts() {
  const from = (path) => import(join(root, "dist/src", path));
  const { loadModel } = await from("index.js");
  const { inferenceGraph, planGraph } = await from("pipeline.js");
  const { createWasmBackend } = await from("backends/wasm/index.js");
  const { computeTeam } = await from("threads/index.js");
  const { parameterValues } = await from("training/parameters.js");
  const { packFrames } = await from("minibatch/index.js");
  const session = loadModel(model);
  const { shaped } = session;
  const { output } = shaped.network.groups;
  const plan = planGraph(inferenceGraph(shaped, output), "float");
  const executable = await createWasmBackend(computeTeam(threads)).compile(plan);
  const states = new Set(plan.buffers.filter(({ role }) => role === "state").map(({ name }) => name));
  const values = [...parameterValues(shaped, "float")].map(([node, numbers]) => [node.name, numbers]);
  await executable.writeState(new Map(values.filter(([name]) => states.has(name))));
  const inputs = plan.buffers.filter(({ role }) => role === "input");
  const layout = packFrames(new Uint8Array(batch).fill(1));
  const minibatch = {
    layouts: new Map(plan.axes.map(({ name }) => [name, layout])),
    inputs: new Map(inputs.map(({ name }) => [name, { storage: "dense", values: pictures }])),
  };
  return () => executable.run("evaluate", minibatch);
}

async function byOnnx() {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(readFileSync(model));
  const [input] = session.inputNames;
  const tensor = new ort.Tensor("float32", pictures, [batch, 3, 32, 32]);
  return () => session.run({ [input]: tensor });
}

const evaluate = await (engine === "cntkts" ? byCntkts() : byOnnx());
await evaluate();
for await (const line of createInterface({ input: process.stdin })) {
  const begin = performance.now();
  let runs = 0;
  while (runs === 0 || performance.now() - begin < Number(line) * 1000) {
    await evaluate();
    runs++;
  }
  const rate = (runs * batch) / ((performance.now() - begin) / 1000);
  console.log(JSON.stringify({ rate, peak: process.resourceUsage().maxRSS / 1024 }));
}
process.exit(0);
