import type { Backend } from "./backends/backend.js";
import type { Team } from "./backends/wasm/team.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import type { Communicator, ProcessGroup } from "./communication/index.js";
import type { LibrarySource } from "./library/index.js";
import type { FileAccess } from "./files/file-access.js";
import type { LogSink } from "./log/log.js";
import type { Clock, RunLog } from "./log/run-log.js";
import type { ModelFile } from "./model-files/index.js";
import type { ShapedNetwork } from "./network/network.js";
import type { SeedCounter } from "./network/seed-counter.js";
import type { ElementType } from "./numerics/values.js";
import type { PictureDecoder, ReaderThreads } from "./readers/index.js";
import type { AxisNames } from "./shapes/index.js";

/** How far a long piece of work has come; for progress bars, never for the log. */
export interface Progress {
  readonly phase: "train" | "test" | "write" | "mnist";
  /** 1-based, of a training. */
  readonly epoch?: number;
  readonly epochs?: number;
  /** Samples done in this epoch or pass. */
  readonly samples: number;
  /** Samples of the epoch or pass, where known. */
  readonly totalSamples?: number;
  /** Seconds since the epoch or pass began. */
  readonly seconds: number;
}

export type ProgressListener = (progress: Progress) => void;

/** CNTK's number of the CPU, the only device that backends of this version use. */
export const cpuDevice = -1;

/** The machine and the program, for the log's first lines. */
export interface Platform {
  readonly version: string;
  readonly host: string;
  readonly nodeVersion: string;
  /** Cores of the machine, and how many processes of this run share them; absent: one core, one process. */
  readonly cores?: number;
  readonly processesHere?: number;
}

/** What a session is begun with: everything that no configuration decides. */
export interface SessionStart {
  readonly files: FileAccess;
  /** The BrainScript library, in order. */
  readonly library: readonly LibrarySource[];
  /** Where the log begins; CNTK logs to standard error, and `stderr=FILE` moves the log elsewhere. */
  readonly errorOutput: LogSink;
  /** Standard output, for `outputPath = -` and `stderr = -`. */
  readonly output: LogSink;
  readonly platform: Platform;
  readonly clock?: Clock;
  /** `--backend NAME`; absent = the best for the precision. */
  readonly backendName?: string;
  /** The processes that a launcher has started; absent = this one alone. */
  readonly processes?: ProcessGroup;
  /** Decodes pictures for readers of images. */
  readonly pictures?: PictureDecoder;
  /** So many threads to compute with; absent = this one computes. */
  readonly computeTeam?: (threads: number) => Team;
  /** Threads that read data ahead; absent = this one reads. */
  readonly readerThreads?: ReaderThreads;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
  /** Called when `stderr=` has moved the log, with the file's name. */
  readonly onRedirect?: (path: string) => void;
}

/**
 * All that the commands of one configuration share, from the command line to the last room. A stage that needs only some
 * of it takes those parts as parameters.
 */
export interface Session extends Omit<SessionStart, "backendName" | "clock" | "processes" | "computeTeam"> {
  /** The files as seen from the configuration's current directory. */
  readonly files: FileAccess;
  /** Folders searched for BrainScript includes. */
  readonly includeDirectories: readonly string[];
  readonly log: RunLog;
  readonly elementType: ElementType;
  /** The configuration's; a command may have its own. */
  readonly traceLevel: number;
  /** The device that computes: `cpuDevice`. */
  readonly deviceId: number;
  /** Seeds of random parameters: one counter for the whole run, as in CNTK's process. */
  readonly seeds: SeedCounter;
  /** Names of dynamic axes: one counter each for the whole run. */
  readonly axisNames: AxisNames;
  readonly backend: Backend;
  /** The processes that train together. */
  readonly communicator: Communicator;
  /** `parallelTrain = true`, as is the default of several processes: trainings follow their ParallelTrain section. */
  readonly parallelTraining: boolean;
  /**
   * Only in a check, which writes nothing: the untrained models that earlier commands would have left, by absolute path.
   */
  readonly untrained?: Map<string, () => ModelFile>;
  /** Only in a check: what does not stop it, but should be known. */
  readonly findings?: Diagnostic[];
  /** Only in a check: the networks that were described or loaded, as they come about. */
  readonly networks?: ShapedNetwork[];
  /** In a check: networks about which CNTK says nothing are shown too, since no later command does it. */
  readonly showsNetworks?: boolean;
}
