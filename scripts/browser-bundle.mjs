// What a web page loads (the package's `cntkts/browser`): one module, without what it does not use. It holds a package of somebody
// else's, whose licence goes with it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "rolldown";

/** Puts the module together from the compiled ones in a folder `dist`; returns its path. */
export async function bundleForBrowsers(dist) {
  const wasmati = dirname(createRequire(import.meta.url).resolve("wasmati"));
  const licence = readFileSync(join(wasmati, "..", "LICENSE.md"), "utf8").trim();
  const file = join(dist, "browser", "index.js");
  const { output } = await build({
    input: join(dist, "src", "browser.js"),
    platform: "browser",
    treeshake: { moduleSideEffects: false },
    output: {
      file,
      format: "esm",
      minify: true,
      postBanner: `/*! cntkts, MIT licence. With wasmati:\n\n${licence}\n*/\n`,
      codeSplitting: false,
    },
    logLevel: "warn",
  });
  const others = output.flatMap((part) => [...(part.imports ?? []), ...(part.dynamicImports ?? [])]);
  if (others.length > 0) throw new Error(`a page cannot load ${others.join(", ")}`);
  return file;
}
