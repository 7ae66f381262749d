// Draw a digit and see what the auto-encoder makes of it: node examples/browser/serve.mjs [MODEL]
// Serves the page beside this file, cntkts for browsers, and a model: by default what `npm start` has trained. PORT=0 takes any
// free port.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "../static-server.mjs";

const [model = "Output/Models/07_Deconvolution_BS.model"] = process.argv.slice(2);
if (!existsSync(model))
  console.error(`There is no ${model}: \`npm start\` trains it; the page asks for a file.`);

const here = dirname(fileURLToPath(import.meta.url));
const files = new Map([
  ["/", join(here, "index.html")],
  ["/cntkts.js", fileURLToPath(import.meta.resolve("cntkts/browser"))],
  ["/default.model", resolve(model)],
]);

serve((path) => files.get(path) ?? (/^\/[\w-]+\.(js|css)$/.test(path) ? join(here, path) : undefined));
