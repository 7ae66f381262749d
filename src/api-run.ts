import type { FileAccess } from "./files/file-access.js";
import type { ProcessGroup } from "./communication/index.js";
import type { ExplainStage } from "./choices.js";
import type { LogSink } from "./log/log.js";
import { nodeFiles, readLibrarySources } from "./node/index.js";
import { mpiProcesses } from "./node/mpi.js";
import {
  allowRelaxedVectors,
  cores,
  hostName,
  nodeVersion,
  packageVersion,
  processesHere,
  standardError,
  standardOutput,
} from "./node/platform.js";
import { type RunResult, runConfiguration } from "./run/run.js";
import type { ProgressListener, SessionStart } from "./session.js";
import { computeTeam, pictureDecoder, readerThreads } from "./threads/index.js";

/*
 * What programs can do with configurations. It stands apart from what they can do with models (api.ts), so that whoever runs or
 * checks a configuration loads nothing else.
 */

export { printSummary } from "./run/run.js";

/** Version of cntkts. */
export const version: string = packageVersion();

export interface RunOptions {
  /** Folder that relative paths count from; default: the process's. `currentDirectory=` moves on from there. */
  readonly directory?: string;
  /** Files other than the machine's own, e.g. in memory. */
  readonly files?: FileAccess;
  /** Takes the log; default: standard error, as CNTK. */
  readonly log?: LogSink;
  /** Takes what goes to standard output (`stderr=-`, `outputPath=-`); default: standard output. */
  readonly output?: LogSink;
  /** `reference`, `tfjs`, …; default: the best for the precision. */
  readonly backend?: string;
  /** Stops a training after the minibatch; the last epoch's checkpoint stands. */
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
  /** Told when `stderr=FILE` has moved the log. */
  readonly onRedirect?: (path: string) => void;
  /** The processes that train together; default: those that mpiexec has started. */
  readonly processes?: ProcessGroup;
}

// Before anything is compiled.
allowRelaxedVectors();

function sessionStart(options: RunOptions): SessionStart {
  const { signal, onProgress, onRedirect } = options;
  // The processes of one machine share its cores.
  const threads = Math.ceil(cores() / processesHere());
  return {
    files: options.files ?? nodeFiles(options.directory),
    library: readLibrarySources(),
    errorOutput: options.log ?? standardError,
    output: options.output ?? standardOutput,
    platform: {
      version,
      host: hostName(),
      nodeVersion,
      cores: cores(),
      processesHere: processesHere(),
    },
    computeTeam,
    processes: options.processes ?? mpiProcesses(),
    backendName: options.backend,
    // Threads open the machine's own files.
    pictures: pictureDecoder(threads),
    readerThreads: options.files ? undefined : readerThreads(threads),
    signal,
    onProgress,
    onRedirect,
  };
}

/**
 * Runs a configuration as CNTK's command line does. `words` are that command line: `configFile=…`, `key=value`, sections.
 * @throws CntkError for everything that is wrong with the configuration, the data or the files; `interrupted` after an abort.
 */
export function runConfig(words: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runConfiguration(words, sessionStart(options));
}

/**
 * Goes with every command of a configuration as far as it can without reading data and writing anything: what a run would
 * refuse is refused here too.
 */
export function checkConfig(words: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runConfiguration(words, sessionStart(options), true);
}

export interface ExplainOptions extends Pick<RunOptions, "directory" | "files" | "backend"> {
  /** Command whose network is shown; default: the first training command. */
  readonly command?: string;
}

/** Text of one stage of the road from configuration to plan. */
export async function explainConfig(
  words: readonly string[],
  stage: ExplainStage,
  options: ExplainOptions = {},
): Promise<string> {
  const { explain } = await import("./run/explain.js");
  return explain(sessionStart(options), { words, stage, command: options.command });
}
