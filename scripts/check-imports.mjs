// Prints the import graph of the rooms and checks it against the arrows of the house: a stage imports only what stands
// before it on the road (text → AST → values → network → shapes → gradients → plan → backend) and leaves; types count
// as much as code. Run by `npm run lint`. Ends with status 1 and the offending imports; `--quiet` prints only those.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Rooms without a place on the road: types and pure functions that every room may use. */
const leaves = ["choices", "diagnostics", "files", "log", "numerics", "primitives", "minibatch"];

/**
 * What each room may import besides leaves, in the order of the road: no arrow points downwards, and none is allowed that
 * nobody uses. A file beside the rooms is a room of its own.
 */
const allowed = {
  // Leaves.
  choices: [],
  diagnostics: [],
  numerics: [],
  files: [],
  log: [],
  primitives: [],
  // What readers deliver and backends take; columns and gaps are described nowhere else.
  minibatch: [],
  // Text → AST → values.
  chevrotain: [],
  grammar: ["chevrotain"],
  library: [],
  "source-loader": ["grammar"],
  config: [],
  evaluator: ["grammar"],
  // Networks, made from values or from a model file.
  network: [],
  ops: ["network"],
  "model-files": ["network", "ops"],
  // A model as a page.
  view: ["network", "ops", "model-files"],
  // Networks → files of other programs.
  exporters: ["network"],
  sources: [
    "grammar",
    "library",
    "source-loader",
    "config",
    "evaluator",
    "network",
    "ops",
    "model-files",
    "exporters",
  ],
  // Shapes → gradients → plan → backend.
  shapes: ["network", "ops"],
  "memory-sharing": ["network"],
  autodiff: ["network", "ops"],
  updates: ["network", "ops", "autodiff"],
  plan: ["network"],
  backends: ["network", "plan"],
  readers: ["config"],
  // From one form of data to another.
  convert: ["readers"],
  // What processes that train together say to each other.
  communication: [],
  // What the commands of a configuration share, from the command line to the last room.
  session: ["library", "network", "model-files", "shapes", "backends", "readers", "communication"],
  // The second half of the road by itself: shapes → executable.
  computing: ["network", "ops", "sources", "shapes", "autodiff", "updates", "plan", "backends", "session"],
  // The table of contents calls every stage.
  pipeline: ["grammar", "source-loader", "config", "network", "sources", "shapes", "session", "computing"],
  training: [
    "config",
    "network",
    "ops",
    "model-files",
    "exporters",
    "memory-sharing",
    "updates",
    "backends",
    "readers",
    "communication",
    "session",
    "computing",
  ],
  actions: [
    "config",
    "network",
    "ops",
    "model-files",
    "view",
    "exporters",
    "sources",
    "shapes",
    "memory-sharing",
    "backends",
    "readers",
    "session",
    "pipeline",
    "training",
  ],
  run: [
    "grammar",
    "source-loader",
    "config",
    "evaluator",
    "network",
    "shapes",
    "autodiff",
    "plan",
    "backends",
    "readers",
    "communication",
    "session",
    "pipeline",
    "training",
    "actions",
  ],
  node: ["library"],
  // What a web page loads.
  browser: ["network", "model-files", "backends", "actions", "training"],
  // Entry points of other threads, and the pool that runs them.
  threads: ["backends", "readers", "node"],
  "api-run": ["threads", "communication", "session", "run", "node"],
  "api-model": ["api-run", "threads", "model-files", "backends", "session", "actions", "node"],
  api: ["api-run", "api-model", "convert", "threads", "model-files", "actions", "run", "node"],
  index: ["session", "actions", "run", "api-run", "api-model", "api"],
  cli: ["config", "session", "node", "api-run", "api-model", "index"],
};

/** Rooms that fill the interfaces of others: they may name any room's types, but call nobody. */
const typesOnly = ["node"];

/** What web pages load: neither it nor anything that it needs may need Node, and of packages these only. */
const forPages = { from: "src/browser.ts", packages: ["wasmati"] };

