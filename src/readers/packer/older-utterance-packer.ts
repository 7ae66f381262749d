import type { AxisLayout, Minibatch, SequencePlacement, StreamMinibatch } from "../../minibatch/index.js";
import { type SequenceSource, sourceLength } from "../deserializer.js";
import { type EpochRequest, samplesOfEpoch, type StreamDescription } from "../reader.js";
import { packDense, packSparse } from "./pack-columns.js";
import type { Packer, PackerSurroundings } from "./packer.js";

/** How CNTK's older reader of speech lays utterances out. */
export interface OlderUtterances {
  /** Rows of a minibatch (nbruttsineachrecurrentiter). */
  readonly parallelUtterances: (epoch: number) => number;
  /** Minibatches are as long as their size says, and what lies in a row goes on in the next one. */
  readonly truncated: boolean;
}

/** Utterances that are taken at once: one sequence, for this reader. */
interface Batch {
  readonly length: number;
  /** Samples of each utterance, one source a stream. */
  readonly utterances: readonly (readonly SequenceSource[])[];
}

/** A row of the minibatches: the batch in it, and how many samples of it are handed out. */
interface Row {
  batch: Batch;
  consumed: number;
}

/** What a minibatch holds: batches at their places, step 0 being the first one shown. */
interface Placed {
  readonly batch: Batch;
  readonly row: number;
  readonly begin: number;
}

const noBatch: Batch = { length: 0, utterances: [] };

/**
 * Whole utterances, or pieces of them, as CNTK's older reader of speech lays them out: as many utterances as have less samples
 * than a minibatch together become one sequence, and each row of a minibatch begins with such a one.
 * Source: Source/Readers/HTKMLFReader/HTKMLFReader.cpp, GetMinibatchToTrainOrTest, ReNewBufferForMultiIO; minibatchiterator.h.
 */
export class OlderUtterancePacker implements Packer {
  readonly streams: readonly StreamDescription[];
  private rows: Row[] | undefined;
  private rowCount = 1;
  private minibatchSize = 1;
  private epochEnd = 0;
  /** The batch that the next free row gets; undefined at the end of the epoch. */
  private ahead: Batch | undefined;

  constructor(
    private readonly surroundings: PackerSurroundings,
    private readonly packing: OlderUtterances,
  ) {
    const { streams } = surroundings;
    this.streams = packing.truncated ? streams.map((stream) => ({ ...stream, storage: "dense" })) : streams;
  }

  start({ epoch, minibatchSize, epochSize, rank, workers }: EpochRequest): void {
    const size = samplesOfEpoch(epochSize, this.surroundings.supply.sweepSize);
    this.epochEnd = size * (epoch + 1);
    this.minibatchSize = minibatchSize;
    const all = this.packing.parallelUtterances(epoch);
    this.rowCount = Math.max(1, Math.floor(all / workers) + (rank < all % workers ? 1 : 0));
    this.rows = undefined;
  }

  async next(): Promise<Minibatch | undefined> {
    const rows = this.rows ?? (await this.fillRows());
    return this.packing.truncated ? this.nextPieces(rows) : this.nextWhole(rows);
  }

  private async fillRows(): Promise<Row[]> {
    const rows = Array.from({ length: this.rowCount }, (): Row => ({ batch: noBatch, consumed: 0 }));
    this.rows = rows;
    this.ahead = await this.take();
    for (const row of rows) await this.renew(row);
    return rows;
  }

  /** The next utterances that have less samples than a minibatch together, at least one of them. */
  private async take(): Promise<Batch | undefined> {
    const { supply } = this.surroundings;
    for (;;) {
      const samples = Math.max(1, Math.min(this.minibatchSize, this.epochEnd - supply.position) - 1);
      const taken = await supply.take({ global: samples, local: samples });
      if (taken === undefined) return undefined;
      const utterances = taken.sequences.map(({ chunk, index }) =>
        this.streams.map((_, s) => chunk.source(s, index)),
      );
      const length = utterances.reduce((sum, sources) => sum + utteranceLength(sources), 0);
      if (length > 0) return { length, utterances };
    }
  }

