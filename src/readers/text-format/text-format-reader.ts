import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess, RandomAccessFile } from "../../files/file-access.js";
import type { LogSink } from "../../log/log.js";
import {
  type AxisLayout,
  type Minibatch,
  packFrames,
  packSequences,
  type StreamData,
  type StreamMinibatch,
} from "../../minibatch/index.js";
import { newValues, type ElementType, type Values } from "../../numerics/values.js";
import type { EpochRequest, Reader, StreamDescription } from "../reader.js";
import type { Selection } from "../sequence-order.js";
import { SequenceOrder } from "../sequence-order.js";
import type { TextChunk } from "./chunk.js";
import { ChunkStream } from "./chunk.js";
import type { TextFormatOptions } from "./options.js";
import { defaultChunkSize, defaultWindowInBytes } from "./options.js";
import { DataProblems } from "./problems.js";
import { SequenceParser } from "./sequence-parser.js";
import type { TextIndex } from "./text-index.js";
import { buildTextIndex } from "./text-index.js";

/** What a reader needs of the world. */
export interface ReaderSurroundings {
  readonly files: FileAccess;
  /** Where warnings about the data go. */
  readonly log: LogSink;
}

/** Text is read in pieces of this size and never held longer. */
const pieceSize = 2 * 1024 * 1024;

/**
 * Opens a file in CNTK's text format, finds its sequences (the first of two passes) and delivers minibatches. Chunks are
 * parsed when the randomization window reaches them. Throws CntkError `file-missing`, `data-format`, and while reading
 * `data-format` and `data-malformed` with line and column.
 * Source: Source/Readers/CNTKTextFormatReader.
 */
export async function createTextFormatReader(
  options: TextFormatOptions,
  surroundings: ReaderSurroundings,
): Promise<TextFormatReader> {
  return new TextFormatReader(options, surroundings);
}

/** A Reader on a CNTK text file. */
export class TextFormatReader implements Reader {
  readonly streams: readonly StreamDescription[];
  readonly index: TextIndex;
  private readonly file: RandomAccessFile;
  private readonly parser: SequenceParser;
  private readonly order: SequenceOrder;
  private readonly elementType: ElementType;
  private readonly chunkOf: Int32Array;
  private chunks = new Map<number, TextChunk>();
  private minibatchSize = 1;

  get sweepSamples(): number {
    return this.order.sweepSize;
  }

  constructor(
    private readonly options: TextFormatOptions,
    { files, log }: ReaderSurroundings,
  ) {
    const { inputs } = options;
    this.elementType = options.elementType;
    this.streams = inputs.map(({ name, dimension, storage }) => ({ name, dimension, storage }));
    this.file = openData(files, options.file);
    const chunkSizeInBytes = options.chunkSizeInBytes ?? defaultChunkSize;
    const main = inputs.find((input) => input.definesMinibatchSize);
    try {
      this.index = buildTextIndex(this.file, options.file, {
        chunkSizeInBytes,
        skipSequenceIds: options.skipSequenceIds ?? false,
        ...(main ? { mainAlias: main.alias } : {}),
      });
      this.order = this.createOrder(chunkSizeInBytes);
    } catch (error) {
      this.file.close();
      throw error;
    }
    const problems = new DataProblems(
      this.file,
      options.file,
      options.maxErrors ?? 0,
      options.traceLevel ?? 1,
      log,
    );
    this.parser = new SequenceParser(inputs, problems, main !== undefined);
    this.chunkOf = chunkOfEachSequence(this.index.firstSequences);
  }

  async start(request: EpochRequest): Promise<void> {
    if (request.minibatchSize < 1) {
      throw new CntkError({ code: "minibatch-size", message: "Minibatch size cannot be zero." });
    }
    this.minibatchSize = request.minibatchSize;
    this.order.startEpoch(request.epoch, request.epochSize);
  }

