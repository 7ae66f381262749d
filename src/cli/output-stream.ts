import type { Terminal } from "./progress-bar.js";

/** The parts of a process's stream that are used here. */
interface Stream {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * Standard output or standard error, which may be closed, full or gone: writing never throws and never ends the
 * process. After the first failure nothing more is written, whoever wrote goes on with his work, and `finish` tells.
 */
export class OutputStream implements Terminal {
  private failure: Error | undefined;
  private pending = 0;
  private whenDone: (() => void) | undefined;

  constructor(private readonly stream: Stream) {
    stream.on("error", (error) => this.fail(error));
  }

  get isTTY(): boolean {
    return this.stream.isTTY === true && !this.failure;
  }

  get columns(): number | undefined {
    return this.stream.columns;
  }

  write(text: string): void {
    if (this.failure) return;
    this.pending++;
    try {
      this.stream.write(text, (error) => this.written(error));
    } catch (error) {
      // Files and devices are written to at once and complain at once.
      this.written(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /**
   * Waits until everything has been taken. Returns what stopped it; a reader that has gone (EPIPE) is no failure, since
   * `| head` means it.
   */
  async finish(): Promise<Error | undefined> {
    if (this.pending > 0) await new Promise<void>((resolve) => (this.whenDone = resolve));
    const { failure } = this;
    return failure && "code" in failure && failure.code === "EPIPE" ? undefined : failure;
  }

  private written(error?: Error | null): void {
    if (error) this.fail(error);
    this.pending--;
    if (this.pending === 0) this.whenDone?.();
  }

  private fail(error: Error): void {
    this.failure ??= error;
  }
}
