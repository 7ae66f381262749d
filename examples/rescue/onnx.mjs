// Runs an ONNX model in onnxruntime: node examples/rescue/onnx.mjs MODEL.onnx
// One sample of zeros goes in (or one sequence of a single frame); what comes out is printed as JSON, a line for each output.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("which model?");
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(path)));

const feeds = {};
for (const { name, shape } of session.inputMetadata) {
  // Axes without a number are those of samples and of time.
  const dims = shape.map((size) => (typeof size === "number" && size > 0 ? size : 1));
  const count = dims.reduce((product, size) => product * size, 1);
  feeds[name] = new ort.Tensor("float32", new Float32Array(count), dims);
}
const results = await session.run(feeds);
for (const [name, { dims, data }] of Object.entries(results))
  console.log(JSON.stringify({ name, dims, values: [...data] }));
