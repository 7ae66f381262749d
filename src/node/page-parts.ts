import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PageParts } from "../view/index.js";

/** Where the build puts the page's own modules and its style. */
const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "view", "page");

/** What pages import of packages, by name: a module that imports nothing itself. */
const packageModules: Readonly<Record<string, string>> = {
  "@hpcc-js/wasm-graphviz": "@hpcc-js/wasm-graphviz",
  "@panzoom/panzoom": "@panzoom/panzoom/dist/panzoom.es.js",
  uplot: "uplot/dist/uPlot.esm.js",
};

/** The parts of pages as they are installed with the program. */
export function readPageParts(): PageParts {
  const { resolve } = createRequire(import.meta.url);
  const text = (path: string): string => readFileSync(path, "utf8");
  const modules = readdirSync(folder).filter((file) => file.endsWith(".js"));
  return {
    styles: [text(resolve("uplot/dist/uPlot.min.css")), text(join(folder, "page.css"))],
    modules: new Map(modules.map((file) => [file, text(join(folder, file))])),
    packages: new Map(
      Object.entries(packageModules).map(([name, path]) => [name, withoutMap(text(resolve(path)))]),
    ),
  };
}

/** The address of a source map leads nowhere from a page. */
const withoutMap = (text: string): string => text.replace(/^\/\/# sourceMappingURL=.*$/m, "");
