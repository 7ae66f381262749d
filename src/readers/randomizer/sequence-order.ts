import type { ChunkWindow } from "../../numerics/block-shuffle.js";
import { CLibraryDraws } from "../../numerics/c-library-random.js";
import {
  chunkWindows,
  sampleWindows,
  shuffledChunks,
  shuffledSequences,
} from "../../numerics/block-shuffle.js";
import { chunkOfEachSequence, type Corpus } from "../deserializer.js";
import { samplesOfEpoch } from "../reader.js";
import { type ChunkRange, RandomizationReport } from "./randomization-report.js";
import { SweepWindow } from "./sweep-window.js";

/** How sequences are mixed. */
export interface Randomization {
  /** Width of the window, in chunks or samples. */
  readonly window: number;
  readonly sampleBased: boolean;
  /** Added to the number of the sweep. */
  readonly seed: number;
  /** The C library's `rand` draws, as in CNTK's older reader of speech. */
  readonly byCLibrary?: boolean;
}

/** How many samples a request may bring. */
export interface Budget {
  /** Of all workers together. */
  readonly global: number;
  /** Of this worker. */
  readonly local: number;
}

/** Who shares the data: this worker's number, and how many there are. */
export interface Share {
  readonly rank: number;
  readonly workers: number;
}

/** Sequences of one request. */
export interface Selection {
  /** Numbers in the corpus, in order; none where all that was due belongs to other workers. */
  readonly sequences: readonly number[];
  /**
   * Chunks that must be in memory now, in the order in which they are loaded; all others may go. The same array as the
   * time before where nothing has changed.
   */
  readonly chunks: readonly number[];
  /** Chunks that will be wanted after these: the one that follows them in this sweep, if the epoch gets there. The same array as long as `chunks` is. */
  readonly next: readonly number[];
  /** So many chunks one worker alone would have in memory now. */
  readonly room: number;
  /** Nothing comes after these. */
  readonly endOfEpoch: boolean;
}

