import type { ChunkWindow } from "../../numerics/block-shuffle.js";
import type { Budget, Share } from "./sequence-order.js";
import type { SweepWindow } from "./sweep-window.js";

/** An epoch as it begins: samples count from the start of the training. */
export interface EpochBegin {
  /** 0-based. */
  readonly epoch: number;
  readonly start: number;
  readonly size: number;
  /** Where the first sequence at or behind the start lies. */
  readonly first: number;
  readonly share: Share;
}

/** Chunks that a request needs: a range of positions in the order of the sweep, and which of them are this worker's. */
export interface ChunkRange extends ChunkWindow {
  /** Chunk of the data at each position. */
  readonly order: ArrayLike<number>;
  readonly isOwn: (position: number) => boolean;
}

/**
 * What CNTK's randomizer tells of its work at `verbosity` 1 (sweeps, windows, epochs), 2 (chunks that are loaded) and 3
 * (requests, chunks that are loaded ahead). Source: Source/Readers/ReaderLib/BlockRandomizer.cpp, SequenceRandomizer.cpp.
 */
export class RandomizationReport {
  /** Chunks in memory. */
  private held: ReadonlySet<number> = new Set();
  /** The chunk that was last loaded ahead, and whether it was not taken yet. */
  private ahead = { chunk: -1, isWaiting: false };

  constructor(
    private readonly verbosity: number,
    private readonly write: (text: string) => void,
  ) {}

  newSweep(sweep: number): void {
    this.tell(1, `BlockRandomizer::PrepareNewSweepIfNeeded: re-randomizing for sweep ${sweep}`);
  }

  epochBegins({ epoch, start, size, first, share }: EpochBegin): void {
    this.tell(
      1,
      `BlockRandomizer::StartEpoch: epoch ${epoch + 1}: samples [${start}..${start + size}] ` +
        `(first sequence at sample ${first}), worker rank ${share.rank}, total workers ${share.workers}`,
    );
  }

  /** Another chunk is mixed; `cursor` is the position of the chunk at hand. */
  mixed(window: SweepWindow, cursor: number): void {
    this.tellOfWindow("RandomizeNextChunkIfNeeded(): ", window, cursor);
  }

  released(count: number, window: SweepWindow, cursor: number): void {
    this.tellOfWindow(`ReleaseChunks(): released ${count} chunks, now `, window, cursor);
  }

  private tellOfWindow(event: string, { begin, end, mixedEnd, mixing }: SweepWindow, cursor: number): void {
    this.tellOfSequences(
      `${event}chunk window [${begin}..${end}), cursor ${cursor}, ` +
        `randomized window [${begin}..${mixedEnd}), randomization cursor ${mixing}`,
    );
  }

  /** An epoch begins at a sample of a sweep. */
  seeks(sample: number, sweep: number): void {
    this.tellOfSequences(`Seek(): seeking offset ${sample} in sweep ${sweep}`);
  }

  startsOver(): void {
    this.tellOfSequences("Seek(): starting over ");
  }

  findsInWindow(): void {
    this.tellOfSequences("Seek(): offset is within randomized window");
  }

  advances(from: number, to: number): void {
    this.tellOfSequences(`Seek(): advancing cursor from ${from} to ${to}`);
  }

  /** A request for samples was met by `count` sequences of a sweep. */
  requestMet(count: number, { local, global }: Budget, sweep: number): void {
    this.tell(
      3,
      `BlockRandomizer::GetNextSequenceDescriptions(): getting ${count} sequences for ${local}/${global} ` +
        `requested local/global samples in sweep ${sweep}`,
    );
  }

  /** These chunks are in memory now, and no others. */
  chunksLoaded(range: ChunkRange): void {
    const { begin, end, order, isOwn } = range;
    const held = new Set<number>();
    let count = this.held.size;
    for (let position = begin; position < end; position++) {
      if (!isOwn(position)) continue;
      const chunk = order[position] ?? 0;
      held.add(chunk);
      if (!this.held.has(chunk)) this.tellOfChunk(position, chunk, ++count);
    }
    this.held = held;
    this.tell(
      1,
      `BlockRandomizer::RetrieveDataChunks: ${held.size} chunks paged-in from chunk window [${begin}..${end - 1}]`,
    );
  }

  private tellOfChunk(position: number, chunk: number, count: number): void {
    const wasAhead = chunk === this.ahead.chunk && this.ahead.isWaiting;
    if (wasAhead) this.ahead.isWaiting = false;
    this.tell(
      2,
      `BlockRandomizer::RetrieveDataChunks: paged in ${wasAhead ? "prefetched" : "randomized"} chunk ${position} ` +
        `(original chunk: ${chunk}), now ${count} chunks in memory`,
    );
  }

  /** The chunk behind a range is loaded ahead, once. */
  loadsAhead({ end, order, isOwn }: ChunkRange): void {
    let position = end;
    while (position < order.length && (!isOwn(position) || this.held.has(order[position] ?? 0))) position++;
    const chunk = order[position];
    if (chunk === undefined || chunk === this.ahead.chunk) return;
    this.ahead = { chunk, isWaiting: true };
    this.tell(3, `BlockRandomizer::Prefetch: prefetching original chunk: ${chunk}`);
  }

  /** SequenceRandomizer has no levels. */
  private tellOfSequences(text: string): void {
    if (this.verbosity !== 0) this.write(`SequenceRandomizer::${text}\n`);
  }

  private tell(level: number, text: string): void {
    if (this.verbosity >= level) this.write(`${text}\n`);
  }
}
