import * as fs from "node:fs";
import * as path from "node:path";
import type { FileAccess, LogFile, PendingFile, RandomAccessFile } from "../files/file-access.js";
import { fileFailure, guarded, reasonOf, systemError } from "./failures.js";
import { createFile, makeDirectories, NodeLogFile } from "./written-files.js";

class NodeRandomAccessFile implements RandomAccessFile {
  readonly size: number;
  private readonly descriptor: number;
  private open = true;

  constructor(
    absolute: string,
    private readonly shown: string,
  ) {
    this.descriptor = guarded("opening", shown, () => fs.openSync(absolute, "r"));
    const status = fs.fstatSync(this.descriptor);
    if (status.isDirectory()) {
      this.close();
      throw fileFailure("opening", shown, systemError("EISDIR"));
    }
    this.size = status.size;
  }

  read(offset: number, length: number, room?: Uint8Array): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    const isRoomy = room !== undefined && room.length >= wanted;
    const bytes = isRoomy ? room.subarray(0, wanted) : new Uint8Array(wanted);
    let at = 0;
    guarded("reading", this.shown, () => {
      while (at < wanted) {
        const count = fs.readSync(this.descriptor, bytes, at, wanted - at, offset + at);
        if (count === 0) break;
        at += count;
      }
    });
    return at === wanted ? bytes : bytes.subarray(0, at);
  }

  close(): void {
    if (this.open) fs.closeSync(this.descriptor);
    this.open = false;
  }
}

class NodeFiles implements FileAccess {
  constructor(readonly directory: string) {}

  withDirectory(directory: string): FileAccess {
    return new NodeFiles(this.resolve(directory));
  }

  resolve(relative: string): string {
    return path.resolve(this.directory, relative);
  }

  exists(relative: string): boolean {
    return fs.existsSync(this.resolve(relative));
  }

  isDirectory(relative: string): boolean {
    return this.status(relative)?.isDirectory() ?? false;
  }

  modified(relative: string): number | undefined {
    return this.status(relative)?.mtimeMs;
  }

  /** Undefined, too, where there cannot be such a file: below another file, or with too long a name. */
  private status(relative: string): fs.Stats | undefined {
    try {
      return fs.statSync(this.resolve(relative), { throwIfNoEntry: false });
    } catch (error) {
      if (["ENOTDIR", "ENAMETOOLONG"].includes(reasonOf(error).code)) return undefined;
      throw error;
    }
  }

  readBytes(relative: string): Uint8Array {
    const bytes = this.content(relative);
    // A Buffer is a Uint8Array whose `slice` shares memory; callers expect the real one's.
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Of a device like /dev/zero, which never ends, no more than its beginning. */
  private content(relative: string): Buffer {
    return guarded("opening", relative, () => {
      const absolute = this.resolve(relative);
      const isDevice = this.status(relative)?.isCharacterDevice() ?? false;
      return isDevice ? beginningOf(absolute) : fs.readFileSync(absolute);
    });
  }

  ownBytes(relative: string): Uint8Array {
    return this.readBytes(relative);
  }

  readText(relative: string): string {
    return this.content(relative).toString("utf8");
  }

  open(relative: string): RandomAccessFile {
    return new NodeRandomAccessFile(this.resolve(relative), relative);
  }

  create(relative: string): PendingFile {
    return createFile(this.resolve(relative), relative);
  }

  log(relative: string): LogFile {
    return new NodeLogFile(this.resolve(relative), relative);
  }

  makeDirectory(relative: string): void {
    guarded("creating", relative, () => makeDirectories(this.resolve(relative)));
  }

  list(relative: string): string[] {
    return guarded("opening", relative, () => fs.readdirSync(this.resolve(relative)));
  }

  remove(relative: string): void {
    guarded("writing", relative, () => fs.rmSync(this.resolve(relative), { force: true }));
  }
}

/** What a device gives at once: whoever reads it complains of what it holds, as of any other file. */
function beginningOf(device: string): Buffer {
  const bytes = Buffer.alloc(64 * 1024);
  const descriptor = fs.openSync(device, "r");
  try {
    return bytes.subarray(0, fs.readSync(descriptor, bytes));
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Node's file system seen from a directory. Written files appear whole or not at all: they are written beside their
 * target and renamed (through a symbolic link, which stays); devices and pipes are written to as they are. Failures are CntkErrors `file-missing`, `file-unreadable`, `file-unwritable` that name the file.
 */
export function nodeFiles(directory: string = process.cwd()): FileAccess {
  return new NodeFiles(path.resolve(directory));
}
