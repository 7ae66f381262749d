import type { Source, Span } from "../diagnostics/source.js";

/**
 * A run of characters that came from one place. A linear run stands letter by letter in its source; any other run
 * (the value `true` of a key without `=`) has the whole place behind each of its characters.
 */
interface Run {
  /** Offset of its first character in the mapped text. */
  readonly at: number;
  readonly source: Source;
  readonly start: number;
  readonly end: number;
  readonly linear: boolean;
}

const nowhere: Source = { name: "<empty>", text: "" };

/**
 * Text put together from pieces of other texts; every character knows the true place it was written at. It is the only
 * string type of this room, so that an error message is right after includes, stripped comments, overrides and `$x$`.
 */
export class MappedText {
  readonly text: string;
  private readonly runs: readonly Run[];

  private constructor(text: string, runs: readonly Run[]) {
    this.text = text;
    this.runs = runs;
  }

  static readonly empty = new MappedText("", []);

  /** A whole source as it stands. */
  static of(source: Source): MappedText {
    const run: Run = { at: 0, source, start: 0, end: source.text.length, linear: true };
    return new MappedText(source.text, [run]);
  }

  /** Text that nobody wrote in this form; all of it points to one place. */
  static literal(text: string, span: Span): MappedText {
    return new MappedText(text, [
      { at: 0, source: span.source, start: span.start, end: span.end, linear: false },
    ]);
  }

  /** The parts one after the other. */
  static concat(...parts: readonly MappedText[]): MappedText {
    const builder = new MappedTextBuilder();
    for (const part of parts) builder.append(part);
    return builder.build();
  }

  /** For MappedTextBuilder only. @internal */
  static fromRuns(text: string, runs: readonly Run[]): MappedText {
    return new MappedText(text, runs);
  }

  get length(): number {
    return this.text.length;
  }

  /** The characters `[start, end)`, with their places; an empty slice still knows where it stood. */
  slice(start: number, end: number = this.text.length): MappedText {
    if (start <= 0 && end >= this.text.length) return this;
    const text = this.text.slice(start, end);
    if (this.runs.length === 0) return this;
    const runs: Run[] = [];
    const last = Math.max(start, end - 1);
    for (let index = this.runIndex(start); index < this.runs.length; index++) {
      const run = this.runs[index]!;
      if (run.at > last) break;
      const skipped = Math.max(0, start - run.at);
      runs.push({
        ...run,
        at: Math.max(0, run.at - start),
        start: run.linear ? run.start + skipped : run.start,
      });
    }
    return new MappedText(text, runs);
  }

  /** Without blanks and tabs at both ends (line ends stay). */
  trimBlanks(): MappedText {
    const text = this.text;
    let start = 0;
    let end = text.length;
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
    return this.slice(start, end);
  }

  /** The lines without their line ends; the text after the last newline is a line too, unless it is empty. */
  lines(): MappedText[] {
    const lines: MappedText[] = [];
    let start = 0;
    for (let end = this.text.indexOf("\n"); end >= 0; end = this.text.indexOf("\n", start)) {
      lines.push(this.slice(start, end));
      start = end + 1;
    }
    if (start < this.text.length) lines.push(this.slice(start));
    return lines;
  }

  /** The text with `[start, end)` replaced. */
  replace(start: number, end: number, by: MappedText): MappedText {
    return MappedText.concat(this.slice(0, start), by, this.slice(end));
  }

  /**
   * Where the characters `[start, end)` were written. A range over several sources is cut to where its first
   * character came from; an empty range is the place before the character at `start`.
   */
  spanOf(start: number = 0, end: number = this.text.length): Span {
    if (this.runs.length === 0) return { source: nowhere, start: 0, end: 0 };
    const first = this.runs[this.runIndex(start)]!;
    const from = first.linear
      ? Math.min(first.start + Math.max(0, start - first.at), limitOf(first))
      : first.start;
    if (end <= start) return { source: first.source, start: from, end: first.linear ? from : first.end };
    const last = this.runs[this.runIndex(end - 1)]!;
    const to = last.linear ? Math.min(last.start + (end - last.at), limitOf(last)) : last.end;
    if (last.source === first.source && to >= from) return { source: first.source, start: from, end: to };
    return { source: first.source, start: from, end: first.end };
  }

  /** The runs that make up the text. For MappedTextBuilder only. @internal */
  get pieces(): readonly Run[] {
    return this.runs;
  }

  /** Index of the run that holds the character at `offset` (the last run for the end of the text). */
  private runIndex(offset: number): number {
    let low = 0;
    let high = this.runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.runs[middle]!.at <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Joins pieces; neighbours that were neighbours in their source too become one run again. */
export class MappedTextBuilder {
  private readonly texts: string[] = [];
  private readonly runs: Run[] = [];
  private length = 0;

  append(part: MappedText): this {
    if (part.text.length === 0 && this.runs.length > 0) return this;
    const pieces = part.pieces;
    for (let index = 0; index < pieces.length; index++) {
      const piece = pieces[index]!;
      // A slice keeps the run's end of its parent; what counts is where the next run begins.
      const next = index + 1 < pieces.length ? pieces[index + 1]!.at : part.text.length;
      const end = piece.linear ? piece.start + (next - piece.at) : piece.end;
      const previous = this.runs[this.runs.length - 1];
      if (
        previous?.linear &&
        piece.linear &&
        previous.source === piece.source &&
        previous.end === piece.start
      ) {
        this.runs[this.runs.length - 1] = { ...previous, end };
      } else {
        this.runs.push({ ...piece, at: this.length + piece.at, end });
      }
    }
    this.texts.push(part.text);
    this.length += part.text.length;
    return this;
  }

  build(): MappedText {
    return this.runs.length === 0 ? MappedText.empty : MappedText.fromRuns(this.texts.join(""), this.runs);
  }
}

/** A linear run never points behind its source (a line end that was added at the end of a file would). */
function limitOf(run: Run): number {
  return run.source.text.length;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
