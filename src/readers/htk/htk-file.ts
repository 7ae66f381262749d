import { retryLines } from "../../diagnostics/attempts.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess, RandomAccessFile } from "../../files/file-access.js";

/** What all files of a stream have in common. */
export interface FeatureKind {
  /** `MFCC_E_D`, … */
  readonly kind: string;
  /** Numbers of a frame. */
  readonly dimension: number;
  /** Between two frames, in units of 100 ns. */
  readonly period: number;
}

/** Names of basic kinds. */
const kinds = new Map([
  [6, "MFCC"],
  [7, "FBANK"],
  [9, "USER"],
  [11, "PLP"],
  [12, "USER"],
]);

/** Qualifiers in the order in which CNTK names them. */
const qualifiers: readonly (readonly [number, string])[] = [
  [0o100, "_E"],
  [0o400, "_D"],
  [0o200, "_N"],
  [0o1000, "_A"],
  [0o100000, "_T"],
  [0o4000, "_Z"],
  [0o20000, "_0"],
];
const mostFrames = 2 ** 31;
const compressedBit = 0o2000;
const quantizedBit = 0o40000;
const headerSize = 12;

/**
 * CNTK tells of a file that ends too early in the words of the last call that failed on the same thread: where a run begins, the
 * search for a model that is not there; where a thread reads ahead, none.
 */
export type ShortRead = "No such file or directory" | "Success";
const streamKind = 12;

/**
 * A file of features: HTK's, of either byte order and compressed or not, or an idx file of bytes (its name ends in `-ubyte`).
 * @throws CntkError `htk-file` with the file, what is wrong and where.
 * Source: The HTK Book, section 5.10.1; Source/Readers/HTKDeserializers/HTKFeaturesIO.h.
 */
export class HtkFile {
  readonly kind: FeatureKind;
  readonly frames: number;
  private readonly file: RandomAccessFile;
  private readonly littleEndian: boolean;
  /** Offset of the first frame, and bytes of one. */
  private readonly begin: number;
  private readonly frameSize: number;
  private readonly bytesPerValue: 1 | 2 | 4;
  /** Of a compressed file: what was multiplied and added. */
  private readonly scale: Float32Array | undefined;
  private readonly shift: Float32Array | undefined;

  constructor(
    files: FileAccess,
    private readonly path: string,
    /** What CNTK's log calls it, and why it says that a file ends too early. */
    private readonly told: { readonly name: string; readonly shortRead: ShortRead } = {
      name: path,
      shortRead: "No such file or directory",
    },
  ) {
    if (!files.exists(path) || files.isDirectory(path)) {
      throw new CntkError({
        code: "htk-file",
        message: `error opening file '${path}': No such file or directory`,
      });
    }
    this.file = files.open(path);
    const header = path.endsWith("-ubyte") ? this.idxHeader() : this.htkHeader();
    this.kind = header.kind;
    this.littleEndian = header.littleEndian;
    this.bytesPerValue = header.bytesPerValue;
    this.frameSize = header.kind.dimension * header.bytesPerValue;
    let { frames, begin } = header;
    if (header.bytesPerValue === 2) {
      this.scale = this.floats(begin, header.kind.dimension);
      this.shift = this.floats(begin + 4 * header.kind.dimension, header.kind.dimension);
      begin += 8 * header.kind.dimension;
      // They are counted as the four frames whose room they take.
      frames -= 4;
    }
    this.begin = begin;
    // A number below zero is a huge one: the file itself says then where it ends.
    this.frames = frames < 0 ? mostFrames : frames;
  }

  /** The frames from `first` to `last`, one after the other. */
  read(first: number, last: number): Float32Array {
    this.requireFrames(last);
    const { dimension } = this.kind;
    const count = last + 1 - first;
    const offset = this.begin + first * this.frameSize;
    const view = this.view(offset, count * this.frameSize);
    const values = new Float32Array(count * dimension);
    for (let i = 0; i < values.length; i++) values[i] = this.valueAt(view, i, i % dimension);
    return values;
  }

  /** @throws CntkError where the file does not go as far as the frame. */
  requireFrames(last: number): void {
    if (last < this.frames) return;
    throw this.problem(
      `open: end frame exceeds archive's total number of frames ${this.frames} in '${this.told.name}'`,
      this.begin,
    );
  }

  close(): void {
    this.file.close();
  }

  private valueAt(view: DataView, i: number, place: number): number {
    if (this.bytesPerValue === 4) return view.getFloat32(4 * i, this.littleEndian);
    if (this.bytesPerValue === 1) return view.getUint8(i);
    const packed = view.getInt16(2 * i, this.littleEndian);
    return Math.fround(packed + (this.shift?.[place] ?? 0)) / (this.scale?.[place] ?? 1);
  }

  private htkHeader() {
    const view = this.view(0, headerSize);
    // Whichever byte order makes the period the smaller number.
    const littleEndian = view.getUint32(4, true) <= view.getUint32(4, false);
    const bits = view.getUint16(10, littleEndian);
    const base = kinds.get(bits & 0o77);
    if (base === undefined) throw this.problem("htkfeatreader:unsupported feature kind", 10);
    if (bits & quantizedBit) throw this.problem("htkfeatreader:we do not support VQ", 10);
    const kind = base + qualifiers.flatMap(([bit, name]) => (bits & bit ? [name] : [])).join("");
    const bytesPerValue = bits & compressedBit ? (2 as const) : (4 as const);
    const size = view.getUint16(8, littleEndian);
    if (size % bytesPerValue !== 0) {
      throw this.problem("htkfeatreader:sample size not multiple of dimension", 8);
    }
    // Behind the header of a stream stands an identity of 16 bytes.
    const begin = headerSize + ((bits & 0o77777) === streamKind ? 16 : 0);
    return {
      kind: { kind, dimension: size / bytesPerValue, period: view.getUint32(4, littleEndian) },
      frames: view.getInt32(0, littleEndian),
      ...{ littleEndian, bytesPerValue, begin },
    };
  }

  private idxHeader() {
    const view = this.view(0, 16);
    if (view.getUint32(0) !== 2051) throw this.problem("reading idx feature cache header: invalid magic", 0);
    const dimension = view.getUint32(8) * view.getUint32(12);
    if (dimension === 0 || dimension > 65535) {
      throw this.problem("reading idx feature cache header: sample size overflow", 8);
    }
    return {
      kind: { kind: "USER", dimension, period: 0 },
      frames: view.getInt32(4),
      ...{ littleEndian: false, bytesPerValue: 1 as const, begin: 16 },
    };
  }

  private floats(offset: number, count: number): Float32Array {
    const view = this.view(offset, 4 * count);
    return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, this.littleEndian));
  }

  private view(offset: number, length: number): DataView {
    if (offset + length > this.file.size) {
      const { diagnostic } = this.problem(
        `it ends at ${this.file.size}, where ${length} bytes should follow`,
        offset,
      );
      throw new CntkError({
        ...diagnostic,
        logged: retryLines(`error reading from file: ${this.told.shortRead}`),
      });
    }
    const bytes = this.file.read(offset, length);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private problem(message: string, offset: number): CntkError {
    return new CntkError({ code: "htk-file", message, hint: `byte ${offset} of '${this.path}'` });
  }
}
