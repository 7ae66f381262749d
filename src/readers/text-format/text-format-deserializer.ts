import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess, RandomAccessFile } from "../../files/file-access.js";
import type { Chunk, Corpus, Deserializer, DeserializerStream, SequenceKey } from "../deserializer.js";
import type { ReaderSurroundings } from "../reader.js";
import type { TextChunk } from "./chunk.js";
import { ChunkStream } from "./chunk.js";
import type { TextFormatOptions } from "./options.js";
import { defaultChunkSize } from "./options.js";
import { DataProblems } from "./problems.js";
import { SequenceParser } from "./sequence-parser.js";
import type { KeyReading, TextIndex } from "./text-index.js";
import { buildTextIndex } from "./text-index.js";

/** Text is read in pieces of this size and never held longer. */
const pieceSize = 2 * 1024 * 1024;

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
  private byKey: Map<SequenceKey, number> | undefined;

  constructor(
    private readonly options: TextFormatOptions,
    { files, log }: ReaderSurroundings,
    keys: KeyReading = { kind: "numeric" },
  ) {
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
      });
      const { maxErrors = 0, traceLevel = 1 } = options;
      const problems = new DataProblems(this.file, options.file, maxErrors, traceLevel, log);
      this.parser = new SequenceParser(inputs, problems, main !== undefined);
    } catch (error) {
      this.file.close();
      throw error;
    }
  }

  get corpus(): Corpus {
    return this.index;
  }

  async chunk(id: number): Promise<Chunk> {
    const blocks = this.loadChunk(id).map((stream) => stream.block());
    return {
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
      (input) => new ChunkStream(input, this.options.elementType, end - first, samples),
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
