import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess, RandomAccessFile } from "../../files/file-access.js";

/** Archives are read in pieces of this size, larger values in one. */
const pieceSize = 1 << 18;

/** Throws CntkError `kaldi-file`, with the hint, where there is no such file. */
export function requireFile(files: FileAccess, path: string, hint?: string): void {
  if (files.exists(path) && !files.isDirectory(path)) return;
  const message = `error opening file '${path}': No such file or directory`;
  throw new CntkError({ code: "kaldi-file", message, hint });
}

/** Reads a file of Kaldi's from front to back, or from any offset. Kaldi writes little-endian on every machine that it knows. */
export class ArchiveCursor {
  offset = 0;
  private readonly file: RandomAccessFile;
  private piece: Uint8Array = new Uint8Array(0);
  private pieceStart = 0;

  /** @throws CntkError `kaldi-file` where there is no such file. */
  constructor(
    files: FileAccess,
    readonly path: string,
  ) {
    requireFile(files, path);
    this.file = files.open(path);
  }

  get atEnd(): boolean {
    return this.offset >= this.file.size;
  }

  close(): void {
    this.file.close();
  }

  /** The byte at the offset, which stays; −1 at the end. */
  peek(): number {
    if (this.atEnd) return -1;
    return this.bytes(1)[0] ?? -1;
  }

  /** The next `length` bytes, valid until the next call. */
  take(length: number): Uint8Array {
    const bytes = this.bytes(length);
    this.offset += length;
    return bytes;
  }

  /** Passes over bytes that must be there. */
  skip(length: number): void {
    this.require(length);
    this.offset += length;
  }

  /** A number with its size before it, as Kaldi writes single numbers. */
  sizedInteger(): number {
    this.expectSize(4, "a whole number");
    return this.integer();
  }

  sizedFloat(): number {
    this.expectSize(4, "a number");
    return this.float();
  }

  integer(): number {
    return view(this.take(4)).getInt32(0, true);
  }

  float(): number {
    return view(this.take(4)).getFloat32(0, true);
  }

  /** Text up to a blank or the end of the line, without blanks before it; empty at the end of the file or of the line. */
  token(limit = 4096): string {
    while (this.peek() === space || this.peek() === tab) this.offset++;
    const codes: number[] = [];
    for (let byte = this.peek(); byte > space && codes.length < limit; byte = this.peek()) {
      codes.push(byte);
      this.offset++;
    }
    return new TextDecoder().decode(Uint8Array.from(codes));
  }

  /** Passes over the ends of lines, and the blanks around them. */
  skipLines(): void {
    while (this.peek() >= 0 && this.peek() <= space && this.peek() !== 0) this.offset++;
  }

  problem(message: string, offset = this.offset): CntkError {
    return new CntkError({ code: "kaldi-file", message, hint: `byte ${offset} of '${this.path}'` });
  }

  private expectSize(size: number, what: string): void {
    const found = this.take(1)[0];
    if (found !== size) {
      throw this.problem(`expected ${what} of ${size} bytes, found one of ${found ?? 0}`, this.offset - 1);
    }
  }

  private require(length: number): void {
    if (this.offset + length <= this.file.size) return;
    throw this.problem(`it ends at ${this.file.size}, where ${length} bytes should follow`);
  }

  private bytes(length: number): Uint8Array {
    this.require(length);
    const from = this.offset - this.pieceStart;
    if (from >= 0 && from + length <= this.piece.length) return this.piece.subarray(from, from + length);
    this.piece = this.file.read(this.offset, Math.max(length, pieceSize));
    this.pieceStart = this.offset;
    return this.piece.subarray(0, length);
  }
}

const space = 0x20;
const tab = 0x09;

/** The bytes as numbers. */
export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
