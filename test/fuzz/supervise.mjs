// Lets a thread work through seeds and watches it: CPU time per seed (not time on the wall: the machine may be busy), memory, death.
import { Worker } from "node:worker_threads";

/** CPU seconds within which every seed must end. */
const timeLimit = 5;
/** Bytes of resident memory that no seed may need. */
const memoryLimit = 1.5 * 2 ** 30;

/** CPU seconds of this process, all threads: this one only waits. */
function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Runs `count` seeds from `first` on; prints what did not end, died, grew or failed with anything but a CntkError, and how often
 * which outcome came. The thread (`script`, given `workerData`) answers `{ ready: true }` once and then each seed with
 * `{ outcome, stack? }`. True if nothing was wrong.
 */
export async function supervise(script, workerData, { count, first, describe }) {
  const outcomes = new Map();
  const slow = [];
  const large = [];
  let largest = 0;
  const note = (outcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  /** How often each defect came; the first ones of its kind are shown. */
  const defects = new Map();
  const tell = (stack) => {
    const kind = stack.replace(/\d+/g, "0");
    defects.set(kind, (defects.get(kind) ?? 0) + 1);
    if (defects.get(kind) <= 3) console.log(`seed ${seed} (${describe(seed)}): ${stack}`);
  };
  let seed = first - 1;
  let worker;
  let begun = 0;
  let isBusy = false;
  await new Promise((finished) => {
    const next = () => {
      const done = ++seed - first;
      if (done > 0 && done % 10_000 === 0) console.log(`${done} ended`);
      if (done >= count) {
        clearInterval(watch);
        finished(worker.terminate());
        return;
      }
      begun = cpuSeconds();
      isBusy = true;
      worker.postMessage(seed);
    };
    const replace = (why, outcome) => {
      console.log(`seed ${seed} (${describe(seed)}): ${why}`);
      note(outcome);
      isBusy = false;
      const old = worker;
      old.removeAllListeners();
      void old.terminate().then(start);
    };
    const start = () => {
      worker = new Worker(script, { workerData, resourceLimits: { maxOldGenerationSizeMb: 1500 } });
      worker.on("message", ({ ready, outcome, stack }) => {
        if (!ready) {
          isBusy = false;
          note(outcome);
          const taken = cpuSeconds() - begun;
          if (taken > 1) slow.push(`${seed}: ${taken.toFixed(1)} s`);
          if (stack) tell(stack);
          const { rss } = process.memoryUsage();
          if (rss > memoryLimit && rss > largest + 2 ** 27)
            large.push(`${seed}: ${Math.round(rss / 2 ** 20)} MB`);
          largest = Math.max(largest, rss);
        }
        next();
      });
      worker.on("error", (error) => replace(`the thread died: ${error}`, "DIED"));
    };
    const watch = setInterval(() => {
      if (isBusy && cpuSeconds() - begun > timeLimit) {
        replace(`not ended after ${timeLimit} s of CPU time`, "HANGS");
      }
    }, 250);
    start();
  });
  console.log(Object.fromEntries([...outcomes].sort((a, b) => b[1] - a[1])));
  console.log(
    `largest memory ${Math.round(largest / 2 ** 20)} MB; above the limit: ${large.join(", ") || "none"}`,
  );
  console.log(`slower than 1 s of CPU time: ${slow.join(", ") || "none"}`);
  return !["HANGS", "INTERNAL", "DIED"].some((outcome) => outcomes.has(outcome)) && large.length === 0;
}