/**
 * Walks through a corpus as CNTK's BlockRandomizer and NoRandomizer do: sweep after sweep, minibatches that end at the end of
 * a sweep and of an epoch, sequences taken whole. Of several workers each takes its own: with randomization the sequences of
 * every n-th chunk of the sweep, without every n-th sequence.
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
  /** First sample of the next sequence, counted in the sweep. */
  private sampleCursor = 0;
  /** With randomization: what of the sweep CNTK remembers; going back behind it shuffles anew. */
  private window: SweepWindow | undefined;
  /** Samples since the start of the training. */
  position = 0;
  private epochEnd = 0;
  private share: Share = { rank: 0, workers: 1 };
  /** Sequences handed out since the sweep in which the epoch began, those of other workers too. */
  private sequencePosition = 0;
  /** Several workers only: position of each sequence's chunk in the order of the sweep. */
  private homes: Int32Array | undefined;
  private readonly chunkOf: Int32Array;
  private chunks: readonly number[] = [];
  private nextChunks: readonly number[] = [];
  /** What `chunks` was made for: sweep, first and last position. */
  private chunksOf = "";
  /** With randomization: where these chunks stand in the order, and whether the report knows of them. */
  private range: (ChunkRange & { isTold: boolean }) | undefined;

  constructor(
    private readonly corpus: Corpus,
    private readonly randomization?: Randomization,
    /** Told of the work of the randomization. */
    private readonly report = new RandomizationReport(0, () => undefined),
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
    this.chunkOf = chunkOfEachSequence(corpus);
    this.order = Int32Array.from({ length: chunkCount }, (_, chunk) => chunk);
    this.sequences = Int32Array.from({ length: lengths.length }, (_, s) => s);
    this.starts = firstSequences.slice();
    this.sampleStarts = new Float64Array(chunkCount + 1);
  }

  /** Goes to the start of an epoch (0-based); `epochSize` 0 is one sweep. */
  startEpoch(epoch: number, epochSize: number, share: Share): void {
    this.share = share;
    this.homes = undefined;
    this.chunksOf = "";
    const size = samplesOfEpoch(epochSize, this.sweepSize);
    const start = size * epoch;
    this.epochEnd = start + size;
    const sweep = Math.floor(start / this.sweepSize);
    this.enterSweep(sweep);
    this.position = sweep * this.sweepSize + this.seek(start - sweep * this.sweepSize);
    this.sequencePosition = this.cursor % Math.max(1, this.sequences.length);
    if (this.randomization) this.report.epochBegins({ epoch, start, size, first: this.position, share });
  }

  /**
   * The next sequences, within the budget but at least one of this worker's own (if the sweep has one left); undefined at the
   * end of the epoch.
   */
  next(budget: Budget): Selection | undefined {
    if (this.position >= this.epochEnd) return undefined;
    const sweep = Math.floor(this.position / this.sweepSize);
    this.enterSweep(sweep);
    const global = Math.min(budget.global, (sweep + 1) * this.sweepSize - this.position);
    const randomized = this.randomization !== undefined;
    const sequences: number[] = [];
    const { lengths } = this.corpus;
    let globalSamples = 0;
    let localSamples = 0;
    const before = this.cursor;
    // With randomization the chunk at hand is loaded in any case, without only what is handed out.
    let begin = randomized ? Math.min(this.chunkCursor, this.order.length - 1) : Infinity;
    let end = randomized ? begin + 1 : 0;
    while (this.cursor < this.sequences.length) {
      if (!randomized && (globalSamples >= global || localSamples >= budget.local)) break;
      const sequence = this.sequences[this.cursor] ?? 0;
      const length = lengths[sequence] ?? 0;
      const local = this.isLocal(sequence);
      if (sequences.length > 0) {
        if (globalSamples + length > global) break;
        if (local && localSamples + length > budget.local) break;
      }
      if (this.position + globalSamples >= this.epochEnd) break;
      if (local) {
        sequences.push(sequence);
        localSamples += length;
      }
      globalSamples += length;
      if (randomized || local) {
        const window = this.windows[this.chunkCursor];
        begin = Math.min(begin, window?.begin ?? this.chunkCursor);
        end = Math.max(end, window?.end ?? this.chunkCursor + 1);
      }
      this.advance();
      this.sequencePosition++;
    }
    // Nothing moved: there is nothing left that counts.
    if (this.cursor === before) return undefined;
    if (randomized) this.report.requestMet(sequences.length, { local: budget.local, global }, sweep);
    this.position += globalSamples;
    this.chooseChunks(begin, end);
    const { chunks, nextChunks: next } = this;
    return { sequences, chunks, next, room: end - begin, endOfEpoch: this.position >= this.epochEnd };
  }

  private isLocal(sequence: number): boolean {
    const { rank, workers } = this.share;
    if (workers === 1) return true;
    if (this.randomization === undefined) return this.sequencePosition % workers === rank;
    return this.homeOf(sequence) % workers === rank;
  }

  /** Position, in the order of the sweep, of the chunk that a sequence comes from. */
  private homeOf(sequence: number): number {
    if (this.homes === undefined) {
      this.homes = new Int32Array(this.order.length);
      this.order.forEach((chunk, position) => ((this.homes as Int32Array)[chunk] = position));
    }
    return this.homes[this.chunkOf[sequence] ?? 0] ?? 0;
  }

  /** The chunks of the last request are in memory: tells so, as far as anybody wants to know. */
  chunksAreLoaded(): void {
    const { range } = this;
    if (!range) return;
    if (!range.isTold) this.report.chunksLoaded(range);
    range.isTold = true;
    this.report.loadsAhead(range);
  }

  /** Chunks at the positions from `begin` up to `end`, this worker's own where chunks are dealt out, and the one that follows. */
  private chooseChunks(begin: number, end: number): void {
    const id = `${this.sweep} ${begin} ${end}`;
    if (id === this.chunksOf) return;
    const { rank, workers } = this.share;
    const dealt = this.randomization !== undefined;
    const isOwn = (position: number): boolean => !dealt || position % workers === rank;
    if (dealt) this.range = { begin, end, order: this.order, isOwn, isTold: false };
    const own: number[] = [];
    for (let position = begin; position < end; position++) {
      if (isOwn(position)) own.push(this.order[position] ?? 0);
    }
    let next = Math.max(end, 0);
    while (next < this.order.length && !isOwn(next)) next++;
    this.chunks = own;
    const isDue = this.sweep * this.sweepSize + (this.sampleStarts[next] as number) < this.epochEnd;
    this.nextChunks = isDue ? [...this.order.subarray(next, next + 1)] : [];
    this.chunksOf = id;
  }

  private enterSweep(sweep: number): void {
    if (sweep === this.sweep) return;
    this.sweep = sweep;
    this.cursor = 0;
    this.chunkCursor = 0;
    this.sampleCursor = 0;
    if (this.randomization === undefined) {
      this.sumSamples();
      return;
    }
    this.report.newSweep(sweep);
    const { window, sampleBased, seed, byCLibrary } = this.randomization;
    const draws = byCLibrary ? new CLibraryDraws(sweep) : undefined;
    this.order = shuffledChunks(this.order.length, seed + sweep, draws);
    this.homes = undefined;
    const samples = Array.from(this.order, (chunk) => this.chunkSamples[chunk] as number);
    this.windows = sampleBased ? sampleWindows(samples, window) : chunkWindows(this.order.length, window);
    this.shuffle(seed + sweep);
  }

  private shuffle(seed: number): void {
    const { firstSequences } = this.corpus;
    const chunks = { order: this.order, windows: this.windows, firstSequences };
    const draws = this.randomization?.byCLibrary ? new CLibraryDraws(seed + 1) : undefined;
    this.sequences = shuffledSequences(chunks, seed, draws);
    for (let i = 0, at = 0; i < this.order.length; i++) {
      const chunk = this.order[i] as number;
      this.starts[i] = at;
      at += (firstSequences[chunk + 1] as number) - (firstSequences[chunk] as number);
      this.starts[i + 1] = at;
    }
    this.cursor = 0;
    this.chunkCursor = 0;
    this.sampleCursor = 0;
    this.sumSamples();
    this.window = new SweepWindow(this.windows, this.report);
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
    if (this.window) this.enterWindow(this.window, offset);
    else this.enterChunkOf(offset, 0);
    while (this.sampleCursor < offset && this.cursor < this.sequences.length) this.advance();
    return this.sampleCursor;
  }

  /** Goes back to the chunk that holds a sample if it is remembered, or to the beginning of the sweep. */
  private enterWindow(window: SweepWindow, offset: number): void {
    this.report.seeks(offset, this.sweep);
    if (offset < (this.sampleStarts[window.begin] as number)) {
      this.report.startsOver();
      // CNTK forgets the reader's own seed here.
      this.shuffle(this.sweep);
    } else if (offset < (this.sampleStarts[window.mixedEnd] as number)) {
      this.report.findsInWindow();
      this.enterChunkOf(offset, window.begin);
    }
    this.report.advances(this.sampleCursor, offset);
  }

  /** To the beginning of the chunk that holds a sample, which lies in none before `first`. */
  private enterChunkOf(offset: number, first: number): void {
    this.chunkCursor = first;
    while (
      this.chunkCursor < this.order.length - 1 &&
      offset >= (this.sampleStarts[this.chunkCursor + 1] as number)
    ) {
      this.chunkCursor++;
    }
    this.cursor = this.starts[this.chunkCursor] as number;
    this.sampleCursor = this.sampleStarts[this.chunkCursor] as number;
  }

  private advance(): void {
    this.sampleCursor += this.corpus.lengths[this.sequences[this.cursor] as number] as number;
    this.cursor++;
    if (this.cursor < (this.starts[this.chunkCursor + 1] as number)) return;
    this.chunkCursor++;
    this.window?.moveTo(this.chunkCursor);
  }
}
