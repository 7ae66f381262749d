import type { ChunkWindow } from "../numerics/block-shuffle.js";
import { chunkWindows, sampleWindows, shuffledChunks, shuffledSequences } from "../numerics/block-shuffle.js";

/** The sequences of a corpus, in file order, and how they are grouped into chunks. */
export interface Corpus {
  /** Samples of each sequence, for the sizes of minibatches. */
  readonly lengths: Int32Array;
  /** First sequence of each chunk, and at the end the number of sequences. */
  readonly firstSequences: Int32Array;
}

/** How sequences are mixed. */
export interface Randomization {
  /** Width of the window, in chunks or samples. */
  readonly window: number;
  readonly sampleBased: boolean;
  /** Added to the number of the sweep. */
  readonly seed: number;
}

/** Sequences of one minibatch. */
export interface Selection {
  /** Numbers in the file, in the order of the minibatch. */
  readonly sequences: readonly number[];
  /** Chunks that must be in memory now, in the order in which they are loaded; all others may go. */
  readonly chunks: readonly number[];
}

/** Epoch sizes from here on mean all the data: CNTK's word for it is the largest size_t, which -1 is too. */
const wholeDataSize = 2 ** 62;

/**
 * Walks through a corpus as CNTK's BlockRandomizer and NoRandomizer do: sweep after sweep, minibatches that end at the end of
 * a sweep and of an epoch, sequences taken whole.
 * Source: Source/Readers/ReaderLib/BlockRandomizer.cpp, SequenceRandomizer.cpp, NoRandomizer.cpp.
 */
export class SequenceOrder {
  /** Samples of a sweep. */
  readonly sweepSize: number;
  private readonly chunkSamples: Float64Array;
  private sweep = -1;
  private order: Int32Array;
  private windows: readonly ChunkWindow[] = [];
  private sequences: Int32Array;
  /** First position of each chunk in the order of the sweep, and its end. */
  private starts: Int32Array;
  /** First sample at each of these positions. */
  private sampleStarts: Float64Array;
  /** Position of the next sequence, and of its chunk. */
  private cursor = 0;
  private chunkCursor = 0;
  /** Chunks before this one are forgotten; going back behind it shuffles anew. */
  private windowBegin = 0;
  /** Samples since the start of the training. */
  private position = 0;
  private epochEnd = 0;

  constructor(
    private readonly corpus: Corpus,
    private readonly randomization?: Randomization,
  ) {
    const { lengths, firstSequences } = corpus;
    const chunkCount = firstSequences.length - 1;
    this.chunkSamples = new Float64Array(chunkCount);
    for (let chunk = 0; chunk < chunkCount; chunk++) {
      for (let s = firstSequences[chunk] as number; s < (firstSequences[chunk + 1] as number); s++) {
        this.chunkSamples[chunk] = (this.chunkSamples[chunk] as number) + (lengths[s] as number);
      }
    }
    this.sweepSize = this.chunkSamples.reduce((sum, samples) => sum + samples, 0);
    this.order = Int32Array.from({ length: chunkCount }, (_, chunk) => chunk);
    this.sequences = Int32Array.from({ length: lengths.length }, (_, s) => s);
    this.starts = firstSequences.slice();
    this.sampleStarts = new Float64Array(chunkCount + 1);
  }

  /** Goes to the start of an epoch (0-based); `epochSize` 0 is one sweep. */
  startEpoch(epoch: number, epochSize: number): void {
    const size = epochSize > 0 && epochSize < wholeDataSize ? epochSize : this.sweepSize;
    const start = size * epoch;
    this.epochEnd = start + size;
    const sweep = Math.floor(start / this.sweepSize);
    this.enterSweep(sweep);
    this.position = sweep * this.sweepSize + this.seek(start - sweep * this.sweepSize);
  }

