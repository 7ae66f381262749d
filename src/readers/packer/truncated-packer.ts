import { CntkError } from "../../diagnostics/diagnostic.js";
import type { AxisLayout, Minibatch, SequencePlacement, StreamMinibatch } from "../../minibatch/index.js";
import { type SequenceKey, type SequenceSource, sourceLength } from "../deserializer.js";
import type { LoadedSequence } from "../randomizer/sequence-supply.js";
import type { EpochRequest, StreamDescription } from "../reader.js";
import { packDense } from "./pack-columns.js";
import type { Packer, PackerSurroundings } from "./packer.js";

/** A sequence that waits in a slot. */
interface Waiting {
  readonly length: number;
  /** Its samples, one source a stream. */
  readonly sources: readonly SequenceSource[];
  readonly key: SequenceKey;
}

/** One parallel sequence of all minibatches: sequences follow each other in it, cut into pieces. */
class Slot {
  readonly waiting: Waiting[] = [];
  /** Samples of the first sequence that earlier minibatches took. */
  consumed = 0;

  get available(): number {
    return this.waiting.reduce((sum, { length }) => sum + length, 0) - this.consumed;
  }
}

/** How sequences are cut. */
export interface Truncation {
  /** Time steps of a minibatch; 0 = its size says so, and `parallelSequences` how many sequences lie side by side. */
  readonly truncationLength: number;
  readonly parallelSequences?: (epoch: number) => number;
}

/**
 * Truncated back-propagation through time: minibatches of `truncationLength` steps. Every row is a slot; the sequence in it
 * goes on in the next minibatch, in the same row, and when it ends the next one follows. Streams come out densely.
 * Source: Source/Readers/ReaderLib/TruncatedBpttPacker.cpp.
 */
export class TruncatedPacker implements Packer {
  readonly streams: readonly StreamDescription[];
  private slots: Slot[] = [];
  private truncationLength: number;

  constructor(
    private readonly surroundings: PackerSurroundings,
    private readonly truncation: Truncation,
  ) {
    this.truncationLength = truncation.truncationLength;
    this.streams = surroundings.streams.map((stream) => ({ ...stream, storage: "dense" }));
  }

  /** @throws CntkError `minibatch-size` when the minibatch has fewer slots than there are workers. */
  start({ epoch, minibatchSize, rank, workers }: EpochRequest): void {
    const { truncationLength, parallelSequences } = this.truncation;
    let samples = minibatchSize;
    if (truncationLength === 0) {
      this.surroundings.warn(
        "Legacy configuration is used for truncated BPTT mode, please adapt the config to explicitly specify truncationLength.\n",
      );
      this.truncationLength = minibatchSize;
      samples = minibatchSize * (parallelSequences?.(epoch) ?? 1);
    }
    const slots = Math.max(1, Math.floor(samples / this.truncationLength));
    if (workers > slots) {
      throw new CntkError({
        code: "minibatch-size",
        message:
          "Too many workers for minibatch size; please increase minibatch size or decrease number of workers.",
      });
    }
    const own = Math.floor(slots / workers) + (rank < slots % workers ? 1 : 0);
    this.slots = Array.from({ length: own }, () => new Slot());
  }

  async next(): Promise<Minibatch | undefined> {
    for (const slot of this.slots) await this.fill(slot);
    if (this.slots.every((slot) => slot.waiting.length === 0)) return undefined;
    const sequences: SequencePlacement[] = [];
    const shown: Waiting[] = [];
    this.slots.forEach((slot, row) => this.place(slot, row, sequences, shown));
    const layout: AxisLayout = { rows: this.slots.length, steps: this.truncationLength, sequences };
    const streams = new Map<string, StreamMinibatch>();
    this.streams.forEach(({ name, dimension }, s) => {
      const sources = shown.flatMap(({ sources }) => sources[s] ?? []);
      const data = packDense(sources, layout, dimension, this.surroundings.elementType);
      streams.set(name, { dimension, layout, data });
    });
    const columns = layout.rows * layout.steps;
    return this.surroundings.withKeys
      ? { streams, columns, keys: shown.map(({ key }) => String(key)) }
      : { streams, columns };
  }

  /** Puts sequences into a slot until it holds more samples than a minibatch takes. */
  private async fill(slot: Slot): Promise<void> {
    while (slot.available <= this.truncationLength) {
      const taken = await this.surroundings.supply.take({ global: Infinity, local: 1 });
      if (taken === undefined) return;
      for (const sequence of taken.sequences) slot.waiting.push(this.waitingFor(sequence));
      if (taken.endOfEpoch) return;
    }
  }

  private waitingFor({ chunk, index, key }: LoadedSequence): Waiting {
    const sources = this.streams.map((_, s) => chunk.source(s, index));
    const lengths = sources.map(sourceLength);
    const length = lengths[0] ?? 0;
    if (lengths.some((other) => other !== length)) {
      const names = this.streams.map(({ name }, s) => `${name} has ${lengths[s]}`).join(", ");
      throw new CntkError({
        code: "sequence-lengths",
        message: "For BPTT sequences between different input stream should have the same length.",
        hint: `in the sequence ${key}, ${names}`,
      });
    }
    return { length, sources, key };
  }

  /** Places what the next minibatch takes of a slot, and takes it. */
  private place(slot: Slot, row: number, sequences: SequencePlacement[], shown: Waiting[]): void {
    let step = 0;
    while (step < this.truncationLength) {
      const [current] = slot.waiting;
      if (current === undefined) return;
      sequences.push({ sequence: shown.length, row, begin: step - slot.consumed, length: current.length });
      shown.push(current);
      const rest = current.length - slot.consumed;
      const taken = Math.min(rest, this.truncationLength - step);
      step += taken;
      if (taken < rest) slot.consumed += taken;
      else {
        slot.waiting.shift();
        slot.consumed = 0;
      }
    }
  }
}
