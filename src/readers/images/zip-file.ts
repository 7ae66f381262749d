import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess, RandomAccessFile } from "../../files/file-access.js";
import type { PictureDecoder } from "./picture.js";

interface ZipEntry {
  readonly offset: number;
  readonly packed: number;
  readonly size: number;
  /** 0 = stored, 8 = deflated. */
  readonly method: number;
}

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
/** The end record with the longest comment. */
const longestEnd = 22 + 65535;
/** A picture of more bytes is no picture. */
const largestPicture = 2 ** 30;

/**
 * A zip file, read entry by entry. Neither encrypted files nor those beyond 4 GB are read.
 * @throws CntkError `image-zip` with the file and what is wrong with it.
 * Source: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
 */
export class ZipFile {
  private readonly file: RandomAccessFile;
  private readonly entries = new Map<string, ZipEntry>();

  constructor(
    files: FileAccess,
    private readonly path: string,
  ) {
    if (!files.exists(path)) throw this.problem("there is no such file");
    this.file = files.open(path);
    this.readDirectory();
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** The bytes of a file inside. */
  read(name: string, decoder: Pick<PictureDecoder, "inflate">): Uint8Array {
    const entry = this.entries.get(name);
    if (!entry) throw this.problem(`it holds no '${name}'`);
    const local = this.view(entry.offset, 30);
    if (local.getUint32(0, true) !== localSignature) throw this.problem(`'${name}' is damaged`);
    const begin = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    const packed = this.bytes(begin, entry.packed);
    if (entry.method === 0) return packed;
    if (entry.method !== 8) throw this.problem(`'${name}' is packed by a method that is not deflate`);
    try {
      return decoder.inflate(packed, entry.size);
    } catch {
      throw this.problem(`'${name}' cannot be unpacked`);
    }
  }

  close(): void {
    this.file.close();
  }

  private readDirectory(): void {
    const length = Math.min(this.file.size, longestEnd);
    const tail = this.view(this.file.size - length, length);
    let end = length - 22;
    while (end >= 0 && tail.getUint32(end, true) !== endSignature) end--;
    if (end < 0) throw this.problem("it has no directory at its end");
    const size = tail.getUint32(end + 12, true);
    const directory = this.view(tail.getUint32(end + 16, true), size);
    const names = new TextDecoder();
    for (let at = 0; at + 46 <= size;) {
      if (directory.getUint32(at, true) !== entrySignature) throw this.problem("its directory is damaged");
      const nameLength = directory.getUint16(at + 28, true);
      const next =
        at + 46 + nameLength + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
      if (next > size) throw this.problem("its directory is damaged");
      const name = names.decode(new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameLength));
      this.entries.set(name, {
        offset: directory.getUint32(at + 42, true),
        packed: directory.getUint32(at + 20, true),
        size: directory.getUint32(at + 24, true),
        method: directory.getUint16(at + 10, true),
      });
      at = next;
    }
  }

  private bytes(offset: number, length: number): Uint8Array {
    if (offset < 0 || length > largestPicture || offset + length > this.file.size) {
      throw this.problem("a part of it lies beyond its end");
    }
    return this.file.read(offset, length);
  }

  private view(offset: number, length: number): DataView {
    const bytes = this.bytes(offset, length);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private problem(why: string): CntkError {
    return new CntkError({ code: "image-zip", message: `Cannot read the zip file '${this.path}': ${why}.` });
  }
}
