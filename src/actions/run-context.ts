import type { Backend } from "../backends/backend.js";
import type { ConfigSection } from "../config/config-section.js";
import type { Source } from "../diagnostics/source.js";
import type { FileAccess } from "../files/file-access.js";
import type { LogSink } from "../log/log.js";
import type { RunLog } from "../log/run-log.js";
import type { ModelFile } from "../model-files/index.js";
import type { SeedCounter } from "../network/seed-counter.js";
import type { ElementType } from "../numerics/values.js";
import type { AxisNames } from "../shapes/index.js";
import type { ProgressListener } from "../training/progress.js";

/** What all actions of a run share. */
export interface RunContext {
  readonly root: ConfigSection;
  readonly files: FileAccess;
  readonly log: RunLog;
  /** Standard output, for `outputPath = -` and progress tracing. */
  readonly output: LogSink;
  readonly elementType: ElementType;
  readonly traceLevel: number;
  readonly backend: Backend;
  /** The BrainScript library, in order. */
  readonly library: readonly Source[];
  /** Folders searched for BrainScript includes. */
  readonly includeDirectories: readonly string[];
  /** Seeds of random parameters: one counter for the whole run, as in CNTK's process. */
  readonly seeds: SeedCounter;
  /** Names of dynamic axes: one counter each for the whole run. */
  readonly axisNames: AxisNames;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
  /** `check` only: untrained models by absolute path, instead of files. */
  readonly untrained?: Map<string, ModelFile>;
}

/** One command of a run: its section of the configuration and its name. */
export interface CommandContext extends RunContext {
  readonly name: string;
  readonly section: ConfigSection;
}
