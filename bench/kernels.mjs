// Where the time of a training step goes: time and rate of each kind of kernel and shape. Not part of the tests.
//   node bench/kernels.mjs STEPS configFile=… [key=value …]
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const from = (path) => import(join(root, "dist/src", path));
const [wanted, ...words] = process.argv.slice(2);

const { importFunc, call, drop, f64 } = await import("wasmati");
const { wasmKernels } = await from("backends/wasm/kernels/index.js");
const { javascriptKernels } = await from("backends/javascript/kernels.js");
const { define } = await from("backends/wasm/emit/function.js");
const { unaryFunctions } = await from("primitives/scalar-functions.js");
const { signatures } = await from("primitives/signatures.js");
const { HostExecutable } = await from("backends/host/executable.js");

/** Time spent and number of turns, by what was computed. */
const spent = new Map();
let since = 0;
const labels = [];
let recording = false;
// A function of the module's own table of functions: it is called before and after each kernel.
unaryFunctions.mark = (index) => {
  const now = performance.now();
  if (index >= 0 && recording) {
    const known = spent.get(labels[index]) ?? { ms: 0, turns: 0 };
    known.ms += now - since;
    known.turns++;
    spent.set(labels[index], known);
  }
  since = performance.now();
  return 0;
};
const mark = {
  ...importFunc({ in: [{ kind: "f64" }], out: [{ kind: "f64" }] }, () => 0),
  module: "mathematics",
  string: "mark",
};

const operand = ({ dims, axis, storage }) =>
  `[${dims.join("x")}${axis === null ? "" : " *"}]${storage === "dense" ? "" : storage}`;
function labelOf({ kind, reads, writes, parameters }, where) {
  const text = signatures[kind].text(
    parameters,
    reads.map((_, i) => "abcdefghijklmnopqrstuvwxyz"[i % 26]),
  );
  return `${where} ${kind.replace("convolution", "conv")} ${operand(writes)} ← ${reads.map(operand).join(" ")} ${text.slice(0, 60)}`;
}
function marking(context, index) {
  const routine = context.routine(`mark ${index}`, () =>
    define([], [], () => {
      f64.const(index);
      call(mark);
      drop();
    }),
  );
  return { routine, arguments: [] };
}
for (const [kind, compile] of Object.entries(wasmKernels)) {
  wasmKernels[kind] = (instruction, context) => {
    const calls = compile(instruction, context);
    if (!calls) return undefined;
    const index = labels.push(labelOf(instruction, "    ")) - 1;
    return [marking(context, -1), ...calls, marking(context, index)];
  };
}
for (const [kind, compile] of Object.entries(javascriptKernels)) {
  javascriptKernels[kind] = (instruction, context) => {
    const kernel = compile(instruction, context);
    const index = labels.push(labelOf(instruction, "host")) - 1;
    return (run) => {
      unaryFunctions.mark(-1);
      kernel(run);
      unaryFunctions.mark(index);
    };
  };
}

const run = HostExecutable.prototype.run;
let minibatches = 0;
HostExecutable.prototype.run = async function (entry, minibatch, scalars) {
  if (entry === "gradients") minibatches++;
  if (minibatches < 3) {
    this.last = [minibatch, scalars];
    return run.call(this, entry, minibatch, scalars);
  }
  if (entry === "update") process.exit(0);
  const steps = Number(wanted);
  recording = true;
  const before = process.cpuUsage();
  for (let i = 0; i < steps; i++) await run.call(this, entry, minibatch, scalars);
  const { user } = process.cpuUsage(before);
  report(steps, user / 1000);
  process.exit(0);
};

function report(steps, cpu) {
  const rows = [...spent].sort(([, a], [, b]) => b.ms - a.ms);
  const total = rows.reduce((sum, [, { ms }]) => sum + ms, 0);
  console.log(`${(total / steps).toFixed(2)} ms a step, ${(cpu / steps).toFixed(2)} ms of CPU time`);
  for (const [label, { ms, turns }] of rows.slice(0, 45)) {
    const share = ((100 * ms) / total).toFixed(1).padStart(5);
    console.log(
      `${share} % ${(ms / steps).toFixed(3).padStart(9)} ms ${String(turns / steps).padStart(4)}x ${label}`,
    );
  }
}

process.argv = [process.argv[0], join(root, "dist/cli.js"), ...words, "--backend", "wasm"];
await import(join(root, "dist/cli.js"));
