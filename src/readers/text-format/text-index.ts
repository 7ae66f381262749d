import { retryLines, secondTry } from "../../diagnostics/attempts.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { RandomAccessFile } from "../../files/file-access.js";
import type { LogSink } from "../../log/log.js";
import type { SequenceKey } from "../deserializer.js";
import { placeInFile } from "./problems.js";
import { newline, pipe } from "./bytes.js";

/** Where the sequences and chunks of a text file lie. */
export interface TextIndex {
  readonly fileSize: number;
  /** First byte of each sequence; it ends where the next one, or the file, begins. */
  readonly starts: Float64Array;
  /** Number of samples (lines) of each sequence, as far as the first pass can tell. */
  readonly lengths: Int32Array;
  /** First sequence of each chunk, and at the end the number of sequences. */
  readonly firstSequences: Int32Array;
  /** Number (or name) written before a sequence, or its line number. */
  key(sequence: number): SequenceKey;
}

/** What lines begin with: a number, or a name up to the first blank that `toKey` turns into a key. */
export type KeyReading =
  | { readonly kind: "numeric" }
  | { readonly kind: "symbolic"; readonly toKey: (bytes: Uint8Array) => SequenceKey };

export interface IndexOptions {
  readonly chunkSizeInBytes: number;
  readonly skipSequenceIds: boolean;
  /** Alias of the stream that defines the length of sequences: only lines that contain it count. */
  readonly mainAlias?: string | undefined;
  readonly keys: KeyReading;
  readonly log: LogSink;
}

const pieceSize = 256 * 1024;
const largestUint32 = 0xffffffff;

/**
 * First pass over a text file: finds line ends and the numbers or names that lines begin with, nothing else. Throws CntkError
 * `data-format` for an empty file, a UTF-16 file, a first line without the number that identifies sequences.
 * Source: Source/Readers/ReaderLib/Indexer.cpp.
 */
export function buildTextIndex(file: RandomAccessFile, fileName: string, options: IndexOptions): TextIndex {
  const fail = (message: string, offset: number, hint?: string): CntkError =>
    new CntkError({
      code: "data-format",
      message: `CNTKTextFormatReader: While reading '${fileName}': ${message}`,
      logged: retryLines(message),
      span: placeInFile(file, fileName, offset),
      ...(hint === undefined ? {} : { hint }),
    });
  const head = file.read(0, 4);
  if (file.size === 0) {
    const hint = "it has no bytes: was it written whole?";
    throw new CntkError({ ...fail("Input file is empty", 0, hint).diagnostic, span: undefined });
  }
  if (head[0] === 0xff && head[1] === 0xfe) {
    const sentence = `Found a UTF-16 BOM at the beginning of the input file (${fileName}). UTF-16 encoding is currently not supported.`;
    // CNTK's further tries do not look at the mark; without ids there is nothing else that they could stumble over.
    if (!options.skipSequenceIds) {
      const logged = retryLines(withoutId(0), sentence);
      throw new CntkError({ ...fail(sentence, 0, "save the file as UTF-8").diagnostic, logged });
    }
    options.log.write(secondTry(sentence));
  }
  const hasMark = file.size > 3 && head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  const begin = hasMark ? 3 : 0;
  const byLine = options.skipSequenceIds || file.read(begin, 1)[0] === pipe;
  const builder = new IndexBuilder(file.size, options.chunkSizeInBytes, byLine);
  if (byLine && options.keys.kind === "symbolic") {
    throw fail(
      "Corpus expects non-numeric sequence keys present but the input file does not have them." +
        "Please use the configuration to enable numeric keys instead.",
      begin,
      "useNumericSequenceKeys = true numbers the lines",
    );
  }
  if (byLine) indexLines(file, begin, builder);
  else indexSequences(file, begin, builder, fail, options);
  if (builder.tooLarge) throw fail("Sequence size overflows uint32_t type.", 0);
  return builder.finish();
}

const withoutId = (offset: number): string =>
  `Expected a sequence id at the offset ${offset}, none was found.`;

