import type { ChunkWindow } from "../../numerics/block-shuffle.js";
import type { RandomizationReport } from "./randomization-report.js";

/**
 * The part of a sweep that CNTK's randomizer has mixed and still remembers, in positions of chunks. Here a sweep is mixed as a
 * whole; but an epoch that begins before this part is mixed anew, and the log tells of it.
 * Source: Source/Readers/ReaderLib/SequenceRandomizer.cpp.
 */
export class SweepWindow {
  /** Chunks before this one are forgotten. */
  begin = 0;
  /** Chunks up to this one have taken part. */
  end = 0;
  /** The sequences of chunks up to this one are final. */
  mixedEnd = 0;
  /** The sequences of chunks up to this one have been put somewhere. */
  mixing = 0;

  constructor(
    private readonly windows: readonly ChunkWindow[],
    private readonly report: RandomizationReport,
  ) {
    this.grow(0);
  }

  /** The chunk at hand is now the one at `cursor`; behind the last one, at the end. */
  moveTo(cursor: number): void {
    this.grow(cursor);
    this.release(cursor);
  }

  private grow(cursor: number): void {
    const { windows } = this;
    if (cursor < this.mixedEnd || this.mixedEnd >= windows.length) return;
    let next = windows[this.mixedEnd]?.end ?? 0;
    while (next < windows.length && (windows[next]?.begin ?? 0) <= this.mixedEnd) next++;
    this.end = windows[next - 1]?.end ?? 0;
    this.mixing = next;
    this.mixedEnd++;
    this.report.mixed(this, cursor);
  }

  private release(cursor: number): void {
    const current = this.windows[Math.min(cursor, this.windows.length - 1)]?.begin ?? 0;
    const before = this.begin;
    while (this.begin < current && (this.windows[this.begin]?.end ?? 0) <= cursor) this.begin++;
    if (this.begin > before) this.report.released(this.begin - before, this, cursor);
  }
}
