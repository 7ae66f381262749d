// How fast models of 100 MB are loaded, one of the cntk program and one of CNTK's library, each made here:
//   node bench/load.mjs [--rounds 5]
// A process for each measurement, so that no memory has been touched before; the files lie in the system's cache. The last row is
// `cntkts print-nodes` as a whole, start included.
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const from = (path) => import(join(root, "dist/src", path));
const layers = 100;
const size = 512;

/** The values of a layer; no two layers have the same. */
function valuesOf(layer) {
  return Float32Array.from({ length: size * size }, (_, i) => Math.sin(i + layer));
}

/** Writes a file piece by piece. */
function writePieces(path, write) {
  const file = openSync(path, "w");
  write((piece) => writeSync(file, piece));
  closeSync(file);
}

/** A chain of products, as the cntk program keeps it. */
async function writeModel(path) {
  const { writeModelTo } = await from("model-files/index.js");
  const node = (operation, name, inputs, fields = {}) => ({
    precision: "float",
    operation,
    name,
    inputs,
    fields,
  });
  const input = {
    rows: 0,
    columns: 0,
    shape: [size],
    axisCount: 1,
    dynamicAxis: "*",
    learningRateMultiplier: 0,
  };
  const nodes = [node("InputValue", "features", [], input)];
  for (let layer = 0; layer < layers; layer++) {
    const [name, before] = [layer, layer - 1].map((index) => `z${String(index).padStart(3, "0")}`);
    const weights = node("LearnableParameter", `${name}.W`, [], {
      learningRateMultiplier: 1,
      shape: [size, size],
    });
    nodes.push(
      node("Times", name, [`${name}.W`, layer > 0 ? before : "features"], {
        outputRank: 1,
        inferInputRankToMap: -1,
      }),
      { ...weights, values: { rows: size, columns: size, values: valuesOf(layer) } },
    );
  }
  const groups = {
    feature: ["features"],
    label: [],
    criterion: [],
    evaluation: [],
    output: [nodes.at(-2).name],
  };
  writePieces(path, (sink) => writeModelTo({ version: 26, nodes, groups }, sink));
}

/** The same as CNTK's library keeps it: protobuf's messages, written field by field. */
function writeLibraryModel(path) {
  const number = (value) =>
    value < 128 ? [value] : [(value % 128) + 128, ...number(Math.floor(value / 128))];
  const stretch = (field, ...content) => {
    const bytes = Buffer.concat(content.map((piece) => (Array.isArray(piece) ? Buffer.from(piece) : piece)));
    return Buffer.concat([Buffer.from([...number(field * 8 + 2), ...number(bytes.length)]), bytes]);
  };
  const whole = (field, value) => [...number(field * 8), ...number(value)];
  const value = (type, content) => Buffer.concat([Buffer.from([...whole(1, 2), ...whole(2, type)]), content]);
  const count = (n) => value(3, Buffer.from(whole(5, n)));
  const text = (content) => value(6, stretch(8, Buffer.from(content)));
  const list = (items) => value(9, stretch(11, ...items.map((item) => stretch(1, item))));
  const dims = (shape) => stretch(1, shape.flatMap(number));
  const entries = (content) =>
    Object.entries(content).map(([key, item]) => stretch(2, stretch(1, Buffer.from(key)), stretch(2, item)));
  const dictionary = (content) => value(10, stretch(12, ...entries(content)));
  const array = (shape, values) =>
    value(
      11,
      stretch(13, whole(1, 1), stretch(3, dims(shape)), stretch(4, stretch(1, Buffer.from(values.buffer)))),
    );
  const variable = (uid, kind, shape, more) =>
    dictionary({
      uid: text(uid),
      kind: count(kind),
      data_type: count(1),
      shape: value(7, stretch(9, dims(shape))),
      ...more,
    });
  const inputs = [variable("Input", 0, [size], {})];
  const functions = [];
  for (let layer = 0; layer < layers; layer++) {
    inputs.push(variable(`W${layer}`, 2, [size, size], { value: array([size, size], valuesOf(layer)) }));
    const before = layer > 0 ? `Times${layer - 1}_Output_0` : "Input";
    functions.push(
      dictionary({
        type: text("PrimitiveFunction"),
        uid: text(`Times${layer}`),
        op: count(31),
        inputs: list([text(`W${layer}`), text(before)]),
        attributes: dictionary({ outputRank: count(1) }),
      }),
    );
  }
  const model = {
    type: text("CompositeFunction"),
    root: text(`Times${layers - 1}`),
    inputs: list(inputs),
    primitive_functions: list(functions),
  };
  writePieces(path, (sink) => [Buffer.from(whole(1, 1)), ...entries(model)].forEach(sink));
}

/** What a process of its own that runs `words` prints last: JSON. */
function measured(words) {
  const output = execFileSync(process.execPath, ["--import", atEnd, ...words], {
    encoding: "utf8",
    maxBuffer: 1 << 24,
  });
  return JSON.parse(output.trimEnd().split("\n").at(-1));
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function report(what, bytes, runs) {
  const [seconds, peak, cpu] = ["seconds", "peak", "cpu"].map((key) => median(runs.map((run) => run[key])));
  const rate = (time) => (bytes / 1e6 / time).toFixed(0);
  console.log(
    `${what.padEnd(36)} ${seconds.toFixed(3)} s  ${rate(seconds)} MB/s  ${rate(cpu)} MB/s of CPU time  ` +
      `peak ${(peak / 1e6).toFixed(0)} MB, ${(peak / bytes).toFixed(2)} times the file`,
  );
}

/** What a process says about itself when it ends; its peak is what Linux kept since it began. */
const atEnd = `data:text/javascript,
  import { readFileSync } from "node:fs";
  process.on("exit", () => {
    const { user, system } = process.cpuUsage();
    const peak = Number(/VmHWM:\\s+(\\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
    console.log(JSON.stringify({ seconds: performance.now() / 1e3, cpu: (user + system) / 1e6, peak, ...globalThis.loading }));
  });`;

const self = fileURLToPath(import.meta.url);
const load = process.argv.indexOf("--load");
if (load > 0) {
  const { openModel } = await from("model-files/index.js");
  const { nodeFiles } = await from("node/index.js");
  const [start, before] = [performance.now(), process.cpuUsage()];
  openModel(nodeFiles(), process.argv[load + 1]);
  const { user, system } = process.cpuUsage(before);
  globalThis.loading = { seconds: (performance.now() - start) / 1e3, cpu: (user + system) / 1e6 };
} else {
  const at = process.argv.indexOf("--rounds");
  const rounds = at < 0 ? 5 : Number(process.argv[at + 1]);
  const folder = mkdtempSync(join(tmpdir(), "cntkts-load-"));
  const [model, library] = ["model.dnn", "library.model"].map((name) => join(folder, name));
  try {
    await writeModel(model);
    writeLibraryModel(library);
    const rows = [
      ["a model of the cntk program", model, [self, "--load", model]],
      ["a model of CNTK's library", library, [self, "--load", library]],
      ["cntkts print-nodes, the process", model, [join(root, "dist/cli.js"), "print-nodes", model]],
    ];
    const runs = rows.map(() => []);
    for (let round = 0; round < rounds; round++)
      rows.forEach(([, , words], index) => runs[index].push(measured(words)));
    rows.forEach(([what, file], index) => report(what, statSync(file).size, runs[index]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
