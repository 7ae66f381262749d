import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Crew, SharedCode, Team } from "../backends/wasm/team.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { CrewMessage } from "./compute-helper.js";
import type { SupervisorData } from "./compute-supervisor.js";
import { type Job, JobBoard, pieceOf } from "./job-board.js";

type PieceWork = Parameters<Crew["run"]>[3];

/**
 * This thread and helpers that take pieces of its phases. The helpers come up with the first phase that has several pieces, sleep
 * between phases, and end with the last executable.
 */
export class ComputeTeam implements Team {
  private helpers: Helpers | undefined;
  private readonly codes = new Map<number, SharedCode>();
  private crews = 0;

  constructor(
    readonly size: number,
    /** The module of the thread that starts the helpers. */
    private readonly entry = new URL("./compute-supervisor.js", import.meta.url),
  ) {}

  enlist(code: SharedCode): Crew {
    const crew = this.crews++;
    this.codes.set(crew, code);
    this.helpers?.tell({ crew, code });
    return {
      run: (phase, total, size, own) => this.run({ crew, phase, total, size }, own),
      dismiss: () => this.dismiss(crew),
    };
  }

  /** Ends the helpers; the next phase starts others. */
  end(): void {
    this.helpers?.end(0);
    this.helpers = undefined;
  }

  /** Starts the helpers, if they are not there, and waits until they are. */
  ready(): Promise<void> {
    this.helpers ??= this.started();
    return this.helpers.ready;
  }

  /** Ends the helpers in so many milliseconds, also in the middle of a phase, which then fails. */
  interrupt(delay: number): void {
    this.helpers?.end(delay);
  }

  private run(job: Job, own: PieceWork): void {
    this.helpers ??= this.size > 1 ? this.started() : undefined;
    if (this.helpers) this.share(this.helpers, job, own);
    else for (let left = Math.ceil(job.total / job.size); left > 0; left--) work(job, left, own);
  }

  private share(helpers: Helpers, job: Job, own: PieceWork): void {
    try {
      helpers.share(job, own);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  private started(): Helpers {
    const helpers = new Helpers(this.size - 1, this.entry);
    for (const [crew, code] of this.codes) helpers.tell({ crew, code });
    return helpers;
  }

  private dismiss(crew: number): void {
    this.codes.delete(crew);
    if (this.codes.size === 0) this.end();
    else this.helpers?.tell({ crew });
  }
}

/** The other threads, and what they are told. */
class Helpers {
  private readonly board: JobBoard;
  private readonly ports: readonly MessagePort[];
  private readonly supervisor: Worker;
  readonly ready: Promise<void>;

  constructor(count: number, entry: URL) {
    this.board = JobBoard.withHelpers(count);
    const channels = Array.from({ length: count }, () => new MessageChannel());
    this.ports = channels.map(({ port1 }) => port1);
    const ports = channels.map(({ port2 }) => port2);
    const data: SupervisorData = { board: this.board.memory, ports };
    this.supervisor = new Worker(entry, { workerData: data, transferList: ports });
    this.ready = new Promise((resolve, reject) => {
      this.supervisor.once("message", () => resolve());
      this.supervisor.on("error", reject);
    });
    // Where they do not come up, the work is done without them.
    this.ready.catch(() => undefined);
    // A run that has ended waits for nobody.
    for (const { port1 } of channels) port1.unref();
    this.supervisor.unref();
  }

  tell(message: CrewMessage): void {
    for (const port of this.ports) port.postMessage(message);
    this.board.sent();
  }

  share(job: Job, own: PieceWork): void {
    const { board } = this;
    board.publish(job);
    const pieces = Math.ceil(job.total / job.size);
    let failure: { readonly error: unknown } | undefined;
    for (let left = board.take(); left > 0; left = board.take()) {
      try {
        if (!failure) work(job, left, own);
      } catch (error) {
        failure = { error };
      }
      board.finish();
    }
    const isWhole = board.finished(pieces);
    if (failure) throw failure.error;
    if (board.hasFailed) throw new Error(`a thread could not do its part: ${this.reason()}`);
    if (!isWhole) throw lostThread();
  }

  end(delay: number): void {
    this.supervisor.postMessage(delay);
  }

  private reason(): string {
    const messages = this.ports.map((port) => receiveMessageOnPort(port)?.message as string | undefined);
    return messages.find((message) => message !== undefined) ?? "for an unknown reason";
  }
}

function work(job: Job, left: number, own: PieceWork): void {
  const { first, count, index } = pieceOf(job, left);
  own(first, count, index, 0);
}

function lostThread(): CntkError {
  return new CntkError({
    code: "thread-lost",
    message: "A thread that was computing a part of the minibatch has ended.",
    hint: "what was saved last stands; numCPUThreads=1 computes without other threads",
  });
}
