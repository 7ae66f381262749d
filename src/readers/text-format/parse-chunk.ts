import type { RandomAccessFile } from "../../files/file-access.js";
import type { ElementType } from "../../numerics/values.js";
import type { SequenceBlock, SequenceKey } from "../deserializer.js";
import type { TextChunk } from "./chunk.js";
import { ChunkStream } from "./chunk.js";
import type { TextInput } from "./options.js";
import { DataProblems } from "./problems.js";
import { SequenceParser } from "./sequence-parser.js";

/** Text is read in pieces of this size and never held longer. */
const pieceSize = 256 * 1024;

/** Where the sequences of a chunk lie in the file. */
export interface ChunkPlace {
  /** First byte of each sequence, and the end of the last one. */
  readonly starts: Float64Array;
  /** Samples of each sequence, as the first pass counted them. */
  readonly lengths: Int32Array;
}

/** What another thread needs to know to parse a chunk; plain data that can be copied to it. */
export interface ChunkJob {
  /** Absolute path of the file. */
  readonly path: string;
  readonly inputs: readonly TextInput[];
  readonly elementType: ElementType;
  readonly traceLevel: number;
  /** A stream defines the lengths. */
  readonly hasMainStream: boolean;
  readonly place: ChunkPlace;
}

/**
 * Parses the sequences of a chunk, one after the other. Throws what the parser throws; undefined if the file has become
 * shorter than it was when it was indexed.
 */
export function parseChunk(
  file: RandomAccessFile,
  parser: SequenceParser,
  { inputs, elementType }: Pick<ChunkJob, "inputs" | "elementType">,
  { starts, lengths }: ChunkPlace,
  key: (sequence: number) => SequenceKey,
): TextChunk | undefined {
  const count = lengths.length;
  const chunkEnd = starts[count] as number;
  const samples = lengths.reduce((sum, length) => sum + length, 0);
  const streams = inputs.map((input) => new ChunkStream(input, elementType, count, samples));
  let readEnd = 0;
  let room: Uint8Array | undefined;
  for (let s = 0; s < count; s++) {
    const begin = starts[s] as number;
    const end = starts[s + 1] as number;
    if (end > readEnd) {
      const length = Math.min(Math.max(pieceSize, end - begin), chunkEnd - begin);
      const bytes = file.read(begin, length, room);
      if (bytes.length > (room?.length ?? 0)) room = bytes;
      if (bytes.length < length) return undefined;
      parser.setBytes(bytes, begin);
      readEnd = begin + length;
    }
    parser.parse(begin, end, s, { key: key(s), samples: lengths[s] as number }, streams);
  }
  for (const stream of streams) stream.trim();
  return streams;
}

/**
 * Parses a chunk on a thread that can neither log nor count errors: undefined as soon as there is anything to say about the
 * data. Whoever asked then parses the chunk again where warnings, `maxErrors` and messages have their place and order.
 */
export function parseCleanChunk(file: RandomAccessFile, job: ChunkJob): readonly SequenceBlock[] | undefined {
  const refuse = { write: (): never => fail() };
  const problems = new DataProblems(file, job.path, 0, Math.max(job.traceLevel, 1), refuse);
  const parser = new SequenceParser(job.inputs, problems, job.hasMainStream);
  try {
    return parseChunk(file, parser, job, job.place, (sequence) => sequence)?.map((stream) => stream.block());
  } catch {
    return undefined;
  }
}

function fail(): never {
  throw new Error("there is something to say about the data");
}
