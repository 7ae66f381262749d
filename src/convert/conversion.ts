import type { FileAccess } from "../files/file-access.js";
import type { LogSink } from "../log/log.js";

/** What every conversion needs. */
export interface Conversion {
  readonly files: FileAccess;
  /** Where warnings about the data go. */
  readonly log: LogSink;
  readonly source: string;
  readonly target: string;
  /** How much is done, from 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

export interface Converted {
  /** Absolute path of what was written. */
  readonly path: string;
  /** Sequences, or lines where there are no sequences. */
  readonly sequences: number;
}