/** Every line is a sequence; what stands behind the last newline is one more. */
function indexLines(file: RandomAccessFile, begin: number, builder: IndexBuilder): void {
  let lineStart = begin;
  let room: Uint8Array | undefined;
  for (let at = begin; at < file.size; at += pieceSize) {
    const bytes = file.read(at, Math.min(pieceSize, file.size - at), room);
    room ??= bytes;
    for (let i = bytes.indexOf(newline); i >= 0; i = bytes.indexOf(newline, i + 1)) {
      builder.add(lineStart, at + i + 1, 1);
      lineStart = at + i + 1;
    }
  }
  if (lineStart < file.size) builder.add(lineStart, file.size, 1);
}

/** A line that begins with another number than the one before starts a sequence. */
function indexSequences(
  file: RandomAccessFile,
  begin: number,
  builder: IndexBuilder,
  fail: (message: string, offset: number, hint?: string) => CntkError,
  { mainAlias, keys }: IndexOptions,
): void {
  const newReader = (): KeyReader => (keys.kind === "numeric" ? new IdReader() : new NameReader(keys.toKey));
  const search = mainAlias === undefined ? undefined : new LineSearch(mainAlias);
  let key: SequenceKey | undefined;
  let sequenceStart = begin;
  let lineStart = begin;
  let samples = 0;
  let readingId = true;
  let id = newReader();
  let room: Uint8Array | undefined;
  const finishId = (): void => {
    readingId = false;
    if (!id.found) {
      if (key !== undefined) return;
      throw fail(
        withoutId(begin),
        begin,
        `${blankAt(file, begin)}a line begins with |name or with the number of its sequence${formOf(file, begin)}`,
      );
    }
    if (key === undefined) key = id.value;
    else if (id.value !== key) {
      builder.add(sequenceStart, lineStart, samples, key);
      key = id.value;
      sequenceStart = lineStart;
      samples = 0;
    }
  };
  const finishLine = (): void => {
    if (search === undefined || search.found) samples++;
    search?.reset();
  };
  for (let at = begin; at < file.size; at += pieceSize) {
    const bytes = file.read(at, Math.min(pieceSize, file.size - at), room);
    room ??= bytes;
    let i = 0;
    while (i < bytes.length) {
      if (readingId) {
        i = id.read(bytes, i);
        if (id.overflow) throw fail("Overflow while reading a numeric sequence id (8-bit value).", at + i);
        if (i === bytes.length) break;
        finishId();
      }
      const end = bytes.indexOf(newline, i);
      search?.scan(bytes, i, end < 0 ? bytes.length : end);
      if (end < 0) break;
      finishLine();
      i = end + 1;
      lineStart = at + i;
      readingId = true;
      id = newReader();
    }
  }
  // Digits that end the file without a newline belong to the sequence before them and are not a line.
  if (key === undefined) {
    id = newReader();
    finishId();
  }
  if (!readingId) finishLine();
  builder.add(sequenceStart, file.size, samples, key);
}

/** For a message: says so where white space stands in the way. */
function blankAt(file: RandomAccessFile, offset: number): string {
  const [byte] = file.read(offset, 1);
  if (byte === 9) return "a tab stands there; ";
  return byte === 32 ? "a blank stands there; " : "";
}

/** For a message: says how comments are written where a line begins as one of other formats. */
function formOf(file: RandomAccessFile, offset: number): string {
  return file.read(offset, 1)[0] === 35 ? "; a comment stands behind |#, after one of the two" : "";
}

/** Reads what a line begins with; it may lie across two pieces of the file. */
interface KeyReader {
  readonly found: boolean;
  readonly overflow: boolean;
  readonly value: SequenceKey;
  /** Reads from `i` on; returns the position of the first byte that does not belong to the key. */
  read(bytes: Uint8Array, i: number): number;
}

/** A name: everything up to white space. */
class NameReader implements KeyReader {
  readonly overflow = false;
  private readonly bytes: number[] = [];

  constructor(private readonly toKey: (bytes: Uint8Array) => SequenceKey) {}

  get found(): boolean {
    return this.bytes.length > 0;
  }

  get value(): SequenceKey {
    return this.toKey(Uint8Array.from(this.bytes));
  }

