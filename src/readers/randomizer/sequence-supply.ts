import { CntkError } from "../../diagnostics/diagnostic.js";
import { type Chunk, chunkOfEachSequence, type Deserializer, type SequenceKey } from "../deserializer.js";
import type { EpochRequest } from "../reader.js";
import { LoadedChunks } from "./loaded-chunks.js";
import type { RandomizationReport } from "./randomization-report.js";
import type { Budget, Randomization } from "./sequence-order.js";
import { SequenceOrder } from "./sequence-order.js";

/** A sequence whose chunk is in memory. */
export interface LoadedSequence {
  readonly chunk: Pick<Chunk, "source">;
  /** Its number in the chunk. */
  readonly index: number;
  readonly key: SequenceKey;
}

/** Sequences for one request. */
export interface Supply {
  readonly sequences: readonly LoadedSequence[];
  readonly endOfEpoch: boolean;
}

/** Hands out the sequences of a deserializer in order, with their data. (CNTK's SequenceEnumerator.) */
export class SequenceSupply {
  private readonly order: SequenceOrder;
  private readonly chunks: LoadedChunks;
  private readonly chunkOf: Int32Array;
  private invalid = 0;

  /** @throws CntkError `data-format` when there are no samples. */
  constructor(
    private readonly deserializer: Deserializer,
    randomization: Randomization | undefined,
    keepDataInMemory: boolean,
    /** Sequences that may be unreadable and left out. */
    private readonly maxInvalid = 0,
    report?: RandomizationReport,
  ) {
    this.order = new SequenceOrder(deserializer.corpus, randomization, report);
    this.chunks = new LoadedChunks(deserializer, keepDataInMemory);
    this.chunkOf = chunkOfEachSequence(deserializer.corpus);
  }

  /** Samples of a sweep. */
  get sweepSize(): number {
    return this.order.sweepSize;
  }

  /** Samples since the start of the training. */
  get position(): number {
    return this.order.position;
  }

  start({ epoch, epochSize, rank, workers }: EpochRequest): void {
    this.order.startEpoch(epoch, epochSize, { rank, workers });
  }

  /** The next sequences within the budget; undefined at the end of the epoch. */
  async take(budget: Budget): Promise<Supply | undefined> {
    const selection = this.order.next(budget);
    if (selection === undefined) return undefined;
    await this.chunks.hold(selection.chunks, selection.next, selection.room);
    // CNTK loads nothing for a request that brings this worker nothing.
    if (selection.sequences.length > 0) this.order.chunksAreLoaded();
    const { firstSequences } = this.deserializer.corpus;
    const found = selection.sequences.map((sequence) => {
      const chunk = this.chunkOf[sequence] ?? 0;
      const index = sequence - (firstSequences[chunk] ?? 0);
      return { chunk: this.chunks.get(chunk), index, key: this.deserializer.key(sequence) };
    });
    const sequences = found.some(({ chunk }) => "ready" in chunk) ? await this.readySequences(found) : found;
    return { sequences, endOfEpoch: selection.endOfEpoch };
  }

  /** All are begun before one is waited for; those that cannot be read are left out, as many as may be. */
  private async readySequences(
    found: readonly (LoadedSequence & { readonly chunk: Chunk })[],
  ): Promise<LoadedSequence[]> {
    const ready = await Promise.all(
      found.map(async ({ chunk, index, key }) => {
        const own = chunk.ready ? await chunk.ready(index) : chunk;
        return own && { chunk: own, index, key };
      }),
    );
    const sequences = ready.filter((sequence) => sequence !== undefined);
    this.invalid += ready.length - sequences.length;
    if (this.invalid <= this.maxInvalid) return sequences;
    throw new CntkError({
      code: "data-invalid",
      message: `Number of invalid sequences '${this.invalid}' in the input exceeded the specified maximum number '${this.maxInvalid}'`,
      hint: "the log says which; maxErrors of the reader allows some",
    });
  }

  async close(): Promise<void> {
    this.chunks.clear();
    await this.deserializer.close();
  }
}
