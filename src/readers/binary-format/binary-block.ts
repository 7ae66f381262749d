import { newValues, type ElementType, type Values } from "../../numerics/values.js";
import type { SequenceBlock } from "../deserializer.js";
import { type BinaryInput, viewOf } from "./binary-file.js";

/** A block of one input, and the position behind it. */
export interface ReadBlock {
  readonly block: SequenceBlock;
  readonly end: number;
}

/** Says what is wrong; never returns. */
export type Complain = (text: string) => Error;

/**
 * Reads the sequences of one input of a chunk: for each the number of samples, then the numbers (dense), or the number of
 * values, the values, their rows and how many each sample has (sparse). Nothing is read beyond the chunk's bytes.
 * Source: Source/Readers/CNTKBinaryReader/BinaryDataDeserializer.h.
 */
export function readBlock(
  bytes: Uint8Array,
  begin: number,
  sequences: number,
  input: BinaryInput,
  elementType: ElementType,
  complain: Complain,
): ReadBlock {
  const view = viewOf(bytes);
  const elementSize = elementType === "float" ? 4 : 8;
  const sequenceStarts = new Int32Array(sequences + 1);
  const pieces: { readonly at: number; readonly count: number; readonly samples: number }[] = [];
  let position = begin;
  const count = (what: string): number => {
    if (position + 4 > bytes.length)
      throw complain(`${what} of '${input.name}' stands behind the end of the chunk`);
    position += 4;
    return view.getUint32(position - 4, true);
  };
  let values = 0;
  for (let s = 0; s < sequences; s++) {
    const samples = count("the length of a sequence");
    const entries = input.storage === "dense" ? samples * input.dimension : count("the number of values");
    const perEntry = input.storage === "dense" ? elementSize : elementSize + 4;
    const size = entries * perEntry + (input.storage === "dense" ? 0 : 4 * samples);
    if (size > bytes.length - position) {
      throw complain(`sequence ${s} of '${input.name}' reaches beyond the end of its chunk`);
    }
    pieces.push({ at: position, count: entries, samples });
    values += entries;
    sequenceStarts[s + 1] = (sequenceStarts[s] ?? 0) + samples;
    position += size;
  }
  const result = newValues(elementType, values);
  const sparse = input.storage === "sparse";
  const rows = new Int32Array(sparse ? values : 0);
  const sampleStarts = new Int32Array(sparse ? (sequenceStarts[sequences] ?? 0) + 1 : 0);
  let to = 0;
  let sample = 0;
  for (const piece of pieces) {
    copyValues(bytes, piece.at, piece.count, result, to);
    if (sparse) {
      const rowsAt = piece.at + piece.count * elementSize;
      const countsAt = rowsAt + 4 * piece.count;
      for (let i = 0; i < piece.count; i++) {
        const row = view.getInt32(rowsAt + 4 * i, true);
        if (row < 0 || row >= input.dimension) {
          throw complain(`a value of '${input.name}' stands in row ${row} of ${input.dimension}`);
        }
        rows[to + i] = row;
      }
      let rest = piece.count;
      for (let i = 0; i < piece.samples; i++) {
        const entries = view.getInt32(countsAt + 4 * i, true);
        if (entries < 0 || entries > rest)
          throw complain(`the samples of '${input.name}' hold too many values`);
        rest -= entries;
        sampleStarts[sample + 1] = (sampleStarts[sample] ?? 0) + entries;
        sample++;
      }
      if (rest > 0) throw complain(`the samples of '${input.name}' hold too few values`);
    }
    to += piece.count;
  }
  return {
    block: { storage: input.storage, values: result, sequenceStarts, sampleStarts, rows },
    end: position,
  };
}

/** Little-endian numbers that may begin at any byte. */
function copyValues(bytes: Uint8Array, at: number, count: number, to: Values, start: number): void {
  const size = to.BYTES_PER_ELEMENT;
  const aligned = bytes.slice(at, at + count * size).buffer;
  to.set(to instanceof Float32Array ? new Float32Array(aligned) : new Float64Array(aligned), start);
}
