// Where the time of a training step goes: median time of each kind of kernel and shape on one thread, GFLOP/s of products and
// convolutions (counted as written, whatever the kernel does), and what the machine manages in registers. Not part of the tests.
//   node bench/kernels.mjs STEPS configFile=… [key=value …]
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const from = (path) => import(join(root, "dist/src", path));
const [wanted, ...words] = process.argv.slice(2);

const { importFunc, call, drop, f64, local, Module } = await import("wasmati");
const { wasmKernels } = await from("backends/wasm/kernels/index.js");
const { javascriptKernels } = await from("backends/javascript/kernels.js");
const { define, variable } = await from("backends/wasm/emit/function.js");
const { fusedFloats, lanesOf } = await from("backends/wasm/emit/lanes.js");
const { repeat } = await from("backends/wasm/emit/loops.js");
const { canFuse } = await from("backends/wasm/emit/engine.js");
const { unaryFunctions } = await from("primitives/scalar-functions.js");
const { signatures } = await from("primitives/signatures.js");
const { HostExecutable } = await from("backends/host/executable.js");

/** By what was computed: of each instruction the times that it took, in milliseconds. */
const spent = new Map();
let since = 0;
const labels = [];
const work = new Map();
let recording = false;
// A function of the module's own table of functions: it is called before and after each kernel.
unaryFunctions.mark = (index) => {
  const now = performance.now();
  if (index >= 0 && recording) {
    let times = spent.get(labels[index]);
    if (!times) spent.set(labels[index], (times = new Map()));
    if (!times.has(index)) times.set(index, []);
    times.get(index).push(now - since);
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
    work.set(labels[index], workOf(instruction));
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

/** Multiplications and additions of one column (or of all, without a dynamic axis). */
function workOf({ kind, reads, writes, parameters }) {
  const product = (numbers) => numbers.reduce((all, x) => all * x, 1);
  if (kind.startsWith("convolution")) {
    const { output, kernel } = parameters.geometry;
    return 2 * product([...output, ...kernel]);
  }
  if (kind !== "matmul") return 0;
  return 2 * Math.sqrt([...reads, writes].reduce((all, { dims }) => all * product(dims), 1));
}

/** GFLOP/s of sums of products that stay in registers. */
function peak(lanes) {
  const [sums, turns] = [10, 1e6];
  const routine = define([], [], () => {
    const totals = Array.from({ length: sums }, (_, i) => variable("v128", lanes.constant(i)));
    const [x, y] = [variable("v128", lanes.constant(0.999)), variable("v128", lanes.constant(0.5))];
    repeat(variable("i32", turns), () => {
      for (const total of totals) local.set(total, lanes.multiplyAdd(total, x, y));
    });
    for (const total of totals) lanes.whole.store(variable("i32", 0), 0, () => local.get(total));
  });
  const bytes = Module({ exports: { run: routine }, memory: { min: 1 } }).toBytes();
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  let best = 0;
  for (let i = 0; i < 20; i++) {
    const before = performance.now();
    instance.exports.run();
    best = Math.max(best, (2 * sums * 4 * turns) / (performance.now() - before) / 1e6);
  }
  return best;
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
  const columns = [...minibatch.layouts.values()][0];
  report(steps, user / 1000, columns ? columns.rows * columns.steps : 1);
  process.exit(0);
};

/**
 * What instructions take of a step: of each the median, times how often a step carries it out (piece by piece, frame by frame). Where
 * another process interrupted the step, single times are large; the median does not see them.
 */
function stepTime(times, steps) {
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  return [...times.values()].reduce((sum, each) => sum + (median(each) * each.length) / steps, 0);
}

function report(steps, cpu, columns) {
  const peaks = canFuse() ? `, rounding once ${peak(fusedFloats).toFixed(1)}` : "";
  console.log(`GFLOP/s in registers: ${peak(lanesOf.float).toFixed(1)}${peaks}`);
  const rows = [...spent]
    .map(([label, times]) => [label, stepTime(times, steps), times.size])
    .sort(([, a], [, b]) => b - a);
  const total = rows.reduce((sum, [, ms]) => sum + ms, 0);
  console.log(`${total.toFixed(2)} ms a step, ${(cpu / steps).toFixed(2)} ms of CPU time with the marks`);
  for (const [label, ms, instructions] of rows.slice(0, 45)) {
    const share = ((100 * ms) / total).toFixed(1).padStart(5);
    const rate = ((work.get(label) ?? 0) * instructions * columns) / ms / 1e6;
    const times = `${instructions}x`.padStart(4);
    console.log(
      `${share} % ${ms.toFixed(3).padStart(9)} ms ${(rate > 0 ? rate.toFixed(1) : "").padStart(6)} ${times} ${label}`,
    );
  }
}

process.argv = [process.argv[0], join(root, "dist/cli.js"), ...words, "--backend", "wasm"];
await import(join(root, "dist/src/cli/main.js"));
