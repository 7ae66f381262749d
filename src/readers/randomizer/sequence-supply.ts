import { type Chunk, chunkOfEachSequence, type Deserializer, type SequenceKey } from "../deserializer.js";
import type { EpochRequest } from "../reader.js";
import { LoadedChunks } from "./loaded-chunks.js";
import type { Budget, Randomization } from "./sequence-order.js";
import { SequenceOrder } from "./sequence-order.js";

/** A sequence whose chunk is in memory. */
export interface LoadedSequence {
  readonly chunk: Chunk;
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

  /** @throws CntkError `data-format` when there are no samples. */
  constructor(
    private readonly deserializer: Deserializer,
    randomization: Randomization | undefined,
    keepDataInMemory: boolean,
  ) {
    this.order = new SequenceOrder(deserializer.corpus, randomization);
    this.chunks = new LoadedChunks(deserializer, keepDataInMemory);
    this.chunkOf = chunkOfEachSequence(deserializer.corpus);
  }

  /** Samples of a sweep. */
  get sweepSize(): number {
    return this.order.sweepSize;
  }

  start({ epoch, epochSize, rank, workers }: EpochRequest): void {
    this.order.startEpoch(epoch, epochSize, { rank, workers });
  }

  /** The next sequences within the budget; undefined at the end of the epoch. */
  async take(budget: Budget): Promise<Supply | undefined> {
    const selection = this.order.next(budget);
    if (selection === undefined) return undefined;
    await this.chunks.hold(selection.chunks);
    const { firstSequences } = this.deserializer.corpus;
    const sequences = selection.sequences.map((sequence) => {
      const chunk = this.chunkOf[sequence] ?? 0;
      const index = sequence - (firstSequences[chunk] ?? 0);
      return { chunk: this.chunks.get(chunk), index, key: this.deserializer.key(sequence) };
    });
    return { sequences, endOfEpoch: selection.endOfEpoch };
  }

  async close(): Promise<void> {
    this.chunks.clear();
    await this.deserializer.close();
  }
}
