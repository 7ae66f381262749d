import { joinPieces } from "../files/join-pieces.js";
import type { SampleShape } from "../network/network.js";
import type { Values } from "../numerics/values.js";

/** An array under a name, column-major as in CNTK. */
export interface NamedArray {
  readonly name: string;
  readonly shape: SampleShape;
  readonly values: Values;
}

/**
 * Arrays as the bytes of one .npz file for `numpy.load`: names as keys, CNTK's dimensions, elements row by row as numpy has
 * them by default. The archive is stored, not compressed.
 */
export function numpyArchive(arrays: readonly NamedArray[]): Uint8Array {
  const files: ArchivedFile[] = [];
  const central: Uint8Array[] = [];
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (const { name, shape, values } of arrays) {
    const content = numpyArray(shape, values);
    const file = { name: encoder.encode(`${name}.npy`), content, checksum: crc32(content), offset };
    const header = localHeader(file);
    pieces.push(header, file.name, content);
    offset += header.length + file.name.length + content.length;
    files.push(file);
  }
  for (const file of files) central.push(centralHeader(file), file.name);
  const size = central.reduce((sum, piece) => sum + piece.length, 0);
  return joinPieces([...pieces, ...central, endRecord(files.length, size, offset)]);
}

const encoder = new TextEncoder();

interface ArchivedFile {
  readonly name: Uint8Array;
  readonly content: Uint8Array;
  readonly checksum: number;
  readonly offset: number;
}

/** Version 1.0 of numpy's format: a text that describes, padded to 64 bytes, and the elements. */
function numpyArray(shape: SampleShape, values: Values): Uint8Array {
  const kind = values instanceof Float32Array ? "<f4" : "<f8";
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const description = `{'descr': '${kind}', 'fortran_order': False, 'shape': (${dims}), }`;
  const length = Math.ceil((10 + description.length + 1) / 64) * 64 - 10;
  const start = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8);
  const rows = rowMajor(values, shape);
  return joinPieces([
    start,
    encoder.encode(`${description.padEnd(length - 1)}\n`),
    new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength),
  ]);
}

/** The elements with the last axis fastest. */
function rowMajor(values: Values, shape: SampleShape): Values {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, dim) => product * dim, 1));
  const place = shape.map(() => 0);
  let from = 0;
  return values.map(() => {
    const value = values[from] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (place[axis] ?? 0) + 1;
      from += strides[axis] ?? 0;
      if (next < (shape[axis] ?? 0)) {
        place[axis] = next;
        break;
      }
      from -= next * (strides[axis] ?? 0);
      place[axis] = 0;
    }
    return value;
  });
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 255] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Little-endian numbers of 2 and 4 bytes. */
function record(...fields: readonly (readonly [bytes: 2 | 4, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, [count]) => sum + count, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [count, value] of fields) {
    if (count === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += count;
  }
  return bytes;
}

/** What both headers of a file say: version, names in UTF-8, stored, the first day of 1980, checksum and sizes. */
const about = ({ name, content, checksum }: ArchivedFile): (readonly [2 | 4, number])[] => [
  [2, 20],
  [2, 0x800],
  [2, 0],
  [2, 0],
  [2, 0x21],
  [4, checksum],
  [4, content.length],
  [4, content.length],
  [2, name.length],
  [2, 0],
];

const localHeader = (file: ArchivedFile): Uint8Array => record([4, 0x04034b50], ...about(file));

const centralHeader = (file: ArchivedFile): Uint8Array =>
  record([4, 0x02014b50], [2, 20], ...about(file), [2, 0], [2, 0], [2, 0], [4, 0], [4, file.offset]);

const endRecord = (count: number, size: number, offset: number): Uint8Array =>
  record([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]);