  /** Puts the next batch into a row; false at the end of the epoch, where the row keeps what it has. */
  private async renew(row: Row): Promise<boolean> {
    if (this.ahead === undefined) return false;
    row.batch = this.ahead;
    row.consumed = 0;
    this.ahead = await this.take();
    return true;
  }

  /**
   * One batch a row, and behind them those that fit. At the end of the epoch only the first row is emptied: what the others
   * hold is handed out again as long as the first has something.
   */
  private async nextWhole(rows: readonly Row[]): Promise<Minibatch | undefined> {
    const [first] = rows;
    if (this.ahead === undefined && (first?.batch.length ?? 0) === 0) return undefined;
    const renew = async (row: Row): Promise<void> => {
      if (!(await this.renew(row)) && row === first) row.batch = noBatch;
    };
    const steps = Math.max(...rows.map(({ batch }) => batch.length));
    const placed: Placed[] = [];
    const filled: number[] = [];
    for (const [at, row] of rows.entries()) {
      const { batch } = row;
      filled.push(batch.length);
      if (batch.length > 0) placed.push({ batch, row: at, begin: 0 });
      await renew(row);
    }
    for (const row of rows) {
      for (;;) {
        const { batch } = row;
        const at = filled.findIndex((end) => batch.length + end < steps);
        if (batch.length === 0 || at < 0) break;
        const begin = filled[at] ?? 0;
        placed.push({ batch, row: at, begin });
        filled[at] = begin + batch.length;
        await renew(row);
      }
    }
    return this.minibatch(placed, steps);
  }

  /** As many steps as the minibatch has; where a batch ends another one follows it, but no third one. */
  private async nextPieces(rows: readonly Row[]): Promise<Minibatch | undefined> {
    const isOver = rows.every(({ batch, consumed }) => consumed === batch.length);
    if (this.ahead === undefined && isOver) return undefined;
    const placed: Placed[] = [];
    for (const [at, row] of rows.entries()) await this.nextPiece(row, at, placed);
    return this.minibatch(placed, this.minibatchSize);
  }

  private async nextPiece(row: Row, at: number, placed: Placed[]): Promise<void> {
    const steps = this.minibatchSize;
    const { batch, consumed } = row;
    const rest = batch.length - consumed;
    if (rest > 0) placed.push({ batch, row: at, begin: -consumed });
    if (rest > steps) {
      row.consumed += steps;
      return;
    }
    row.consumed = batch.length;
    const follows = await this.renew(row);
    if (rest === steps || !follows) return;
    placed.push({ batch: row.batch, row: at, begin: rest });
    row.consumed = Math.min(steps - rest, row.batch.length);
    const end = rest + row.consumed;
    if (end >= steps) return;
    this.surroundings.warn(
      "GetMinibatchToTrainOrTest(): WARNING: Packing a second utterance did still not fill all time slots; " +
        `filling slots from ${end} on as gaps.\n`,
    );
    await this.renew(row);
  }

  private minibatch(placed: readonly Placed[], steps: number): Minibatch {
    const sequences: SequencePlacement[] = [];
    const parts: SequencePlacement[] = [];
    const shown: (readonly SequenceSource[])[] = [];
    for (const { batch, row, begin } of placed) {
      sequences.push({ sequence: sequences.length, row, begin, length: batch.length });
      let at = begin;
      for (const sources of batch.utterances) {
        const length = utteranceLength(sources);
        parts.push({ sequence: shown.length, row, begin: at, length });
        shown.push(sources);
        at += length;
      }
    }
    const layout: AxisLayout = { rows: this.rowCount, steps, sequences };
    // The samples of each utterance lie where they belong in its batch.
    const places: AxisLayout = { ...layout, sequences: parts };
    const { elementType } = this.surroundings;
    const streams = new Map<string, StreamMinibatch>();
    this.streams.forEach(({ name, dimension, storage }, s) => {
      const sources = shown.flatMap((of) => of[s] ?? []);
      const data =
        storage === "dense"
          ? packDense(sources, places, dimension, elementType)
          : packSparse(sources, places, elementType);
      streams.set(name, { dimension, layout, data });
    });
    return { streams, columns: layout.rows * steps };
  }
}

function utteranceLength([first]: readonly SequenceSource[]): number {
  return first ? sourceLength(first) : 0;
}
