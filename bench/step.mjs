// CPU time of a training step, apart from reader and log: runs a configuration, and when its training has gone through a few
// minibatches carries out the next one again and again. Not part of the tests.
//   node bench/step.mjs SECONDS configFile=… [key=value …] [--backend NAME]
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [seconds, ...words] = process.argv.slice(2);
const { HostExecutable } = await import(join(root, "dist/src/backends/host/executable.js"));

const run = HostExecutable.prototype.run;
let minibatches = 0;
HostExecutable.prototype.run = async function (entry, minibatch, scalars) {
  if (entry === "gradients") minibatches++;
  if (entry !== "update" || minibatches < 5) {
    if (entry === "gradients") this.last = [minibatch, scalars];
    return run.call(this, entry, minibatch, scalars);
  }
  const [fed, given] = this.last;
  const samples = [...fed.layouts.values()][0]?.sequences.reduce((sum, { length }) => sum + length, 0) ?? 1;
  const spent = { gradients: 0, update: 0 };
  const timed = async (name, ...rest) => {
    const before = process.cpuUsage();
    await run.call(this, name, ...rest);
    const { user, system } = process.cpuUsage(before);
    spent[name] += (user + system) / 1e6;
  };
  const end = process.hrtime.bigint() + BigInt(Math.round(Number(seconds) * 1e9));
  // The engine makes code faster while it runs; what comes before is left out.
  let steps = 0;
  for (let warm = process.hrtime.bigint() + BigInt(1e9); process.hrtime.bigint() < end + BigInt(1e9);) {
    if (process.hrtime.bigint() < warm) {
      await run.call(this, "gradients", fed, given);
      await run.call(this, "update", minibatch, scalars);
      continue;
    }
    await timed("gradients", fed, given);
    await timed("update", minibatch, scalars);
    steps++;
  }
  const total = spent.gradients + spent.update;
  console.log(
    `${((samples * steps) / total).toFixed(0)} samples/s of CPU time, ${samples} a step: gradients ${((spent.gradients / steps) * 1e3).toFixed(3)} ms, update ${((spent.update / steps) * 1e3).toFixed(3)} ms`,
  );
  process.exit(0);
};

process.argv = [process.argv[0], join(root, "dist/cli.js"), ...words];
await import(join(root, "dist/src/cli/main.js"));
