import { CntkError, type Diagnostic } from "../diagnostics/diagnostic.js";
import { findClosing, isOpening } from "./brackets.js";
import type { MappedText } from "./mapped-text.js";

/** What separates entries besides comma and line end: `;` in a section, `:` in an array, `,` alone in a list. */
export type Separator = ";" | ":" | ",";

export interface SplitResult {
  /** The entries in order, quotes around a whole entry removed, white space around them kept. */
  readonly result: readonly MappedText[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A first character inside an opened bracket that replaces the separator there. */
const customSeparators = "`~!@$%^&*_-+|:;,?.";
/** Beginnings of paths, which do not change the separator. */
const pathBeginnings = ["..", ".\\", "./", "\\\\"];

/**
 * Splits configuration text into its entries, as CNTK's reader does each time it reads a section or an array:
 * at separators outside brackets and quotes, with brackets at the outermost level opened (`[a=1;b=2]` gives `a=1`,
 * `b=2`). Brackets that do not match are reported, not thrown. Source: CNTK's Config.h (ConfigParser::Parse).
 */
export function splitEntries(text: MappedText, separator: Separator): SplitResult {
  const splitting = new Splitting(text, separator);
  splitting.run();
  return { result: splitting.entries, diagnostics: splitting.diagnostics };
}

/** One walk over a text. */
class Splitting {
  readonly entries: MappedText[] = [];
  readonly diagnostics: Diagnostic[] = [];
  private readonly characters: string;
  /** The separator in force: differs from `separator` inside a bracket that brings its own. */
  private active: string;
  /** Where the outermost bracket that was opened here closes; -1 outside. Only one level is ever opened. */
  private contentEnd = -1;

  constructor(
    private readonly text: MappedText,
    private readonly separator: Separator,
  ) {
    this.characters = text.text;
    this.active = separator;
  }

  run(): void {
    for (let offset = 0; offset < this.characters.length;) offset = this.step(offset);
  }

  /** Reads what stands at the offset; returns where to go on. */
  private step(offset: number): number {
    if (offset === this.contentEnd) {
      // The end of the bracket that was opened: the outer separator is in force again.
      this.contentEnd = -1;
      this.active = this.separator;
      return offset + 1;
    }
    const character = this.characters[offset]!;
    if (this.isSeparator(character) || character === " " || character === "\t") return offset + 1;
    if (!isOpening(this.characters, offset)) return this.entry(offset);
    if (this.contentEnd < 0) return this.open(offset);
    return this.group(offset);
  }

  private isSeparator(character: string): boolean {
    return character === "," || character === "\n" || character === "\r" || character === this.active;
  }

  /** A bracket or quote at the outermost level is opened: its content is read as if it stood outside. */
  private open(offset: number): number {
    this.contentEnd = this.closingOrEnd(offset);
    const next = offset + 1;
    const changes =
      next < this.contentEnd &&
      customSeparators.includes(this.characters[next]!) &&
      !pathBeginnings.some((beginning) => this.characters.startsWith(beginning, next));
    if (!changes) return next;
    this.active = this.characters[next]!;
    return next + 1;
  }

  /** Inside the opened bracket a further bracket group is an entry with its brackets, a quoted text one without quotes. */
  private group(offset: number): number {
    const end = Math.min(this.closingOrEnd(offset) + 1, this.contentEnd);
    if (this.characters[offset] === '"') {
      const isClosed = end > offset && this.characters[end - 1] === '"';
      this.entries.push(this.text.slice(offset + 1, isClosed ? end - 1 : end));
    } else {
      this.entries.push(this.text.slice(offset, end));
    }
    return end;
  }

  /** Anything else runs to the next separator, or to the end of the first bracket group that opens before it. */
  private entry(offset: number): number {
    const { characters } = this;
    const limit = this.contentEnd < 0 ? characters.length : this.contentEnd;
    let end = offset;
    while (end < limit && !this.isSeparator(characters[end]!) && !isOpening(characters, end)) end++;
    if (end < limit && isOpening(characters, end)) end = Math.min(this.closingOrEnd(end) + 1, limit);
    this.entries.push(this.text.slice(offset, end));
    return end;
  }

  /** The closing offset of the group at `start`; a group that is never closed is reported and reaches to the end. */
  private closingOrEnd(start: number): number {
    try {
      return findClosing(this.text, start);
    } catch (error) {
      if (!(error instanceof CntkError)) throw error;
      // One report is enough: the same open bracket is met again from inside.
      const isKnown = this.diagnostics.some((known) => known.span?.start === error.diagnostic.span?.start);
      if (!isKnown) this.diagnostics.push(error.diagnostic);
      return this.text.length;
    }
  }
}
