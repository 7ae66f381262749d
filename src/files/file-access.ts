/** An open file, read in pieces. */
export interface RandomAccessFile {
  readonly size: number;
  /**
   * Up to `length` bytes from `offset`; fewer at the end of the file. `room`, what an earlier call gave and nobody needs any more, may
   * be used again: fresh memory takes longer than reading.
   */
  read(offset: number, length: number, room?: Uint8Array): Uint8Array;
  close(): void;
}

/**
 * A file being written beside its target; nothing appears at the target before `commit`. Where the target is a device or
 * a pipe, what is written goes there directly.
 */
export interface PendingFile {
  write(data: Uint8Array | string): void;
  /** Renames the file into place. */
  commit(): void;
  /** Throws the written part away. */
  abort(): void;
}

/** A log file: every piece, text or bytes, is there as soon as it is written. */
export interface LogFile {
  /** Throws CntkError `file-unwritable` once, then does nothing; a pipe whose reader has gone is no error. */
  write(piece: string | Uint8Array): void;
  close(): void;
}

/**
 * All that cntkts needs of a file system; Node's stands in src/node. Paths are taken relative to the run's current
 * directory (`currentDirectory=`), which never changes the process's own. Failures throw CntkError (`file-missing`, …).
 */
export interface FileAccess {
  /** The same view of the files from another directory. */
  withDirectory(directory: string): FileAccess;
  readonly directory: string;
  /** Absolute path of a path as written. */
  resolve(path: string): string;
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  /** Time of last change, milliseconds since 1970; undefined if there is no such file. */
  modified(path: string): number | undefined;
  readBytes(path: string): Uint8Array;
  /** The same as bytes that nobody else holds, so that the caller may change them; absent where they are shared. */
  ownBytes?(path: string): Uint8Array;
  readText(path: string): string;
  open(path: string): RandomAccessFile;
  /** Makes the folder of the path if need be and opens a file beside it; what killed writers of the same path left is cleared. */
  create(path: string): PendingFile;
  /** Makes the folder of the path if need be and begins a log file anew. */
  log(path: string): LogFile;
  makeDirectory(path: string): void;
  /** Names in a folder, in any order; absent where folders cannot be listed. */
  list?(path: string): string[];
  remove(path: string): void;
}

/** Writes a file as a whole: `fill` hands over its content piece by piece; if it fails, nothing has changed at `path`. */
export function writeWhole<T>(files: FileAccess, path: string, fill: (file: PendingFile) => T): T {
  const file = files.create(path);
  try {
    const result = fill(file);
    file.commit();
    return result;
  } catch (error) {
    file.abort();
    throw error;
  }
}
