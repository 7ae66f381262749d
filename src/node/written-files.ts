import * as fs from "node:fs";
import * as path from "node:path";
import type { LogFile, PendingFile } from "../files/file-access.js";
import { fileFailure, guarded, guardedOpening, reasonOf, systemError } from "./failures.js";
import { clearAbandoned, releaseTemporary, temporaryFor } from "./temporary-files.js";

/** Writes in large pieces, since callers hand over small ones. */
const bufferSize = 1 << 18;

/** Makes a folder and those above it. Node's own `recursive` never returns where a parent refuses entries, as /proc does. */
export function makeDirectories(directory: string): void {
  if (fs.existsSync(directory)) return;
  makeDirectories(path.dirname(directory));
  try {
    fs.mkdirSync(directory);
  } catch (error) {
    if (reasonOf(error).code !== "EEXIST") throw error;
  }
}

/** write(2) may take less than it was given. */
function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(descriptor, bytes, at, bytes.length - at);
}

/** Where a path leads: to a file that can be replaced, or to something that is written to as it is. */
type Destination =
  | { readonly kind: "file"; readonly path: string; readonly mode: number | undefined }
  | { readonly kind: "stream"; readonly path: string };

/** Names of open descriptors, `/dev/stdout` and the like: whatever stands behind them belongs to who opened it. */
const descriptorNames = /^\/(dev\/(std(out|err)|fd\/)|proc\/)/;
const maximumLinks = 40;

/** Follows symbolic links. Throws the system's error for folders and for links that go round. */
function destinationOf(target: string): Destination {
  let file = target;
  for (let links = 0; links <= maximumLinks; links++) {
    if (descriptorNames.test(file)) return { kind: "stream", path: file };
    const status = fs.lstatSync(file, { throwIfNoEntry: false });
    if (!status?.isSymbolicLink()) {
      if (status?.isDirectory()) throw systemError("EISDIR");
      return status === undefined || status.isFile()
        ? { kind: "file", path: file, mode: status?.mode }
        : { kind: "stream", path: file };
    }
    file = path.resolve(path.dirname(file), fs.readlinkSync(file));
  }
  throw systemError("ELOOP");
}

/** Opens a path for writing: beside it where it is a file, itself where it is a device, a pipe or an open descriptor. */
export function createFile(target: string, shown: string): PendingFile {
  const isFolder = /[/\\]$/.test(shown);
  guarded("creating", shown, () => makeDirectories(isFolder ? target : path.dirname(target)));
  return guardedOpening(shown, () => {
    const destination = destinationOf(target);
    return destination.kind === "stream"
      ? new StreamedFile(destination.path, shown)
      : new ReplacingFile(destination.path, destination.mode, shown);
  });
}

/** Collects small pieces into large ones for one descriptor. */
class Buffered {
  private readonly buffer = Buffer.allocUnsafe(bufferSize);
  private buffered = 0;

  constructor(readonly descriptor: number) {}

  write(data: Uint8Array | string): void {
    const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
    if (this.buffered + bytes.length > bufferSize) this.flush();
    if (bytes.length >= bufferSize) {
      writeFully(this.descriptor, bytes);
    } else {
      this.buffer.set(bytes, this.buffered);
      this.buffered += bytes.length;
    }
  }

  flush(): void {
    const pending = this.buffer.subarray(0, this.buffered);
    this.buffered = 0;
    if (pending.length > 0) writeFully(this.descriptor, pending);
  }
}

/** A regular file, written beside its target and renamed over it; it keeps the permissions of the one it replaces. */
class ReplacingFile implements PendingFile {
  private readonly temporary: string;
  private readonly content: Buffered;
  private open = true;

  constructor(
    private readonly target: string,
    mode: number | undefined,
    private readonly shown: string,
  ) {
    makeDirectories(path.dirname(target));
    clearAbandoned(target);
    this.temporary = temporaryFor(target);
    try {
      this.content = new Buffered(fs.openSync(this.temporary, "wx"));
    } catch (error) {
      releaseTemporary(this.temporary);
      throw error;
    }
    if (mode !== undefined) keepMode(this.content.descriptor, mode);
  }

  write(data: Uint8Array | string): void {
    guarded("writing", this.shown, () => this.content.write(data));
  }

  commit(): void {
    if (!this.open) return;
    try {
      guarded("writing", this.shown, () => {
        this.content.flush();
        fs.closeSync(this.content.descriptor);
        this.open = false;
        fs.renameSync(this.temporary, this.target);
        releaseTemporary(this.temporary);
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
      fs.closeSync(this.content.descriptor);
    }
    fs.rmSync(this.temporary, { force: true });
    releaseTemporary(this.temporary);
  }
}

/** File systems without permissions refuse; the content matters more. */
function keepMode(descriptor: number, mode: number): void {
  try {
    fs.fchmodSync(descriptor, mode & 0o777);
  } catch {
    // The file is written with the usual permissions.
  }
}

/** A device, a pipe or an open descriptor: what is written has left, nothing can be taken back. */
class StreamedFile implements PendingFile {
  private readonly content: Buffered;
  private open = true;

  constructor(
    target: string,
    private readonly shown: string,
  ) {
    // Appending does not cut off what others have written through the same descriptor.
    this.content = new Buffered(fs.openSync(target, "a"));
  }

  write(data: Uint8Array | string): void {
    guarded("writing", this.shown, () => this.content.write(data));
  }

  commit(): void {
    try {
      guarded("writing", this.shown, () => this.content.flush());
    } finally {
      this.abort();
    }
  }

  abort(): void {
    if (this.open) fs.closeSync(this.content.descriptor);
    this.open = false;
  }
}

/** A log: begun anew, then every piece is in the file as soon as it is written. A reader that has gone ends it quietly. */
export class NodeLogFile implements LogFile {
  private descriptor: number | undefined;

  constructor(
    target: string,
    private readonly shown: string,
  ) {
    this.descriptor = guardedOpening(shown, () => {
      const destination = destinationOf(target);
      if (destination.kind === "stream") return fs.openSync(destination.path, "a");
      makeDirectories(path.dirname(destination.path));
      // Emptied first, then appended to: two runs that share a log do not write over each other's lines.
      fs.closeSync(fs.openSync(destination.path, "w"));
      return fs.openSync(destination.path, "a");
    });
  }

  write(piece: string | Uint8Array): void {
    const { descriptor } = this;
    if (descriptor === undefined) return;
    try {
      writeFully(descriptor, typeof piece === "string" ? Buffer.from(piece, "utf8") : piece);
    } catch (error) {
      this.close();
      if (reasonOf(error).code !== "EPIPE") throw fileFailure("writing", this.shown, error);
    }
  }

  close(): void {
    if (this.descriptor !== undefined) fs.closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}
