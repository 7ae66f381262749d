// Builds dist/: compiles TypeScript, copies the BrainScript library and parses it, puts together the command and what pages load.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";
import { bundleForBrowsers } from "./browser-bundle.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const dist = join(root, "dist");

// The compiler writes what changed since the last build; what has no source any more has to go.
for (const file of existsSync(dist) ? readdirSync(dist, { recursive: true, encoding: "utf8" }) : []) {
  const source = join(root, file.replace(/(\.d\.ts|\.js)$/, ".ts"));
  if (file !== "cli.js" && /\.(js|ts)$/.test(file) && !existsSync(source)) rmSync(join(dist, file));
}
// The modules of pages run in browsers, and have a project of their own.
for (const project of ["tsconfig.build.json", "src/view/page/tsconfig.json"]) {
  execFileSync(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", join(root, project)], {
    cwd: root,
    stdio: "inherit",
  });
}

for (const room of ["library", "view"]) {
  const folder = join(root, "src", room);
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (/\.(bs|css)$/.test(file)) cpSync(join(folder, file), join(dist, "src", room, file));
  }
}

// The library's trees lie beside its texts. One that does not come back as it was is left out: the text is parsed then.
const load = (file) => import(pathToFileURL(join(dist, file)).href);
const { parseBrainScript, plainText, treeAsText, treeFromText } = await load("grammar/index.js");
const { readLibrarySources } = await load("src/node/library.js");
const { libraryFiles } = await load("src/library/index.js");
const sources = readLibrarySources();
const sourceOf = (name) => sources.find((source) => source.name === `<library>/${name}`);
for (const file of libraryFiles) {
  const { result, diagnostics } = parseBrainScript(plainText(sourceOf(file)), {
    load: (path) => plainText(sourceOf(path)),
  });
  if (diagnostics.length > 0) throw new Error(`${file}: ${diagnostics[0].message}`);
  const tree = treeAsText(result);
  const restored = treeFromText(tree, (name) => sources.find((source) => source.name === name));
  if (isDeepStrictEqual(restored, result)) writeFileSync(join(dist, "src", "library", `${file}.tree`), tree);
  else console.warn(`${file}: its tree cannot be kept`);
}

// The command in few files: opening hundreds of modules takes longer than a small check. A module that looks for files beside
// itself, such as those that threads begin with, goes on finding them.
const ownPlaces = {
  name: "own places",
  transform(code, id) {
    const place = relative(dist, id).split(sep).join("/");
    return code.replaceAll("import.meta.url", `new URL("../${place}", import.meta.url).href`);
  },
};
await build({
  input: join(dist, "src", "cli", "main.js"),
  platform: "node",
  external: /^[^./]/,
  plugins: [ownPlaces],
  output: { dir: join(dist, "command"), format: "esm" },
  logLevel: "warn",
});

await bundleForBrowsers(dist);

writeFileSync(join(dist, "cli.js"), '#!/usr/bin/env node\nimport "./command/main.js";\n');
chmodSync(join(dist, "cli.js"), 0o755);
