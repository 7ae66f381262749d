import type { LogFile } from "../files/file-access.js";
import type { LogSink } from "./log.js";

/**
 * A log in a file that cannot stop a run: work must not be lost because nobody can read about it. What is written after
 * the first failure is dropped; the failure is kept for whoever ends the run.
 */
export class PatientLog implements LogSink {
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly file: LogFile) {}

  write(text: string): void {
    if (this.failure) return;
    try {
      this.file.write(text);
    } catch (error) {
      this.failure = { error };
    }
  }

  /** Throws what stopped the log, if anything did. */
  rethrow(): void {
    if (this.failure) throw this.failure.error;
  }

  close(): void {
    this.file.close();
  }
}
