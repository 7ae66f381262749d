import type { PictureDecoder } from "./images/picture.js";
import type { FileAccess } from "../files/file-access.js";
import type { LogSink } from "../log/log.js";
import type { Minibatch } from "../minibatch/minibatch.js";
import type { ElementType } from "../numerics/values.js";
import type { SequenceBlock } from "./deserializer.js";
import type { ChunkJob } from "./text-format/parse-chunk.js";

export interface StreamDescription {
  readonly name: string;
  /** Elements of one sample. */
  readonly dimension: number;
  readonly storage: "dense" | "sparse";
}

export interface EpochRequest {
  /** 0-based. */
  readonly epoch: number;
  readonly minibatchSize: number;
  /** Samples per epoch; 0 = one sweep over the data. */
  readonly epochSize: number;
  /** Number of this worker, from 0, and how many share the data. */
  readonly rank: number;
  readonly workers: number;
}

/**
 * Delivers minibatches in CNTK's order. One call at a time: a call awaits the one before.
 *
 * To add a format, write a folder with a `Deserializer` (deserializer.ts: which sequences there are, and a chunk of them when
 * asked) and a function that reads its section, and name it in reader-from-config.ts; `DataReader` (data-reader.ts) makes a
 * reader of it: order, workers, chunks in memory, packing and prefetching are the same for all formats.
 */
export interface Reader {
  readonly streams: readonly StreamDescription[];
  /** Samples of one sweep over the data, where the reader knows. */
  readonly sweepSamples?: number;
  /**
   * Can every process read its own part of the data? CNTK's older readers cannot: all processes read everything, and each
   * takes its share of every minibatch (IDataReader::SupportsDistributedMBRead).
   */
  readonly readsParts: boolean;
  /** Goes to the start of an epoch. */
  start(request: EpochRequest): Promise<void>;
  /** The next minibatch, or undefined at the end of the epoch. */
  next(): Promise<Minibatch | undefined>;
  /** One of CNTK's older readers, or taken for one: with `truncated` the momentum of a minibatch counts its parallel sequences. */
  readonly isOlder?: boolean;
  /**
   * Parallel sequences of the first minibatch, as far as the reader knows before it; 1 when left out. 0: the reader never tells
   * (CompositeDataReader/Exports.cpp, GetNumParallelSequencesForFixingBPTTMode).
   */
  readonly firstParallelSequences?: number;
  close(): Promise<void>;
}

/** Epoch sizes from here on mean all the data: CNTK's word for it is the largest size_t, which -1 is too. */
const wholeDataSize = 2 ** 62;

/** Samples of an epoch; 0 stands for one sweep. */
export function samplesOfEpoch(epochSize: number, sweepSize: number): number {
  return epochSize > 0 && epochSize < wholeDataSize ? epochSize : sweepSize;
}

/** Work that readers give to other threads, where there are some. */
export interface ReaderThreads {
  /** How many work at a time, beside the reader's own. */
  readonly count: number;
  /** Parses a chunk of text without a word; undefined if that is not possible, and it has to be parsed by the reader itself. */
  parseText(job: ChunkJob): Promise<readonly SequenceBlock[] | undefined>;
}

/** What a reader needs of the world. */
export interface ReaderSurroundings {
  readonly files: FileAccess;
  /** Where warnings about the data go. */
  readonly log: LogSink;
  /** What the network takes; absent where nothing depends on it. */
  readonly elementType?: ElementType;
  /** Decodes pictures; absent where none can be read. */
  readonly pictures?: PictureDecoder;
  /** Absent: everything is read on this thread. */
  readonly readerThreads?: ReaderThreads;
}
