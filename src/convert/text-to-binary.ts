import type { ElementType } from "../numerics/values.js";
import type { Chunk } from "../readers/deserializer.js";
import type { TextInput } from "../readers/text-format/options.js";
import { TextFormatDeserializer } from "../readers/text-format/text-format-deserializer.js";
import { BytePieces } from "./byte-pieces.js";
import type { Conversion, Converted } from "./conversion.js";

/** `nib_ktnc`, a little-endian number. */
const magic = 0x636e746b5f62696en;
const version = 1;

export interface TextToBinaryOptions {
  readonly inputs: readonly TextInput[];
  readonly elementType: ElementType;
  /** Bytes of text in a chunk. */
  readonly chunkSize: number;
}

interface WrittenChunk {
  readonly offset: number;
  readonly sequences: number;
  readonly samples: number;
}

/**
 * Writes a text file in CNTK's binary format, chunk by chunk; entries of sparse samples are sorted by their rows, as ctf2bin
 * does. The text is read as CNTKTextFormatReader reads it, and every mistake is one.
 * Source: Scripts/ctf2bin.py.
 */
export async function textToBinary(
  { files, log, source, target, onProgress }: Conversion,
  options: TextToBinaryOptions,
): Promise<Converted> {
  const { inputs, elementType, chunkSize } = options;
  const text = { file: source, inputs, elementType, chunkSizeInBytes: chunkSize };
  const deserializer = new TextFormatDeserializer(text, { files, log });
  try {
    const { firstSequences } = deserializer.corpus;
    const count = firstSequences.length - 1;
    const file = files.create(target);
    try {
      const pieces = new BytePieces(file);
      pieces.uint64(magic);
      pieces.uint32(version);
      const chunks: WrittenChunk[] = [];
      for (let id = 0; id < count; id++) {
        const chunk = await deserializer.chunk(id);
        const sequences = (firstSequences[id + 1] ?? 0) - (firstSequences[id] ?? 0);
        chunks.push(writeChunk(pieces, chunk, sequences, options));
        chunk.release?.();
        onProgress?.((id + 1) / count);
      }
      writeHeader(pieces, chunks, options);
      pieces.flush();
      file.commit();
    } catch (error) {
      file.abort();
      throw error;
    }
    return { path: files.resolve(target), sequences: deserializer.corpus.lengths.length };
  } finally {
    await deserializer.close();
  }
}

function writeChunk(
  pieces: BytePieces,
  chunk: Chunk,
  sequences: number,
  { inputs, elementType }: TextToBinaryOptions,
): WrittenChunk {
  const offset = pieces.position;
  let samples = 0;
  for (let s = 0; s < sequences; s++) {
    const longest = Math.max(...inputs.map((_, stream) => lengthOf(chunk, stream, s)));
    pieces.uint32(longest);
    samples += longest;
  }
  inputs.forEach(({ storage, dimension }, stream) => {
    for (let s = 0; s < sequences; s++) {
      if (storage === "dense") writeDense(pieces, chunk, stream, s, dimension, elementType);
      else writeSparse(pieces, chunk, stream, s, elementType);
    }
  });
  return { offset, sequences, samples };
}

function lengthOf(chunk: Chunk, stream: number, sequence: number): number {
  const { block, index } = chunk.source(stream, sequence);
  return (block.sequenceStarts[index + 1] ?? 0) - (block.sequenceStarts[index] ?? 0);
}

function writeDense(
  pieces: BytePieces,
  chunk: Chunk,
  stream: number,
  sequence: number,
  dimension: number,
  elementType: ElementType,
): void {
  const { block, index } = chunk.source(stream, sequence);
  const [first = 0, end = 0] = block.sequenceStarts.subarray(index, index + 2);
  pieces.uint32(end - first);
  for (let i = first * dimension; i < end * dimension; i++) {
    pieces.float(block.values[i] ?? 0, elementType === "double");
  }
}

function writeSparse(
  pieces: BytePieces,
  chunk: Chunk,
  stream: number,
  sequence: number,
  elementType: ElementType,
): void {
  const { block, index } = chunk.source(stream, sequence);
  const [first = 0, end = 0] = block.sequenceStarts.subarray(index, index + 2);
  const samples = Array.from({ length: end - first }, (_, t) => {
    const [from = 0, to = 0] = block.sampleStarts.subarray(first + t, first + t + 2);
    const entries = Array.from({ length: to - from }, (_, i) => from + i);
    // Of equal rows the order of the file stays.
    return entries.sort((a, b) => (block.rows[a] ?? 0) - (block.rows[b] ?? 0) || a - b);
  });
  const entries = samples.flat();
  pieces.uint32(samples.length);
  pieces.uint32(entries.length);
  for (const entry of entries) pieces.float(block.values[entry] ?? 0, elementType === "double");
  for (const entry of entries) pieces.uint32(block.rows[entry] ?? 0);
  for (const sample of samples) pieces.uint32(sample.length);
}

function writeHeader(
  pieces: BytePieces,
  chunks: readonly WrittenChunk[],
  { inputs, elementType }: TextToBinaryOptions,
): void {
  const offset = pieces.position;
  pieces.uint64(magic);
  pieces.uint32(chunks.length);
  pieces.uint32(inputs.length);
  for (const { name, storage, dimension } of inputs) {
    pieces.byte(storage === "dense" ? 0 : 1);
    pieces.uint32(name.length);
    pieces.ascii(name);
    pieces.byte(elementType === "float" ? 0 : 1);
    pieces.uint32(dimension);
  }
  for (const chunk of chunks) {
    pieces.uint64(chunk.offset);
    pieces.uint32(chunk.sequences);
    pieces.uint32(chunk.samples);
  }
  pieces.uint64(offset);
}
