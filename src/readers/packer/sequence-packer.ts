import {
  type AxisLayout,
  type Minibatch,
  type StreamMinibatch,
  packFrames,
  packSequences,
  columnCount,
} from "../../minibatch/index.js";
import { type SequenceSource, sourceLength } from "../deserializer.js";
import type { Budget } from "../randomizer/sequence-order.js";
import type { EpochRequest, StreamDescription } from "../reader.js";
import { packDense, packSparse } from "./pack-columns.js";
import type { Packer, PackerSurroundings } from "./packer.js";

/** How sequences are laid out and who counts samples. */
export interface SequencePacking {
  /** Every sequence is one sample and the minibatch one time step. */
  readonly frameMode: boolean;
  /** Each worker counts its own samples; otherwise all count those of all. */
  readonly localTimeline: boolean;
}

/**
 * Whole sequences side by side, each stream laid out by its own lengths.
 * Source: Source/Readers/ReaderLib/SequencePacker.cpp, FramePacker.cpp.
 */
export class SequencePacker implements Packer {
  readonly streams: readonly StreamDescription[];
  private budget: Budget = { global: 1, local: 1 };
  private last: { readonly lengths: Int32Array; readonly layout: AxisLayout } | undefined;

  constructor(
    private readonly surroundings: PackerSurroundings,
    private readonly packing: SequencePacking,
  ) {
    this.streams = surroundings.streams;
  }

  start({ minibatchSize, rank, workers }: EpochRequest): void {
    this.budget = { global: minibatchSize, local: minibatchSize };
    if (!this.packing.localTimeline) return;
    let local = Math.floor(minibatchSize / workers) + (minibatchSize % workers > rank ? 1 : 0);
    if (local === 0) {
      this.surroundings.warn(
        `WARNING: The minibatch size '${minibatchSize}' is too small to be used with ${workers} workers, ` +
          "adjusting to minibatch size of 1 sample per worker\n",
      );
      local = 1;
    }
    this.budget = { global: Infinity, local };
  }

  takeOneByOne(): void {
    this.budget = { global: 1, local: 1 };
  }

  async next(): Promise<Minibatch | undefined> {
    const { supply, elementType, withKeys } = this.surroundings;
    const taken = await supply.take(this.budget);
    if (taken === undefined) return undefined;
    const { sequences } = taken;
    // What was left of the epoch belongs to other workers.
    if (sequences.length === 0 && taken.endOfEpoch) return undefined;
    const streams = new Map<string, StreamMinibatch>();
    let columns = 0;
    this.streams.forEach(({ name, dimension, storage }, s) => {
      const sources = sequences.map(({ chunk, index }) => chunk.source(s, index));
      const layout = this.layoutFor(sources);
      columns = Math.max(columns, columnCount(layout));
      const data =
        storage === "dense"
          ? packDense(sources, layout, dimension, elementType)
          : packSparse(sources, layout, elementType);
      streams.set(name, { dimension, layout, data });
    });
    return withKeys
      ? { streams, columns, keys: sequences.map(({ key }) => String(key)) }
      : { streams, columns };
  }

  /** Sequences as long as those before lie as those before. */
  private layoutFor(sources: readonly SequenceSource[]): AxisLayout {
    const lengths = new Int32Array(sources.length);
    for (let i = 0; i < lengths.length; i++) lengths[i] = sourceLength(sources[i]!);
    if (!this.last || !equal(this.last.lengths, lengths)) {
      const layout = this.packing.frameMode ? packFrames(lengths) : packSequences(lengths);
      this.last = { lengths, layout };
    }
    return this.last.layout;
  }
}

function equal(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
