import type { ElementType, Values } from "../numerics/values.js";
import type { StreamDescription } from "./reader.js";

/** A stream as the deserializer of a file describes it. */
export interface DeserializerStream extends StreamDescription {
  readonly elementType: ElementType;
  /** Shape of one sample, first axis contiguous. */
  readonly sampleShape: readonly number[];
  /** The lengths of this stream are the lengths of the sequences, for the sizes of minibatches. */
  readonly definesMinibatchSize: boolean;
}

/** Number or name of a sequence, by which deserializers are joined; integers beyond 2^53 are BigInts. */
export type SequenceKey = number | bigint | string;

/** The sequences that a deserializer offers, in its order, and how they are grouped into chunks. */
export interface Corpus {
  /** Samples of each sequence, as the sizes of minibatches count them. */
  readonly lengths: Int32Array;
  /** First sequence of each chunk, and at the end the number of sequences. */
  readonly firstSequences: Int32Array;
}

/** Samples of one stream of some sequences, one after the other. */
export interface SequenceBlock {
  readonly storage: "dense" | "sparse";
  /** Dense: `dimension` numbers for each sample. Sparse: the values of all samples. Bytes stand for themselves. */
  readonly values: Uint8Array | Values;
  /** First sample of each sequence, and at the end the number of samples. */
  readonly sequenceStarts: Int32Array;
  /** Sparse only: first value of each sample, and at the end the number of values. */
  readonly sampleStarts: Int32Array;
  /** Sparse only: the row of each value. */
  readonly rows: Int32Array;
}

/** One sequence of a block. */
export interface SequenceSource {
  readonly block: SequenceBlock;
  readonly index: number;
}

/** A chunk in memory. */
export interface Chunk {
  /** What it takes, in bytes; told only where loading it again would take longer than it is worth. */
  readonly bytes?: number;
  /** Samples of a sequence of this chunk (0 = its first one); `stream` counts the deserializer's streams. */
  source(stream: number, sequence: number): SequenceSource;
  /**
   * Where the data of a sequence takes work of its own (a picture to decode): makes it ready, in the order of the calls as far as
   * random numbers go; `source` is asked of what comes back. Undefined: the sequence cannot be read and is left out.
   */
  ready?(sequence: number): Promise<Pick<Chunk, "source"> | undefined>;
  /** The chunk is needed no more. */
  release?(): void;
}

/**
 * Reads one format: offers sequences in chunks and loads a chunk when it is asked for.
 * Source: Source/Readers/ReaderLib/DataDeserializer.h.
 */
export interface Deserializer {
  readonly streams: readonly DeserializerStream[];
  readonly corpus: Corpus;
  /**
   * Says which chunks will be asked for at once, in this order, and which after them: they may be loaded ahead, on other
   * threads. Chunks that are named no more are not asked for.
   */
  prepare?(now: readonly number[], later: readonly number[]): void;
  /** Loads a chunk; throws CntkError for data that cannot be read. */
  chunk(id: number): Promise<Chunk>;
  /** Key of a sequence; sequences count through all chunks. */
  key(sequence: number): SequenceKey;
  /** The sequence with this key; the first one where a key occurs twice, undefined where it does not occur. */
  find(key: SequenceKey): number | undefined;
  close(): Promise<void>;
}

/** Samples of a sequence. */
export function sourceLength({ block, index }: SequenceSource): number {
  return (block.sequenceStarts[index + 1] ?? 0) - (block.sequenceStarts[index] ?? 0);
}

/** The chunk of each sequence of a corpus. */
export function chunkOfEachSequence({ firstSequences }: Corpus): Int32Array {
  const chunks = new Int32Array(firstSequences[firstSequences.length - 1] ?? 0);
  for (let chunk = 0; chunk + 1 < firstSequences.length; chunk++) {
    chunks.fill(chunk, firstSequences[chunk], firstSequences[chunk + 1]);
  }
  return chunks;
}