  async next(): Promise<Minibatch | undefined> {
    const selection = this.order.next(this.minibatchSize);
    if (selection === undefined || selection.sequences.length === 0) return undefined;
    this.load(selection);
    return this.pack(selection.sequences);
  }

  async close(): Promise<void> {
    this.chunks.clear();
    this.file.close();
  }

  /** Parses one chunk of the file; for measurements too. */
  loadChunk(chunk: number): TextChunk {
    const { index, file, parser } = this;
    const first = index.firstSequences[chunk] as number;
    const end = index.firstSequences[chunk + 1] as number;
    const endOf = (sequence: number): number => index.starts[sequence + 1] ?? index.fileSize;
    const chunkEnd = endOf(end - 1);
    let samples = 0;
    for (let s = first; s < end; s++) samples += index.lengths[s] as number;
    const streams = this.options.inputs.map(
      (input) => new ChunkStream(input, this.elementType, end - first, samples),
    );
    let readEnd = 0;
    for (let s = first; s < end; s++) {
      const begin = index.starts[s] as number;
      if (endOf(s) > readEnd) {
        const length = Math.min(Math.max(pieceSize, endOf(s) - begin), chunkEnd - begin);
        const bytes = file.read(begin, length);
        if (bytes.length < length) throw this.truncated();
        parser.setBytes(bytes, begin);
        readEnd = begin + length;
      }
      parser.parse(
        begin,
        endOf(s),
        s - first,
        { key: index.key(s), samples: index.lengths[s] as number },
        streams,
      );
    }
    for (const stream of streams) stream.trim();
    return streams;
  }

  private truncated(): CntkError {
    return new CntkError({
      code: "data-format",
      message: `Could not read from the input file (${this.options.file}).`,
      hint: "the file became shorter while it was being read",
    });
  }

  private createOrder(chunkSizeInBytes: number): SequenceOrder {
    const { options } = this;
    const sampleBased = options.sampleBasedRandomizationWindow ?? false;
    const automatic = sampleBased ? Infinity : Math.floor(defaultWindowInBytes / chunkSizeInBytes);
    const window = options.randomize === false ? 0 : (options.randomizationWindow ?? automatic);
    const order = new SequenceOrder(
      this.index,
      window > 0 ? { window, sampleBased, seed: options.randomizationSeed ?? 0 } : undefined,
    );
    if (order.sweepSize > 0) return order;
    throw new CntkError({
      code: "data-format",
      message: `CNTKTextFormatReader: While reading '${options.file}': Expected input to contain samples, but the number of successfully read samples was 0.`,
    });
  }

  /** Brings the chunks of a minibatch's window into memory and lets the others go. */
  private load(selection: Selection): void {
    const held = new Map<number, TextChunk>();
    const kept = this.options.keepDataInMemory ? this.chunks.keys() : selection.chunks;
    for (const chunk of kept) {
      const loaded = this.chunks.get(chunk);
      if (loaded) held.set(chunk, loaded);
    }
    this.chunks = held;
    for (const chunk of selection.chunks) {
      if (!held.has(chunk)) held.set(chunk, this.loadChunk(chunk));
    }
  }

  private pack(sequences: readonly number[]): Minibatch {
    const streams = new Map<string, StreamMinibatch>();
    let columns = 0;
    let shared: { lengths: Int32Array; layout: AxisLayout } | undefined;
    const places = sequences.map((sequence) => {
      const chunk = this.chunkOf[sequence] as number;
      return { chunk, index: sequence - (this.index.firstSequences[chunk] as number) };
    });
    this.streams.forEach((description, s) => {
      const sources = places.map(({ chunk, index }) => ({
        stream: this.chunks.get(chunk)?.[s] as ChunkStream,
        index,
      }));
      const lengths = Int32Array.from(sources, ({ stream, index }) => stream.length(index));
      if (shared === undefined || !equal(shared.lengths, lengths)) {
        shared = { lengths, layout: this.options.frameMode ? packFrames(lengths) : packSequences(lengths) };
      }
      const { layout } = shared;
      columns = Math.max(columns, layout.rows * layout.steps);
      const { dimension } = description;
      streams.set(
        description.name,
        description.storage === "dense"
          ? { dimension, layout, data: packDense(sources, layout, dimension, this.elementType) }
          : { dimension, layout, data: packSparse(sources, layout, this.elementType) },
      );
    });
    return { streams, columns };
  }
}

