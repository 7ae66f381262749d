import { CntkError } from "../diagnostics/diagnostic.js";
import type { ElementType, Values } from "../numerics/values.js";
import type { FieldGroup } from "../network/stored-fields.js";
import type { ModelMatrix, Whole } from "./model-file.js";
import { valuesInBytes } from "./values-in-bytes.js";

/** A text longer than this is not one: the file is broken. */
const longestText = 100_000;
const largestRank = 1000;
/** A dimension has 32 bits in the files of today; old ones keep it in 64. */
export const largestDimension = 0xffffffff;
/** A sparse matrix may take this many times the bytes of its file once it is unpacked, or `smallMatrix` elements. */
const largestUnpacking = 8;
const smallMatrix = 1 << 20;

/**
 * Reads the primitive encodings of CNTK's binary files (little-endian, nothing aligned). Every method that fails throws
 * CntkError `model-file-broken` with the byte offset and what belongs there.
 * Source: Source/Common/File.cpp, Source/Math/Matrix.h.
 */
export class ByteReader {
  /** Offset of the next byte. */
  position = 0;
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    /** Path of the file, for messages. */
    readonly fileName: string,
    /** The bytes are the reader's own: matrices stay in them. */
    private readonly ownsBytes = false,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.position >= this.bytes.length;
  }

  /** The error for something that cannot be right at `offset` (default: the next byte). */
  broken(expected: string, offset = this.position): CntkError {
    const atEnd = offset >= this.bytes.length;
    return new CntkError({
      code: "model-file-broken",
      message: atEnd
        ? `The file '${this.fileName}' ends at byte ${this.bytes.length}, before this is complete: ${expected}.`
        : `The file '${this.fileName}' is broken: at byte ${offset} there should be: ${expected}.`,
      hint: atEnd ? "it is cut short: copy or train it again" : "it is damaged, or not one of CNTK's files",
    });
  }

  private take(count: number, what: string): number {
    const at = this.position;
    if (!(at + count <= this.bytes.length)) throw this.broken(what, this.bytes.length);
    this.position = at + count;
    return at;
  }

  unsigned4(what: string): number {
    return this.view.getUint32(this.take(4, what), true);
  }

  signed4(what: string): number {
    return this.view.getInt32(this.take(4, what), true);
  }

  unsigned8(what: string): Whole {
    const at = this.take(8, what);
    const high = this.view.getUint32(at + 4, true);
    if (high >= 0x200000) return this.view.getBigUint64(at, true);
    return high * 4294967296 + this.view.getUint32(at, true);
  }

  signed8(what: string): Whole {
    const value = this.view.getBigInt64(this.take(8, what), true);
    const rounded = Number(value);
    return Number.isSafeInteger(rounded) ? rounded : value;
  }

  /** A count of things that follow, each at least `size` bytes long: one that does not fit into the rest is an error. */
  count(what: string, size: number): number {
    const at = this.position;
    const value = this.unsigned8(what);
    if (typeof value === "bigint" || value * size > this.bytes.length - this.position)
      throw this.broken(what, at);
    return value;
  }

  float4(what: string): number {
    return this.view.getFloat32(this.take(4, what), true);
  }

  float8(what: string): number {
    return this.view.getFloat64(this.take(8, what), true);
  }

  boolean(what: string): boolean {
    const at = this.take(1, what);
    const byte = this.bytes[at];
    if (byte !== 0 && byte !== 1) throw this.broken(what, at);
    return byte === 1;
  }

  element(type: ElementType, what: string): number {
    return type === "float" ? this.float4(what) : this.float8(what);
  }

  /** UTF-16 code units up to a zero. */
  wideText(what: string): string {
    const start = this.position;
    const units: number[] = [];
    for (;;) {
      const unit = this.view.getUint16(this.take(2, what), true);
      if (unit === 0) break;
      units.push(unit);
      if (units.length > longestText) throw this.broken(what, start);
    }
    let text = "";
    for (let i = 0; i < units.length; i += 4096) text += String.fromCharCode(...units.slice(i, i + 4096));
    return text;
  }

  /** Bytes up to a zero, one character each. */
  narrowText(what: string): string {
    const end = this.bytes.indexOf(0, this.position);
    if (end < 0) throw this.broken(what, this.bytes.length);
    const text = Array.from(this.bytes.subarray(this.position, end), (byte) =>
      String.fromCharCode(byte),
    ).join("");
    this.position = end + 1;
    return text;
  }

  /** A marker: a text that must be this one. */
  marker(name: string): void {
    const start = this.position;
    if (!this.tryMarker(name))
      throw this.broken(`section marker '${name}'`, Math.min(start, this.bytes.length));
  }

  /** Passes over a marker if it comes next. */
  tryMarker(name: string): boolean {
    const length = 2 * name.length + 2;
    if (this.position + length > this.bytes.length) return false;
    for (let i = 0; i <= name.length; i++) {
      const unit = i < name.length ? name.charCodeAt(i) : 0;
      if (this.view.getUint16(this.position + 2 * i, true) !== unit) return false;
    }
    this.position += length;
    return true;
  }

  shape(what: string): number[] {
    const at = this.position;
    const rank = this.unsigned4(what);
    if (rank > largestRank) throw this.broken(what, at);
    return Array.from({ length: rank }, () => this.unsigned4(what));
  }

  /** A shape, or the old image layout `u8 width, u8 height, u8 channels`, which a first dimension of 0 gives away. */
  legacyShape(what: string): number[] | FieldGroup[] {
    const at = this.position;
    const rank = this.unsigned4(what);
    const first = rank > 0 ? this.unsigned4(what) : -1;
    this.position = at;
    if (first !== 0) return this.shape(what);
    const [width, height] = [this.dimension(what), this.dimension(what)];
    return [{ width, height, channels: this.dimension(what) }];
  }

  /** A size of 64 bits that is at most 2^32-1, as all dimensions are. */
  private dimension(what: string): number {
    const at = this.position;
    const size = this.unsigned8(what);
    if (typeof size === "bigint" || size > largestDimension) throw this.broken(what, at);
    return size;
  }

  booleans(what: string): boolean[] {
    return Array.from({ length: this.count(what, 1) }, () => this.boolean(what));
  }

  sizes(what: string): number[] {
    return Array.from({ length: this.count(what, 8) }, () => this.whole(what));
  }

  /** A number of 64 bits that a double can hold. */
  private whole(what: string): number {
    const at = this.position;
    const value = this.unsigned8(what);
    if (typeof value === "bigint") throw this.broken(what, at);
    return value;
  }

  /** A matrix; `type` is what the elements must be, if that is known. Sparse ones are unpacked. */
  matrix(what: string, type?: ElementType): ModelMatrix {
    const kindAt = this.take(1, what);
    const kind = String.fromCharCode(this.bytes[kindAt] as number);
    if (kind !== "d" && kind !== "s") throw this.broken(`matrix (${what})`, kindAt);
    this.marker("BMAT");
    const sizeAt = this.position;
    const size = Number(this.unsigned8("element size"));
    const wanted = type === undefined ? undefined : type === "float" ? 4 : 8;
    if ((size !== 4 && size !== 8) || (wanted !== undefined && size !== wanted)) {
      throw this.broken(`element size ${wanted ?? "4 or 8"}`, sizeAt);
    }
    this.wideText("matrix name");
    const format = this.signed4("matrix format");
    const matrix =
      kind === "d" ? this.denseMatrix(size, what) : this.sparseMatrix(size, (format & 1) !== 0, what);
    this.marker("EMAT");
    return matrix;
  }

  private denseMatrix(size: number, what: string): ModelMatrix {
    const rows = this.whole("number of rows");
    const columns = this.whole("number of columns");
    return { rows, columns, values: this.elements(rows * columns, size, `${what} of ${rows} x ${columns}`) };
  }

  private sparseMatrix(size: number, byRow: boolean, what: string): ModelMatrix {
    const start = this.position;
    const count = this.count("number of values", size);
    const columns = this.whole("number of columns");
    const rows = this.whole("number of rows");
    if (!(rows * columns <= Math.max(smallMatrix, (largestUnpacking * this.bytes.length) / size)))
      throw this.broken(`${what}, a sparse matrix that can be unpacked (not ${rows} x ${columns})`, start);
    const values = size === 4 ? new Float32Array(rows * columns) : new Float64Array(rows * columns);
    if (count === 0) return { rows, columns, values };
    const elements = this.elements(count, size, what);
    const [majors, minors] = byRow ? [rows, columns] : [columns, rows];
    const minor = this.indices(count, minors - 1, what);
    const offsets = this.indices(majors + 1, count, what);
    for (let major = 0; major < majors; major++) {
      for (let i = offsets[major] ?? 0; i < (offsets[major + 1] ?? 0); i++) {
        const at = byRow ? (minor[i] ?? 0) * rows + major : major * rows + (minor[i] ?? 0);
        values[at] = elements[i] ?? 0;
      }
    }
    return { rows, columns, values };
  }

  /** Indices of a sparse matrix, none above `largest`. */
  private indices(count: number, largest: number, what: string): number[] {
    if (!(count * 8 <= this.bytes.length - this.position)) throw this.broken(what, this.bytes.length);
    return Array.from({ length: count }, () => {
      const at = this.position;
      const index = this.whole(what);
      if (index > largest) throw this.broken(`index of ${what}`, at);
      return index;
    });
  }

  private elements(count: number, size: number, what: string): Values {
    const at = this.take(count * size, what);
    return valuesInBytes(this.bytes, at, count, size, this.ownsBytes);
  }
}
