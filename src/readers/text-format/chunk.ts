import { newValues, type ElementType, type Values } from "../../numerics/values.js";
import type { SequenceBlock } from "../deserializer.js";
import type { TextInput } from "./options.js";

/** Small integers take one byte each until the first other value comes. */
type Store = Uint8Array | Values;

/**
 * A growing list of numbers. As long as all are integers of 0 … 255 (pixels, one-hot labels) they are kept as bytes;
 * from the first other one on as numbers of the element type. Either way they come out exactly as they went in, rounded to
 * the element type.
 */
export class CompactNumbers {
  length = 0;
  values: Store;

  constructor(
    private readonly elementType: ElementType,
    capacity: number,
  ) {
    this.values = new Uint8Array(Math.max(capacity, 16));
  }

  /** Adds the first `count` numbers of `from`; `small` says that all of them fit into a byte. */
  append(from: Float64Array, count: number, small: boolean): void {
    const end = this.length + count;
    if (!small && this.values instanceof Uint8Array) this.values = this.copied(this.values.length);
    if (end > this.values.length) this.values = this.copied(Math.max(end, 2 * this.values.length));
    const { values } = this;
    // Two loops, so that each writes to one kind of array only.
    if (values instanceof Uint8Array && small) copySmall(from, values, this.length, count);
    else copyWide(from, values as Values, this.length, count);
    this.length = end;
  }

  /** Gives unused memory back. */
  trim(): void {
    if (this.length < this.values.length) this.values = this.values.slice(0, this.length);
  }

  private copied(capacity: number): Store {
    const stayBytes = this.values instanceof Uint8Array && capacity > this.values.length;
    const store = stayBytes ? new Uint8Array(capacity) : newValues(this.elementType, capacity);
    store.set(this.values.subarray(0, this.length));
    return store;
  }
}

function copySmall(from: Float64Array, to: Uint8Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) to[at + i] = from[i] as number;
}

function copyWide(from: Float64Array, to: Values, at: number, count: number): void {
  for (let i = 0; i < count; i++) to[at + i] = from[i] as number;
}

/** Samples of one stream of a chunk. */
export class ChunkStream {
  readonly values: CompactNumbers;
  /** Sparse only: the row of each value. */
  rows = new Int32Array(0);
  /** Sparse only: first value of each sample, and at the end the number of values. */
  sampleStarts = new Int32Array(16);
  /** First sample of each sequence, and at the end the number of samples. */
  readonly sequenceStarts: Int32Array;
  samples = 0;
  private firstValue = 0;

  constructor(
    readonly input: TextInput,
    elementType: ElementType,
    sequences: number,
    expectedSamples: number,
  ) {
    const dense = input.storage === "dense";
    this.values = new CompactNumbers(
      elementType,
      dense ? expectedSamples * input.dimension : expectedSamples,
    );
    this.sequenceStarts = new Int32Array(sequences + 1);
  }

  /** The samples that follow belong to a new sequence. */
  startSequence(): void {
    this.firstValue = this.values.length;
  }

  /** Did the current sequence bring a value? */
  hasValuesInSequence(): boolean {
    return this.values.length > this.firstValue;
  }

  /** Adds a dense sample: exactly `dimension` numbers. */
  addDense(sample: Float64Array, small: boolean): void {
    this.values.append(sample, this.input.dimension, small);
    this.samples++;
  }

  /** Adds a sparse sample of `count` values and their rows. */
  addSparse(values: Float64Array, rows: Int32Array, count: number, small: boolean): void {
    const at = this.values.length;
    this.values.append(values, count, small);
    if (at + count > this.rows.length) {
      const grown = new Int32Array(Math.max(at + count, 2 * this.rows.length, 64));
      grown.set(this.rows);
      this.rows = grown;
    }
    for (let i = 0; i < count; i++) this.rows[at + i] = rows[i] as number;
    this.samples++;
    if (this.samples >= this.sampleStarts.length) {
      const grown = new Int32Array(2 * this.sampleStarts.length);
      grown.set(this.sampleStarts);
      this.sampleStarts = grown;
    }
    this.sampleStarts[this.samples] = at + count;
  }

  /** Gives memory back that was reserved for more. */
  trim(): void {
    this.values.trim();
    if (this.rows.length > this.values.length) this.rows = this.rows.slice(0, this.values.length);
  }

  /** The samples as packers take them. */
  block(): SequenceBlock {
    return {
      storage: this.input.storage,
      values: this.values.values,
      rows: this.rows,
      sampleStarts: this.sampleStarts,
      sequenceStarts: this.sequenceStarts,
    };
  }

  /** Number of samples of a sequence of this chunk. */
  length(sequence: number): number {
    return (this.sequenceStarts[sequence + 1] as number) - (this.sequenceStarts[sequence] as number);
  }
}

/** The parsed samples of a chunk, one entry per stream. */
export type TextChunk = readonly ChunkStream[];
