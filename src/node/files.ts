import * as fs from "node:fs";
import * as path from "node:path";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { FileAccess, PendingFile, RandomAccessFile } from "../files/file-access.js";

/** The operating system's reason, in the words of C's strerror (which CNTK prints). */
function reasonOf(error: unknown): { code: string; reason: string } {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  const reasons: Record<string, string> = {
    ENOENT: "No such file or directory",
    EACCES: "Permission denied",
    EPERM: "Operation not permitted",
    EISDIR: "Is a directory",
    ENOTDIR: "Not a directory",
    EEXIST: "File exists",
    ENOSPC: "No space left on device",
    EROFS: "Read-only file system",
    EMFILE: "Too many open files",
    ENAMETOOLONG: "File name too long",
  };
  return { code, reason: reasons[code] ?? (error instanceof Error ? error.message : String(error)) };
}

function failure(
  action: "opening" | "reading" | "writing" | "creating",
  shown: string,
  error: unknown,
): CntkError {
  if (error instanceof CntkError) return error;
  const { code, reason } = reasonOf(error);
  const writing = action === "writing" || action === "creating";
  const kind = writing
    ? "file-unwritable"
    : code === "ENOENT" || code === "ENOTDIR"
      ? "file-missing"
      : "file-unreadable";
  return new CntkError({ code: kind, message: `error ${action} file '${shown}': ${reason}` });
}

/** Runs an action of the file system; what goes wrong becomes a CntkError that names the file. */
function guarded<T>(action: "opening" | "reading" | "writing" | "creating", shown: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw failure(action, shown, error);
  }
}

/** A name beside the target that no other process uses. */
let pendingCount = 0;
function temporaryName(target: string): string {
  return `${target}.${process.pid}.${++pendingCount}.tmp`;
}

/** Makes a folder and those above it. Node's own `recursive` never returns where a parent refuses entries, as /proc does. */
function makeDirectories(directory: string): void {
  if (fs.existsSync(directory)) return;
  makeDirectories(path.dirname(directory));
  try {
    fs.mkdirSync(directory);
  } catch (error) {
    if (reasonOf(error).code !== "EEXIST") throw error;
  }
}

/** Writes in large pieces, since callers hand over small ones. */
const bufferSize = 1 << 18;

class NodePendingFile implements PendingFile {
  private readonly temporary: string;
  private readonly descriptor: number;
  private readonly buffer = Buffer.allocUnsafe(bufferSize);
  private buffered = 0;
  private open = true;

  constructor(
    private readonly target: string,
    private readonly shown: string,
  ) {
    this.temporary = temporaryName(target);
    this.descriptor = guarded("creating", shown, () => {
      makeDirectories(path.dirname(target));
      if (fs.existsSync(target) && fs.statSync(target).isDirectory())
        throw Object.assign(new Error(), { code: "EISDIR" });
      return fs.openSync(this.temporary, "wx");
    });
  }

  write(data: Uint8Array | string): void {
    const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
    guarded("writing", this.shown, () => {
      if (this.buffered + bytes.length > bufferSize) this.flush();
      if (bytes.length >= bufferSize) {
        writeFully(this.descriptor, bytes);
      } else {
        this.buffer.set(bytes, this.buffered);
        this.buffered += bytes.length;
      }
    });
  }

  commit(): void {
    if (!this.open) return;
    try {
      guarded("writing", this.shown, () => {
        this.flush();
        fs.closeSync(this.descriptor);
        this.open = false;
        fs.renameSync(this.temporary, this.target);
      });
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  abort(): void {
    if (this.open) this.discard();
  }

  private discard(): void {
    if (this.open) {
      this.open = false;
      fs.closeSync(this.descriptor);
    }
    fs.rmSync(this.temporary, { force: true });
  }

  private flush(): void {
    if (this.buffered > 0) writeFully(this.descriptor, this.buffer.subarray(0, this.buffered));
    this.buffered = 0;
  }
}

/** write(2) may take less than it was given. */
function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(descriptor, bytes, at, bytes.length - at);
}

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
      throw failure("opening", shown, { code: "EISDIR" });
    }
    this.size = status.size;
  }

  read(offset: number, length: number): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    const bytes = new Uint8Array(wanted);
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
    return fs.statSync(this.resolve(relative), { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  modified(relative: string): number | undefined {
    return fs.statSync(this.resolve(relative), { throwIfNoEntry: false })?.mtimeMs;
  }

  readBytes(relative: string): Uint8Array {
    const bytes = guarded("opening", relative, () => fs.readFileSync(this.resolve(relative)));
    // A Buffer is a Uint8Array whose `slice` shares memory; callers expect the real one's.
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  readText(relative: string): string {
    return guarded("opening", relative, () => fs.readFileSync(this.resolve(relative), "utf8"));
  }

  open(relative: string): RandomAccessFile {
    return new NodeRandomAccessFile(this.resolve(relative), relative);
  }

  create(relative: string): PendingFile {
    return new NodePendingFile(this.resolve(relative), relative);
  }

  append(relative: string, text: string): void {
    const target = this.resolve(relative);
    guarded("writing", relative, () => fs.appendFileSync(target, text));
  }

  makeDirectory(relative: string): void {
    guarded("creating", relative, () => makeDirectories(this.resolve(relative)));
  }

  remove(relative: string): void {
    guarded("writing", relative, () => fs.rmSync(this.resolve(relative), { force: true }));
  }
}

/**
 * Node's file system seen from a directory. Written files appear whole or not at all: they are written beside their
 * target and renamed. Failures are CntkErrors `file-missing`, `file-unreadable`, `file-unwritable` that name the file.
 */
export function nodeFiles(directory: string = process.cwd()): FileAccess {
  return new NodeFiles(path.resolve(directory));
}
