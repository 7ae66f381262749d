// Shows an exported model in a browser: node examples/rescue/serve.mjs FOLDER
// Serves the page beside this file, the model's folder and TensorFlow.js from node_modules; PORT=0 takes any free port.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "../static-server.mjs";

const [folder] = process.argv.slice(2);
if (folder === undefined || !existsSync(join(folder, "model.json")))
  throw new Error("which folder? It is what `cntkts export MODEL --to tfjs` has written");

const require = createRequire(import.meta.url);
const bundle = (name, file) =>
  join(dirname(require.resolve(`@tensorflow/${name}/package.json`)), "dist", file);
const files = new Map([
  ["/", join(dirname(fileURLToPath(import.meta.url)), "index.html")],
  ["/tf-core.js", bundle("tfjs-core", "tf-core.min.js")],
  ["/tf-backend.js", bundle("tfjs-backend-cpu", "tf-backend-cpu.min.js")],
  ["/tf-converter.js", bundle("tfjs-converter", "tf-converter.min.js")],
]);

serve((path) => {
  const model = /^\/model\/([\w.-]+)$/.exec(path)?.[1];
  return files.get(path) ?? (model && join(resolve(folder), model));
});
