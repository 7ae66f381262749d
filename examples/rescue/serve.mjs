// Shows an exported model in a browser: node examples/rescue/serve.mjs FOLDER
// Serves the page beside this file, the model's folder and TensorFlow.js from node_modules; PORT=0 takes any free port.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

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
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".json": "application/json" };

const server = createServer(({ url }, response) => {
  const { pathname } = new URL(url, "http://localhost");
  const model = /^\/model\/([\w.-]+)$/.exec(pathname)?.[1];
  const path = files.get(pathname) ?? (model && join(resolve(folder), model));
  if (!path || !existsSync(path)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" });
  response.end(readFileSync(path));
});
server.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