/** Packages and the rooms that may use them. */
const packages = {
  chevrotain: ["grammar", "config", "chevrotain"],
  "@tensorflow/": ["backends"],
  protobufjs: ["exporters", "sources"],
  koffi: ["node"],
  pngjs: ["actions", "node"],
  "jpeg-js": ["node"],
  sharp: ["node"],
  "@hpcc-js/wasm-graphviz": ["actions", "view"],
  "@panzoom/panzoom": ["view"],
  uplot: ["view"],
  yargs: ["cli"],
};

const roomOf = (file) => {
  const parts = file.split("/");
  if (parts[0] === "grammar") return "grammar";
  return parts.length === 2 ? parts[1].replace(/\.[jt]s$/, "") : parts[1];
};

const sources = ["grammar", "src"].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true })
    .map((file) => posix.join(top, file.split(sep).join("/")))
    .filter((file) => file.endsWith(".ts"))
    .sort(),
);

const graph = new Map();
/** By file: what it loads when it runs. */
const loads = new Map();
const offences = [];
for (const file of sources) {
  const text = readFileSync(join(root, file), "utf8");
  const from = roomOf(file);
  if (!(from in allowed)) {
    offences.push(`${file}: the room '${from}' is not known to scripts/check-imports.mjs`);
    continue;
  }
  // Static imports and re-exports; also `import("…")`, which loads heavy rooms late.
  const imports =
    /^\s*(?:import|export)\s+(type\s)?[^"';]*?from\s+"([^"]+)"|^\s*import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm;
  for (const match of text.matchAll(imports)) {
    const target = match[2] ?? match[3] ?? match[4];
    const isType = match[1] !== undefined;
    const found = target.startsWith(".")
      ? posix.normalize(posix.join(posix.dirname(file), target)).replace(/\.js$/, ".ts")
      : target;
    if (!isType) loads.set(file, [...(loads.get(file) ?? []), found]);
    const place = `${file}:${text.slice(0, match.index + match[0].indexOf("import")).split("\n").length}`;
    if (!target.startsWith(".")) {
      const known = Object.keys(packages).find((name) => target === name || target.startsWith(name));
      if (known && !packages[known].includes(from))
        offences.push(`${place}: '${from}' may not use the package ${target}`);
      continue;
    }
    const to = roomOf(found);
    if (to === from) continue;
    if (!graph.has(from)) graph.set(from, new Set());
    graph.get(from).add(to);
    const fine = leaves.includes(to) || allowed[from].includes(to) || (isType && typesOnly.includes(from));
    if (!fine) offences.push(`${place}: '${from}' may not import '${to}' (${target})`);
  }
}

// A map remembers the order of its keys: what is added while it is gone through has its turn, too.
const needed = new Map([[forPages.from, forPages.from]]);
for (const [file, road] of needed) {
  for (const target of loads.get(file) ?? []) {
    const isFile = sources.includes(target);
    if (isFile && !needed.has(target)) needed.set(target, `${road} → ${target}`);
    if (!isFile && !forPages.packages.includes(target))
      offences.push(`${target} cannot be loaded by a web page: ${road}`);
  }
}
for (const file of needed.keys()) {
  if (["node", "threads", "cli"].includes(roomOf(file)))
    offences.push(`Node's room cannot be loaded by a web page: ${needed.get(file)}`);
}

const rooms = Object.keys(allowed);
for (const [room, targets] of Object.entries(allowed)) {
  for (const target of targets) {
    if (rooms.indexOf(target) >= rooms.indexOf(room))
      offences.push(`scripts/check-imports.mjs: '${target}' does not stand before '${room}'`);
    if (!graph.get(room)?.has(target))
      offences.push(`scripts/check-imports.mjs: '${room}' imports nothing from '${target}' any more`);
  }
}

if (!process.argv.includes("--quiet")) {
  for (const room of rooms) {
    const targets = [...(graph.get(room) ?? [])].sort();
    if (targets.length > 0) console.log(`${room.padEnd(16)} → ${targets.join(" ")}`);
  }
}
for (const offence of offences) console.error(offence);
if (offences.length > 0) process.exitCode = 1;
