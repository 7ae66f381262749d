// A thread that starts the helpers and tells the board when one ends: whoever waits for a helper's piece cannot hear of it.
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from "node:worker_threads";
import type { HelperData } from "./compute-helper.js";
import { JobBoard } from "./job-board.js";

export interface SupervisorData {
  readonly board: SharedArrayBuffer;
  readonly ports: readonly MessagePort[];
}

function supervise({ board: memory, ports }: SupervisorData): void {
  const board = new JobBoard(memory);
  const entry = new URL("./compute-helper.js", import.meta.url);
  const workers = ports.map((port, helper) => {
    const data: HelperData = { board: memory, port, helper };
    const worker = new Worker(entry, { workerData: data, transferList: [port] });
    // "exit" follows; a helper that does not come up is none, and the work is done without it.
    worker.on("error", () => undefined);
    worker.on("exit", () => board.lose(helper));
    return worker;
  });
  let ready = 0;
  for (const worker of workers) {
    worker.once("message", () => {
      if (++ready === workers.length) parentPort?.postMessage("ready");
    });
  }
  // A message says in how many milliseconds the helpers end, whatever they do.
  parentPort?.once("message", (delay: number) => {
    setTimeout(() => {
      for (const worker of workers) void worker.terminate();
    }, delay);
  });
}

if (!isMainThread) supervise(workerData as SupervisorData);
