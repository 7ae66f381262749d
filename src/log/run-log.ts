import { visible } from "../diagnostics/shown-text.js";
import type { LogSink } from "./log.js";

/** The clock of a run; tests hand in a fixed one. */
export type Clock = () => Date;

const two = (n: number): string => String(n).padStart(2, "0");

/** CNTK's date form of the banner: `2017/06/21 14:03:59`. */
export function formatDate(date: Date): string {
  return `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())} ${formatTime(date)}`;
}

function formatTime(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The time prefix of `timestamping=true`: `06/21/2017 14:03:59: `. */
export function formatStamp(date: Date): string {
  return `${two(date.getMonth() + 1)}/${two(date.getDate())}/${date.getFullYear()} ${formatTime(date)}: `;
}

/**
 * The log of a run: CNTK prints some lines plainly and some with a time stamp (its LOGPRINTF).
 * A stamp stands before the text even when the text begins with a newline, as in CNTK.
 */
export class RunLog implements LogSink {
  timestamping = false;
  private sink: LogSink;
  private isLineOpen = false;

  constructor(
    sink: LogSink,
    readonly clock: Clock = () => new Date(),
  ) {
    this.sink = sink;
  }

  /** Sends everything from now on to another sink (`stderr=`). */
  redirect(sink: LogSink): void {
    this.sink = sink;
  }

  /** Plain text, never stamped; what a file put into it cannot act on a terminal. */
  write(text: string): void {
    if (!text) return;
    this.isLineOpen = !text.endsWith("\n");
    this.sink.write(visible(text));
  }

  /** What follows begins a line of its own. */
  endLine(): void {
    if (this.isLineOpen) this.write("\n");
  }

  /** One LOGPRINTF: stamped when the run asked for it. */
  stamped(text: string): void {
    this.write((this.timestamping ? formatStamp(this.clock()) : "") + text);
  }
}