  /** The next sequences, at most `minibatchSize` samples but at least one sequence; undefined at the end of the epoch. */
  next(minibatchSize: number): Selection | undefined {
    if (this.position >= this.epochEnd) return undefined;
    const sweep = Math.floor(this.position / this.sweepSize);
    this.enterSweep(sweep);
    const budget = Math.min(minibatchSize, (sweep + 1) * this.sweepSize - this.position);
    const sequences: number[] = [];
    const { lengths } = this.corpus;
    let samples = 0;
    let begin = Math.min(this.chunkCursor, this.order.length - 1);
    let end = begin + 1;
    while (this.cursor < this.sequences.length) {
      const sequence = this.sequences[this.cursor] as number;
      const length = lengths[sequence] as number;
      if (sequences.length > 0 && samples + length > budget) break;
      if (this.position + samples >= this.epochEnd) break;
      sequences.push(sequence);
      samples += length;
      const window = this.windows[this.chunkCursor];
      begin = Math.min(begin, window?.begin ?? this.chunkCursor);
      end = Math.max(end, window?.end ?? this.chunkCursor + 1);
      this.advance();
    }
    this.position += samples;
    return { sequences, chunks: Array.from(this.order.subarray(begin, end)) };
  }

  private enterSweep(sweep: number): void {
    if (sweep === this.sweep) return;
    this.sweep = sweep;
    this.cursor = 0;
    this.chunkCursor = 0;
    if (this.randomization === undefined) {
      this.sumSamples();
      return;
    }
    const { window, sampleBased, seed } = this.randomization;
    this.order = shuffledChunks(this.order.length, seed + sweep);
    const samples = Array.from(this.order, (chunk) => this.chunkSamples[chunk] as number);
    this.windows = sampleBased ? sampleWindows(samples, window) : chunkWindows(this.order.length, window);
    this.shuffle(seed + sweep);
  }

  private shuffle(seed: number): void {
    const { firstSequences } = this.corpus;
    this.sequences = shuffledSequences({ order: this.order, windows: this.windows, firstSequences }, seed);
    for (let i = 0, at = 0; i < this.order.length; i++) {
      const chunk = this.order[i] as number;
      this.starts[i] = at;
      at += (firstSequences[chunk + 1] as number) - (firstSequences[chunk] as number);
      this.starts[i + 1] = at;
    }
    this.cursor = 0;
    this.chunkCursor = 0;
    this.windowBegin = 0;
    this.sumSamples();
  }

  private sumSamples(): void {
    const { lengths } = this.corpus;
    for (let i = 0; i < this.order.length; i++) {
      let sum = this.sampleStarts[i] as number;
      for (let at = this.starts[i] as number; at < (this.starts[i + 1] as number); at++) {
        sum += lengths[this.sequences[at] as number] as number;
      }
      this.sampleStarts[i + 1] = sum;
    }
  }

  /** Moves the cursor to the first sequence that starts at or behind a sample of the sweep; returns where it starts. */
  private seek(offset: number): number {
    if (this.randomization !== undefined && offset < (this.sampleStarts[this.windowBegin] as number)) {
      // CNTK forgets the reader's own seed here.
      this.shuffle(this.sweep);
    }
    this.chunkCursor = 0;
    while (
      this.chunkCursor < this.order.length - 1 &&
      offset >= (this.sampleStarts[this.chunkCursor + 1] as number)
    ) {
      this.chunkCursor++;
    }
    this.forgetChunks();
    this.cursor = this.starts[this.chunkCursor] as number;
    let at = this.sampleStarts[this.chunkCursor] as number;
    while (at < offset && this.cursor < this.sequences.length) {
      at += this.corpus.lengths[this.sequences[this.cursor] as number] as number;
      this.advance();
    }
    return at;
  }

  private advance(): void {
    this.cursor++;
    if (this.cursor < (this.starts[this.chunkCursor + 1] as number)) return;
    this.chunkCursor++;
    this.forgetChunks();
  }

  private forgetChunks(): void {
    if (this.randomization === undefined) return;
    const current = this.windows[Math.min(this.chunkCursor, this.order.length - 1)] as ChunkWindow;
    while (
      this.windowBegin < current.begin &&
      (this.windows[this.windowBegin] as ChunkWindow).end <= this.chunkCursor
    ) {
      this.windowBegin++;
    }
  }
}