interface SequenceSource {
  readonly stream: ChunkStream;
  /** Number of the sequence in its chunk. */
  readonly index: number;
}

function packDense(
  sources: readonly SequenceSource[],
  layout: AxisLayout,
  dimension: number,
  elementType: ElementType,
): StreamData {
  const result: Values = newValues(elementType, dimension * layout.rows * layout.steps);
  for (const { row, begin, length, sequence } of layout.sequences) {
    const { stream, index } = sources[sequence] as SequenceSource;
    const first = stream.sequenceStarts[index] as number;
    for (let t = 0; t < length; t++) {
      const from = (first + t) * dimension;
      result.set(
        stream.values.values.subarray(from, from + dimension),
        ((begin + t) * layout.rows + row) * dimension,
      );
    }
  }
  return { storage: "dense", values: result };
}

function packSparse(
  sources: readonly SequenceSource[],
  layout: AxisLayout,
  elementType: ElementType,
): StreamData {
  const columns = layout.rows * layout.steps;
  // First the number of values of each column, then their sums.
  const columnStarts = new Int32Array(columns + 1);
  const eachColumn = (
    visit: (column: number, stream: ChunkStream, from: number, to: number) => void,
  ): void => {
    for (const { row, begin, length, sequence } of layout.sequences) {
      const { stream, index } = sources[sequence] as SequenceSource;
      const first = stream.sequenceStarts[index] as number;
      for (let t = 0; t < length; t++) {
        const from = stream.sampleStarts[first + t] as number;
        const to = stream.sampleStarts[first + t + 1] as number;
        visit((begin + t) * layout.rows + row, stream, from, to);
      }
    }
  };
  eachColumn((column, _, from, to) => {
    columnStarts[column + 1] = to - from;
  });
  for (let column = 0; column < columns; column++) {
    columnStarts[column + 1] = (columnStarts[column + 1] as number) + (columnStarts[column] as number);
  }
  const values = newValues(elementType, columnStarts[columns] as number);
  const rows = new Int32Array(values.length);
  eachColumn((column, stream, from, to) => {
    values.set(stream.values.values.subarray(from, to), columnStarts[column]);
    rows.set(stream.rows.subarray(from, to), columnStarts[column]);
  });
  return { storage: "sparse", values, rows, columnStarts };
}

function chunkOfEachSequence(firstSequences: Int32Array): Int32Array {
  const chunks = new Int32Array(firstSequences[firstSequences.length - 1] as number);
  for (let chunk = 0; chunk + 1 < firstSequences.length; chunk++) {
    chunks.fill(chunk, firstSequences[chunk], firstSequences[chunk + 1]);
  }
  return chunks;
}

function equal(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** Opens the data file; a missing one is CNTK's error and, for MNIST's text files, a word on how to make them. */
function openData(files: FileAccess, path: string): RandomAccessFile {
  if (files.exists(path)) return files.open(path);
  const isMnist = /28x28_cntk_text\.txt$/.test(path);
  const directory = path.replace(/[/\\]?[^/\\]*$/, "") || ".";
  throw new CntkError({
    code: "file-missing",
    message: `CNTKTextFormatReader: While reading '${path}': error opening file '${path}': No such file or directory`,
    hint: isMnist
      ? `cntkts mnist ${directory} makes the MNIST text files`
      : "check the path; a relative one counts from the current directory",
  });
}
