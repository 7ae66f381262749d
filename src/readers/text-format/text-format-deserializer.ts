import { attempted, retried, retryLines } from "../../diagnostics/attempts.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess, RandomAccessFile } from "../../files/file-access.js";
import { missingFileHint } from "../../files/missing-file.js";
import type {
  Chunk,
  Corpus,
  Deserializer,
  DeserializerStream,
  SequenceBlock,
  SequenceKey,
} from "../deserializer.js";
import type { ReaderSurroundings } from "../reader.js";
import type { TextChunk } from "./chunk.js";
import type { TextFormatOptions } from "./options.js";
import { defaultChunkSize } from "./options.js";
import { type ChunkPlace, parseChunk } from "./parse-chunk.js";
import { DataProblems } from "./problems.js";
import { SequenceParser } from "./sequence-parser.js";
import type { KeyReading, TextIndex } from "./text-index.js";
import { buildTextIndex } from "./text-index.js";

/** Chunks of fewer bytes are parsed before another thread has started. */
const worthThread = 4 * 1024 * 1024;

/**
 * A file in CNTK's text format: finds its sequences when it is opened (the first of two passes), parses a chunk when it is
 * asked for. Throws CntkError `file-missing`, `data-format`, and while reading `data-format` and `data-malformed` with line
 * and column.
 * Source: Source/Readers/CNTKTextFormatReader/TextParser.cpp.
 */
export class TextFormatDeserializer implements Deserializer {
  readonly streams: readonly DeserializerStream[];
  readonly index: TextIndex;
  private readonly file: RandomAccessFile;
  private readonly parser: SequenceParser;
  private readonly problems: DataProblems;
  private byKey: Map<SequenceKey, number> | undefined;
  /** Chunks that other threads parse, or have parsed. */
  private readonly ahead = new Map<number, Promise<readonly SequenceBlock[] | undefined>>();

  constructor(
    private readonly options: TextFormatOptions,
    private readonly surroundings: ReaderSurroundings,
    keys: KeyReading = { kind: "numeric" },
  ) {
    const { files, log } = surroundings;
    const { inputs, elementType } = options;
    this.streams = inputs.map(({ name, dimension, storage, definesMinibatchSize }) => ({
      name,
      dimension,
      storage,
      elementType,
      sampleShape: [dimension],
      definesMinibatchSize: definesMinibatchSize ?? false,
    }));
    this.file = openData(files, options.file);
    const main = inputs.find((input) => input.definesMinibatchSize);
    try {
      this.index = buildTextIndex(this.file, options.file, {
        chunkSizeInBytes: options.chunkSizeInBytes ?? defaultChunkSize,
        skipSequenceIds: options.skipSequenceIds ?? false,
        mainAlias: main?.alias,
        keys,
        log,
      });
      const { maxErrors = 0, traceLevel = 1 } = options;
      this.problems = new DataProblems(this.file, options.file, maxErrors, traceLevel, log);
      this.parser = new SequenceParser(inputs, this.problems, main !== undefined);
    } catch (error) {
      this.file.close();
      throw error;
    }
  }

  get corpus(): Corpus {
    return this.index;
  }

  prepare(now: readonly number[], later: readonly number[]): void {
    const { readerThreads, files } = this.surroundings;
    if (readerThreads === undefined) return;
    // A single thread is no faster than this one, which would wait for it to start.
    const ids = readerThreads.count > 1 ? [...now, ...later] : later;
    for (const id of this.ahead.keys()) if (![...now, ...later].includes(id)) this.ahead.delete(id);
    const places = new Map(ids.map((id) => [id, this.place(id)]));
    const bytes = [...places.values()].reduce((sum, { starts }) => sum + spanOf(starts), 0);
    if (bytes < worthThread) return;
    const { inputs, elementType, file, traceLevel = 1 } = this.options;
    const hasMainStream = inputs.some((input) => input.definesMinibatchSize);
    const path = files.resolve(file);
    for (const [id, place] of places) {
      const job = { path, inputs, elementType, traceLevel, hasMainStream, place };
      if (!this.ahead.has(id)) this.ahead.set(id, readerThreads.parseText(job));
    }
  }

  async chunk(id: number): Promise<Chunk> {
    const parsed = await this.ahead.get(id);
    this.ahead.delete(id);
    const blocks = parsed ?? this.loadPatiently(id).map((stream) => stream.block());
    return {
      bytes: blocks.reduce((sum, block) => sum + bytesOf(block), 0),
      source: (stream, index) => {
        const block = blocks[stream];
        if (block === undefined) throw new Error(`there is no stream ${stream}`);
        return { block, index };
      },
    };
  }

  key(sequence: number): SequenceKey {
    return this.index.key(sequence);
  }

  find(key: SequenceKey): number | undefined {
    if (this.byKey === undefined) {
      this.byKey = new Map();
      const count = this.index.lengths.length;
      for (let s = count - 1; s >= 0; s--) this.byKey.set(this.index.key(s), s);
    }
    return this.byKey.get(key);
  }

  async close(): Promise<void> {
    this.file.close();
  }

  /** Parses one chunk of the file, here and now; for measurements too. */
  loadChunk(chunk: number): TextChunk {
    const first = this.index.firstSequences[chunk] as number;
    const parsed = parseChunk(this.file, this.parser, this.options, this.place(chunk), (sequence) =>
      this.index.key(first + sequence),
    );
    if (parsed === undefined) throw this.truncated();
    return parsed;
  }

  /** Each try of CNTK's reads the chunk from its beginning and warns again; errors that were passed over once count no more. */
  private loadPatiently(chunk: number): TextChunk {
    return retried(
      () => this.loadChunk(chunk),
      this.surroundings.log,
      (error) => this.problems.sentenceOf(error),
    );
  }

  private place(chunk: number): ChunkPlace {
    const { firstSequences, starts, lengths, fileSize } = this.index;
    const first = firstSequences[chunk] as number;
    const end = firstSequences[chunk + 1] as number;
    const bounds = new Float64Array(end - first + 1);
    bounds.set(starts.subarray(first, end + 1));
    if (end === starts.length) bounds[end - first] = fileSize;
    return { starts: bounds, lengths: lengths.slice(first, end) };
  }

  private truncated(): CntkError {
    return new CntkError({
      code: "data-format",
      message: `Could not read from the input file (${this.options.file}).`,
      hint: "the file became shorter while it was being read",
    });
  }
}

/** What a block takes in memory, in bytes. */
function bytesOf({ values, rows, sequenceStarts, sampleStarts }: SequenceBlock): number {
  return values.byteLength + rows.byteLength + sequenceStarts.byteLength + sampleStarts.byteLength;
}

/** Bytes of a chunk's text. */
function spanOf(starts: Float64Array): number {
  return (starts[starts.length - 1] ?? 0) - (starts[0] ?? 0);
}

/** Opens the data file; a missing one is CNTK's error and, for MNIST's text files, a word on how to make them. */
function openData(files: FileAccess, path: string): RandomAccessFile {
  if (files.exists(path)) return attempted(() => files.open(path));
  const isMnist = /28x28_cntk_text\.txt$/.test(path);
  const directory = path.replace(/[/\\]?[^/\\]*$/, "") || ".";
  const sentence = `error opening file '${path}': No such file or directory`;
  throw new CntkError({
    code: "file-missing",
    message: `CNTKTextFormatReader: While reading '${path}': ${sentence}`,
    logged: retryLines(sentence),
    hint: isMnist ? `cntkts mnist ${directory} makes the MNIST text files` : missingFileHint(files, path),
  });
}
