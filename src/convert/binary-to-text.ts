import type { PendingFile } from "../files/file-access.js";
import type { ElementType } from "../numerics/values.js";
import { BinaryDeserializer } from "../readers/binary-format/binary-deserializer.js";
import type { Chunk, DeserializerStream } from "../readers/deserializer.js";
import type { Conversion, Converted } from "./conversion.js";

/**
 * Writes a binary file in CNTK's text format. Sequences are numbered where one has more than a sample; numbers are as short as
 * they can be and still read as the same number.
 */
export async function binaryToText(
  { files, source, target, log, onProgress }: Conversion,
  elementType: ElementType,
): Promise<Converted> {
  const deserializer = new BinaryDeserializer(source, elementType, new Map(), { files, log });
  const file = files.create(target);
  try {
    const { firstSequences, lengths } = deserializer.corpus;
    const withNumbers = lengths.some((length) => length !== 1);
    for (let id = 0; id + 1 < firstSequences.length; id++) {
      const chunk = await deserializer.chunk(id);
      const first = firstSequences[id] ?? 0;
      const count = (firstSequences[id + 1] ?? 0) - first;
      writeSequences(file, chunk, deserializer.streams, { first, count, withNumbers });
      chunk.release?.();
      onProgress?.((id + 1) / (firstSequences.length - 1));
    }
    file.commit();
    return { path: files.resolve(target), sequences: lengths.length };
  } catch (error) {
    file.abort();
    throw error;
  } finally {
    await deserializer.close();
  }
}

/** Text is handed on when it has become this long. */
const pieceLength = 1 << 20;

function writeSequences(
  file: PendingFile,
  chunk: Chunk,
  streams: readonly DeserializerStream[],
  range: { readonly first: number; readonly count: number; readonly withNumbers: boolean },
): void {
  let text = "";
  for (let s = 0; s < range.count; s++) {
    const lines = streams.map((stream, i) => linesOf(chunk, stream, i, s));
    const longest = Math.max(...lines.map((own) => own.length));
    for (let t = 0; t < longest; t++) {
      const parts = lines.flatMap((own) => own[t] ?? []);
      text += (range.withNumbers ? `${range.first + s} ` : "") + parts.join(" ") + "\n";
    }
    if (text.length < pieceLength) continue;
    file.write(text);
    text = "";
  }
  file.write(text);
}

/** A stream's samples of a sequence, as they stand in a line. */
function linesOf(
  chunk: Chunk,
  { name, dimension }: DeserializerStream,
  stream: number,
  sequence: number,
): string[] {
  const { block, index } = chunk.source(stream, sequence);
  const [first = 0, end = 0] = block.sequenceStarts.subarray(index, index + 2);
  const isFloat = block.values instanceof Float32Array;
  return Array.from({ length: end - first }, (_, t) => {
    const sample = first + t;
    if (block.storage === "dense") {
      const values = Array.from(
        block.values.subarray(sample * dimension, (sample + 1) * dimension),
        (value) => numberText(value, isFloat),
      );
      return `|${name} ${values.join(" ")}`;
    }
    const entries: string[] = [];
    for (let i = block.sampleStarts[sample] ?? 0; i < (block.sampleStarts[sample + 1] ?? 0); i++) {
      entries.push(` ${block.rows[i]}:${numberText(block.values[i] ?? 0, isFloat)}`);
    }
    return `|${name}${entries.join("")}`;
  });
}

/** The shortest text that reads as the same float or double. */
function numberText(value: number, isFloat: boolean): string {
  if (!isFloat) return String(value);
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}
