import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import type { RandomAccessFile } from "../../files/file-access.js";
import type { LogSink } from "../../log/log.js";
import { newline } from "./bytes.js";

/** Something wrong at a byte of the data file. */
interface Problem {
  /** CNTK's sentence without its beginning `WARNING: `. */
  readonly text: string;
  /** The byte to show. */
  readonly offset: number;
  /** What would mend it. */
  readonly hint?: string;
}

/** A longer line is shown in part. */
const longestLine = 1 << 20;

/**
 * Bookkeeping of what is wrong in a data file: warnings go to the log in CNTK's words, errors are counted against
 * `maxErrors`, and the one too many is thrown as CntkError with the line and column of its cause.
 */
export class DataProblems {
  private allowed: number;
  private hadWarnings = false;
  /** First warning since the last counted error: the cause of the next one. */
  private cause: Problem | undefined;
  /** What CNTK says of the mistake that ended the reading. */
  private sentence = "";

  constructor(
    private readonly file: RandomAccessFile,
    /** Name of the data file as users wrote it. */
    readonly fileName: string,
    private readonly maxErrors: number,
    private readonly traceLevel: number,
    private readonly log: LogSink,
  ) {
    this.allowed = maxErrors;
  }

  /** CNTK's words for a place in the file. */
  at(offset: number): string {
    return `at offset ${offset} in the input file (${this.fileName})`;
  }

  /** A warning, and, if it is the first since the last error, the cause of the error that may follow. */
  warn(text: string, offset: number, hint?: string): void {
    this.cause ??= { text, offset, ...(hint !== undefined && { hint }) };
    this.note(text);
  }

  /** A warning about something that is no error. */
  note(text: string): void {
    this.hadWarnings = true;
    if (this.traceLevel >= 1) this.log.write(`WARNING: ${text}\n`);
  }

  inform(text: () => string): void {
    if (this.traceLevel >= 2) this.log.write(`INFO: ${text()}\n`);
  }

  /** Forgets warnings that led to no error. */
  forget(): void {
    this.cause = undefined;
  }

  /**
   * Counts an error whose cause was warned about; throws CntkError `data-format` when there was one too many, with what
   * `advise` says of the cause's byte.
   */
  count(advise?: (offset: number) => string | undefined): void {
    const { cause } = this;
    this.cause = undefined;
    if (this.allowed > 0) {
      this.allowed--;
      return;
    }
    const limit = `Reached the maximum number of allowed errors while reading the input file (${this.fileName}).`;
    this.sentence = limit;
    const advice = cause?.hint ?? (cause && advise?.(cause.offset));
    throw this.error(
      "data-format",
      cause?.text ?? limit,
      cause?.offset ?? 0,
      `${advice === undefined ? "" : `${advice}. `}${limit} It is maxErrors = ${this.maxErrors}; a larger number passes over bad samples`,
    );
  }

  /** Writes what is wrong, whatever the trace level. */
  tell(text: string): void {
    this.log.write(`ERROR: ${text}\n`);
  }

  /** A mistake that ends the reading whatever `maxErrors` says; CNTK has said what it is (`tell`). */
  fatal(text: string, offset: number, hint: string): CntkError {
    this.sentence = "Malformed input file. Bailing out.";
    return this.error("data-malformed", text, offset, hint);
  }

  /** CNTK's sentence for an error of the reading, which may name a cause in its place. */
  sentenceOf(error: CntkError): string {
    return this.sentence === "" ? error.message : this.sentence;
  }

  private error(code: string, message: string, offset: number, hint: string): CntkError {
    if (this.hadWarnings && this.traceLevel < 1) {
      this.log.write(
        "A number of warnings were generated while reading input data, to see them please set 'traceLevel' to a value greater or equal to 1.\n",
      );
    }
    return new CntkError({ code, message, span: placeInFile(this.file, this.fileName, offset), hint });
  }
}

/**
 * The place of a byte as a span. Its source is made up: empty lines up to the byte's line, then that line, so that line and
 * column come out right though the file is never held as text.
 */
export function placeInFile(file: RandomAccessFile, fileName: string, offset: number): Span {
  const piece = 1 << 20;
  let line = 0;
  let lineStart = 0;
  for (let at = 0; at < offset; at += piece) {
    const bytes = file.read(at, Math.min(piece, offset - at));
    for (let i = bytes.indexOf(newline); i >= 0; i = bytes.indexOf(newline, i + 1)) {
      line++;
      lineStart = at + i + 1;
    }
    if (bytes.length === 0) break;
  }
  const rest = file.read(lineStart, Math.min(longestLine, file.size - lineStart));
  const end = rest.indexOf(newline);
  // One character for one byte: columns then count bytes, as offsets do.
  const text = Array.from(rest.subarray(0, end < 0 ? rest.length : end), (byte) =>
    String.fromCharCode(byte),
  ).join("");
  const start = line + Math.min(offset - lineStart, text.length);
  return { source: { name: fileName, text: "\n".repeat(line) + text }, start, end: start + 1 };
}
