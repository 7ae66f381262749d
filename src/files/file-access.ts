/** An open file, read in pieces. */
export interface RandomAccessFile {
  readonly size: number;
  /** Up to `length` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** A file being written beside its target; nothing appears at the target before `commit`. */
export interface PendingFile {
  write(data: Uint8Array | string): void;
  /** Renames the file into place. */
  commit(): void;
  /** Throws the written part away. */
  abort(): void;
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
  readText(path: string): string;
  open(path: string): RandomAccessFile;
  /** Makes the folder of the path if need be and opens a file beside it. */
  create(path: string): PendingFile;
  /** Appends straight to the target (log files). */
  append(path: string, text: string): void;
  makeDirectory(path: string): void;
  remove(path: string): void;
}
