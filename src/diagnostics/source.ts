/** A text somebody wrote (a file, a command-line word, a library file), as read, with the name shown to users. */
export interface Source {
  /** File path, or a description in angle brackets such as `<command line>`. */
  readonly name: string;
  readonly text: string;
}

/** A range of characters `[start, end)` of a source. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** A place as users count: line and column start at 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Line and column of a character offset. A tab counts as one column. */
export function placeOf(source: Source, offset: number): Place {
  let line = 1;
  let lineStart = 0;
  const end = Math.min(offset, source.text.length);
  for (let at = source.text.indexOf("\n"); at >= 0 && at < end; at = source.text.indexOf("\n", at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: end - lineStart + 1 };
}
