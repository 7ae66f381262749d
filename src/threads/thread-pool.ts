import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

interface Task<Request, Reply> {
  readonly request: Request;
  readonly finish: (reply: Reply | undefined) => void;
}

/**
 * What such threads make lives for a request or for a moment: with more room for the moment (megabytes) they would only leave more
 * lying about.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 3 };

/** Threads beyond these would wait for the disk or for each other's memory. */
const mostThreads = 4;

/**
 * Runs requests on threads of its own, as many at a time as the machine has cores, in the order in which they were made. A
 * thread is started when there is work for it and ends when there is none, so that none outlives a run.
 */
export class ThreadPool<Request, Reply> {
  private readonly waiting: Task<Request, Reply>[] = [];
  /** How many run at a time. */
  readonly threads: number;
  private running = 0;

  constructor(
    /** The module that a thread runs: it answers every message by one message. */
    private readonly entry: URL,
    threads = availableParallelism(),
  ) {
    this.threads = Math.min(threads, mostThreads);
  }

  /** The reply; undefined when the thread could not be started or broke down, and the caller has to do the work. */
  run(request: Request): Promise<Reply | undefined> {
    return new Promise((finish) => {
      this.waiting.push({ request, finish });
      if (this.running < this.threads) this.startThread();
    });
  }

  private startThread(): void {
    this.running++;
    const worker = new Worker(this.entry, { resourceLimits });
    let task: Task<Request, Reply> | undefined;
    const give = (): void => {
      task = this.waiting.shift();
      if (task === undefined) void worker.terminate();
      else worker.postMessage(task.request);
    };
    worker.on("message", (reply: Reply) => {
      task?.finish(reply);
      give();
    });
    // What went wrong shows when the caller does the work itself; "exit" follows.
    worker.on("error", () => undefined);
    worker.on("exit", () => {
      this.running--;
      task?.finish(undefined);
      // Without a thread nobody would come for these.
      if (this.running === 0) for (const left of this.waiting.splice(0)) left.finish(undefined);
    });
    give();
  }
}
