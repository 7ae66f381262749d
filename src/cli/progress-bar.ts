import type { LogSink } from "../log/log.js";
import type { Progress } from "../session.js";

/** What the bar needs of a terminal. */
export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Redrawing more often than the eye follows would cost time and flicker. */
const minimumInterval = 100;
const barWidth = 24;
const eraseLine = "\r\u001b[2K";

/** `1:02:03` or `2:03`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const phases: Readonly<Record<Progress["phase"], string>> = {
  train: "training",
  test: "testing",
  write: "writing",
  mnist: "MNIST text files",
};

/** The one line that tells how far a long piece of work is: phase, bar, share, samples/s, time left. */
export function formatProgress(progress: Progress): string {
  const { phase, epoch, epochs, samples, totalSamples, seconds } = progress;
  const parts = [
    epoch === undefined ? phases[phase] : `epoch ${epoch}${epochs === undefined ? "" : ` of ${epochs}`}`,
  ];
  const share =
    totalSamples === undefined || totalSamples <= 0 ? undefined : Math.min(1, samples / totalSamples);
  if (share !== undefined) {
    const filled = Math.round(share * barWidth);
    parts.push(`[${"█".repeat(filled)}${"░".repeat(barWidth - filled)}]`, `${Math.floor(share * 100)}%`);
  } else {
    parts.push(`${samples} samples`);
  }
  if (seconds > 0 && samples > 0) {
    parts.push(`${Math.round(samples / seconds).toLocaleString("en-US")} samples/s`);
    if (share !== undefined)
      parts.push(`${formatSeconds((seconds / samples) * (totalSamples! - samples))} left`);
  }
  return parts.join("  ");
}

/**
 * A line at the bottom of a terminal that shows progress. Log text that goes to the same terminal passes through
 * `above`, which takes the bar away first; so the bar stays below the log and never gets into it. On anything but a
 * terminal it does nothing at all.
 */
export class ProgressBar {
  private shown = "";
  private last: Progress | undefined;
  private drawnAt = -Infinity;
  /** The cursor stands behind unfinished log text: a bar would tear the line apart. */
  private midLine = false;

  constructor(
    private readonly terminal: Terminal,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get active(): boolean {
    return this.terminal.isTTY === true;
  }

  readonly update = (progress: Progress): void => {
    if (!this.active) return;
    this.last = progress;
    const finished = progress.totalSamples !== undefined && progress.samples >= progress.totalSamples;
    if (this.midLine || (!finished && this.now() - this.drawnAt < minimumInterval)) return;
    this.draw();
  };

  /** Takes the bar off the screen. */
  clear(): void {
    if (this.shown !== "") this.terminal.write(eraseLine);
    this.shown = "";
    this.last = undefined;
  }

  /** A sink for text on the same screen. */
  above(sink: LogSink): LogSink {
    if (!this.active) return sink;
    return {
      write: (text) => {
        if (text === "") return;
        if (this.shown !== "") this.terminal.write(eraseLine);
        this.shown = "";
        sink.write(text);
        this.midLine = !text.endsWith("\n");
      },
    };
  }

  private draw(): void {
    if (!this.last) return;
    // A full line would wrap on some terminals, and erasing takes one line only.
    const line = formatProgress(this.last).slice(0, Math.max(10, (this.terminal.columns || 80) - 1));
    this.drawnAt = this.now();
    if (line === this.shown) return;
    this.terminal.write(`${eraseLine}${line}`);
    this.shown = line;
  }
}
