import { type ArchiveCursor, view } from "./archive-cursor.js";

const { fround } = Math;

/** Frames of an utterance: one a row. */
export interface ArchiveMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Row after row. */
  readonly values: Float32Array;
}

/** What a matrix is kept as: its token in the file. */
type Kind = "FM" | "DM" | "CM" | "CM2" | "CM3";

/** Bytes of one number. */
const sizes: Readonly<Record<Kind, number>> = { FM: 4, DM: 8, CM: 1, CM2: 2, CM3: 1 };

/** Header of a compressed matrix: the least number, the span of all, and its size. */
interface Header {
  readonly kind: Kind;
  readonly least: number;
  readonly span: number;
  readonly rows: number;
  readonly columns: number;
}

/** Is the value at the cursor binary? Passes over the mark that says so. */
export function isBinary(cursor: ArchiveCursor): boolean {
  if (cursor.peek() !== 0) return false;
  const [, letter] = cursor.take(2);
  if (letter !== "B".charCodeAt(0))
    throw cursor.problem("expected a value in Kaldi's binary form", cursor.offset - 1);
  return true;
}

/**
 * Reads a matrix: of floats, of doubles, compressed in any of the three ways, or as text.
 * @throws CntkError `kaldi-file` with the byte.
 * Source: Kaldi, matrix/kaldi-matrix.cc and matrix/compressed-matrix.cc.
 */
export function readMatrix(cursor: ArchiveCursor): ArchiveMatrix {
  if (!isBinary(cursor)) return readTextMatrix(cursor);
  const header = readHeader(cursor);
  const { kind, rows, columns } = header;
  const values = kind === "CM" ? columnCoded(cursor, header) : plainCoded(cursor, header);
  return { rows, columns, values };
}

/** Passes over a matrix. */
export function skipMatrix(cursor: ArchiveCursor): void {
  if (!isBinary(cursor)) {
    readTextMatrix(cursor);
    return;
  }
  const { kind, rows, columns } = readHeader(cursor);
  cursor.skip((kind === "CM" ? columnHeaderSize * columns : 0) + rows * columns * sizes[kind]);
}

function readHeader(cursor: ArchiveCursor): Header {
  const start = cursor.offset;
  const kind = cursor.token(16);
  if (!(kind in sizes)) throw cursor.problem(`expected a matrix, found '${kind}'`, start);
  cursor.skip(1);
  const isPlain = kind === "FM" || kind === "DM";
  const least = isPlain ? 0 : cursor.float();
  const span = isPlain ? 0 : cursor.float();
  const rows = isPlain ? cursor.sizedInteger() : cursor.integer();
  const columns = isPlain ? cursor.sizedInteger() : cursor.integer();
  if (rows < 0 || columns < 0) throw cursor.problem(`a matrix of ${rows} x ${columns}`, start);
  return { kind: kind as Kind, least, span, rows, columns };
}

/** Numbers one by one: as they are, or as a share of the span. */
function plainCoded(cursor: ArchiveCursor, { kind, least, span, rows, columns }: Header): Float32Array {
  const count = rows * columns;
  const data = view(cursor.take(count * sizes[kind]));
  const step = fround(span / (kind === "CM2" ? 65535 : 255));
  const read: Readonly<Record<Exclude<Kind, "CM">, (i: number) => number>> = {
    FM: (i) => data.getFloat32(4 * i, true),
    DM: (i) => data.getFloat64(8 * i, true),
    CM2: (i) => least + fround(step * data.getUint16(2 * i, true)),
    CM3: (i) => least + fround(step * data.getUint8(i)),
  };
  const at = read[kind as Exclude<Kind, "CM">];
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = at(i);
  return values;
}

const columnHeaderSize = 8;

/** One byte a number, column after column: where it lies between the least, the quarters and the greatest of its column. */
function columnCoded(cursor: ArchiveCursor, { least, span, rows, columns }: Header): Float32Array {
  const headers = view(cursor.take(columnHeaderSize * columns).slice());
  const bytes = cursor.take(rows * columns);
  const values = new Float32Array(rows * columns);
  const marks = new Float32Array(4);
  for (let column = 0; column < columns; column++) {
    for (let i = 0; i < 4; i++) {
      const code = headers.getUint16(columnHeaderSize * column + 2 * i, true);
      marks[i] = least + fround(fround(span * fround(1.52590218966964e-5)) * code);
    }
    const [lowest = 0, quarter = 0, threeQuarters = 0, greatest = 0] = marks;
    for (let row = 0; row < rows; row++) {
      const code = bytes[column * rows + row] ?? 0;
      let value: number;
      if (code <= 64) value = lowest + share(quarter - lowest, code, 1 / 64);
      else if (code <= 192) value = quarter + share(threeQuarters - quarter, code - 64, 1 / 128);
      else value = threeQuarters + share(greatest - threeQuarters, code - 192, 1 / 63);
      values[row * columns + column] = value;
    }
  }
  return values;
}

/** Kaldi multiplies in floats, then by the step in doubles. */
function share(span: number, steps: number, step: number): number {
  return fround(fround(span) * steps) * step;
}

/** `[`, a line for each row, `]`. */
function readTextMatrix(cursor: ArchiveCursor): ArchiveMatrix {
  cursor.skipLines();
  if (cursor.token() !== "[") throw cursor.problem("expected a matrix: [ … ]");
  const values: number[] = [];
  let columns = -1;
  let inRow = 0;
  const endRow = (): void => {
    if (inRow > 0 && columns >= 0 && inRow !== columns) {
      throw cursor.problem(`a row of ${inRow} numbers, where the ones before have ${columns}`);
    }
    if (inRow > 0) columns = inRow;
    inRow = 0;
  };
  for (;;) {
    const word = cursor.token();
    if (word === "]") break;
    if (word === "") {
      if (cursor.atEnd) throw cursor.problem("a matrix without its ]");
      endRow();
      cursor.skip(1);
      continue;
    }
    const value = Number(/^[+-]?inf$|^nan$/i.test(word) ? word.replace(/inf/i, "Infinity") : word);
    if (Number.isNaN(value) && !/^nan$/i.test(word))
      throw cursor.problem(`expected a number, found '${word}'`);
    values.push(value);
    inRow++;
  }
  endRow();
  const width = Math.max(columns, 0);
  return { rows: width === 0 ? 0 : values.length / width, columns: width, values: Float32Array.from(values) };
}