  read(bytes: Uint8Array, i: number): number {
    for (; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      if (byte === 32 || (byte >= 9 && byte <= 13)) break;
      this.bytes.push(byte);
    }
    return i;
  }
}

/** A sequence id of digits. */
class IdReader implements KeyReader {
  overflow = false;
  value: number | bigint = 0;
  private digits = 0;

  get found(): boolean {
    return this.digits > 0;
  }

  read(bytes: Uint8Array, i: number): number {
    for (; i < bytes.length; i++) {
      const digit = (bytes[i] as number) - 48;
      if (digit < 0 || digit > 9) break;
      this.digits++;
      if (typeof this.value === "number" && this.value < 1e14) this.value = this.value * 10 + digit;
      else if (!this.append(digit)) break;
    }
    return i;
  }

  /** Beyond what a double holds: 64 bits that wrap; CNTK notices only if the value became smaller. */
  private append(digit: number): boolean {
    const before = BigInt(this.value);
    const after = (before * 10n + BigInt(digit)) & 0xffffffffffffffffn;
    this.overflow = before > after;
    this.value = after <= 9007199254740991n ? Number(after) : after;
    return !this.overflow;
  }
}

/** Looks for a text in each line, across the pieces of a file (Knuth, Morris, Pratt). */
class LineSearch {
  found = false;
  private matched = 0;
  private readonly pattern: readonly number[];
  private readonly fallback: number[] = [];

  constructor(text: string) {
    this.pattern = Array.from(text, (character) => character.charCodeAt(0));
    for (let i = 0, length = 0; i < this.pattern.length; i++) {
      if (i > 0) {
        while (length > 0 && this.pattern[i] !== this.pattern[length])
          length = this.fallback[length - 1] ?? 0;
        if (this.pattern[i] === this.pattern[length]) length++;
      }
      this.fallback.push(length);
    }
  }

  reset(): void {
    this.found = false;
    this.matched = 0;
  }

  scan(bytes: Uint8Array, begin: number, end: number): void {
    for (let i = begin; i < end && !this.found; i++) {
      while (this.matched > 0 && bytes[i] !== this.pattern[this.matched]) {
        this.matched = this.fallback[this.matched - 1] ?? 0;
      }
      if (bytes[i] === this.pattern[this.matched]) this.matched++;
      this.found = this.matched === this.pattern.length;
    }
  }
}

/** Collects sequences, in file order, into chunks. */
class IndexBuilder {
  tooLarge = false;
  private starts = new Float64Array(1024);
  private lengths = new Int32Array(1024);
  private count = 0;
  private readonly keys: SequenceKey[] = [];
  private readonly firstSequences: number[] = [];
  private chunkBytes = 0;

  constructor(
    private readonly fileSize: number,
    private readonly chunkSize: number,
    private readonly byLine: boolean,
  ) {}

  add(start: number, end: number, samples: number, key?: SequenceKey): void {
    const bytes = end - start;
    if (bytes > largestUint32) this.tooLarge = true;
    if (
      this.firstSequences.length === 0 ||
      (this.chunkBytes > 0 && this.chunkBytes + bytes > this.chunkSize)
    ) {
      this.firstSequences.push(this.count);
      this.chunkBytes = 0;
    }
    this.chunkBytes += bytes;
    if (this.count === this.starts.length) this.grow();
    this.starts[this.count] = start;
    this.lengths[this.count] = samples;
    if (key !== undefined) this.keys.push(key);
    this.count++;
  }

  finish(): TextIndex {
    const { keys, byLine } = this;
    return {
      fileSize: this.fileSize,
      starts: this.starts.slice(0, this.count),
      lengths: this.lengths.slice(0, this.count),
      firstSequences: Int32Array.from([...this.firstSequences, this.count]),
      key: byLine ? (sequence) => sequence : (sequence) => keys[sequence] ?? 0,
    };
  }

  private grow(): void {
    const starts = new Float64Array(this.count * 2);
    const lengths = new Int32Array(this.count * 2);
    starts.set(this.starts);
    lengths.set(this.lengths);
    this.starts = starts;
    this.lengths = lengths;
  }
}
