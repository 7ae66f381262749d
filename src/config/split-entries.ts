import type { CustomPatternMatcherReturn, TokenType } from "chevrotain";
import { chevrotain } from "../chevrotain.js";
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

/** What the lexer needs to know while it walks over one text; set for each call of splitEntries. */
interface Walk {
  text: MappedText;
  separator: string;
  /** The separator in force: differs from `separator` inside a bracket that brings its own. */
  active: string;
  /** Where the outermost bracket that was opened here closes; -1 outside. Only one level is ever opened. */
  contentEnd: number;
  diagnostics: Diagnostic[];
}

let walk: Walk;

/** The closing offset of the group at `start`; a group that is never closed is reported and reaches to the end. */
function closingOrEnd(start: number): number {
  try {
    return findClosing(walk.text, start);
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    // One report is enough: the same open bracket is met again from inside.
    const known = walk.diagnostics.some((known) => known.span?.start === error.diagnostic.span?.start);
    if (!known) walk.diagnostics.push(error.diagnostic);
    return walk.text.length;
  }
}

function isSeparator(character: string): boolean {
  return character === "," || character === "\n" || character === "\r" || character === walk.active;
}

function custom(
  name: string,
  pattern: (text: string, offset: number) => CustomPatternMatcherReturn | null,
  group?: string,
): TokenType {
  return chevrotain.createToken({
    name,
    pattern,
    line_breaks: false,
    ...(group === undefined ? {} : { group }),
  });
}

const separators = custom(
  "Separators",
  (text, offset) => {
    let end = offset;
    while (end < text.length && end !== walk.contentEnd && isSeparator(text[end]!)) end++;
    return end > offset ? [text.slice(offset, end)] : null;
  },
  chevrotain.Lexer.SKIPPED,
);

const blanks = chevrotain.createToken({ name: "Blanks", pattern: /[ \t]+/, group: chevrotain.Lexer.SKIPPED });

/** The end of the bracket that was opened: the outer separator is in force again. */
const close = custom(
  "Close",
  (text, offset) => {
    if (offset !== walk.contentEnd) return null;
    walk.contentEnd = -1;
    walk.active = walk.separator;
    return [text.slice(offset, offset + 1)];
  },
  chevrotain.Lexer.SKIPPED,
);

/** A bracket or quote at the outermost level is opened: its content is read as if it stood outside. */
const open = custom(
  "Open",
  (text, offset) => {
    if (walk.contentEnd >= 0 || !isOpening(text, offset)) return null;
    walk.contentEnd = closingOrEnd(offset);
    const next = offset + 1;
    const changes =
      next < walk.contentEnd &&
      customSeparators.includes(text[next]!) &&
      !pathBeginnings.some((beginning) => text.startsWith(beginning, next));
    if (!changes) return [text[offset]!];
    walk.active = text[next]!;
    return [text.slice(offset, next + 1)];
  },
  chevrotain.Lexer.SKIPPED,
);

/** Inside the opened bracket a further bracket group is an entry of its own, with its brackets. */
const group = custom("Group", (text, offset) => {
  if (walk.contentEnd < 0 || !isOpening(text, offset) || text[offset] === '"') return null;
  return [text.slice(offset, Math.min(closingOrEnd(offset) + 1, walk.contentEnd))];
});

const quoted = custom("Quoted", (text, offset) => {
  if (walk.contentEnd < 0 || text[offset] !== '"') return null;
  return [text.slice(offset, Math.min(closingOrEnd(offset) + 1, walk.contentEnd))];
});

/** Anything else runs to the next separator, or to the end of the first bracket group that opens before it. */
const run = custom("Run", (text, offset) => {
  const limit = walk.contentEnd < 0 ? text.length : walk.contentEnd;
  let end = offset;
  while (end < limit && !isSeparator(text[end]!) && !isOpening(text, end)) end++;
  if (end < limit && isOpening(text, end)) end = Math.min(closingOrEnd(end) + 1, limit);
  return end > offset ? [text.slice(offset, end)] : null;
});

const lexer = new chevrotain.Lexer([close, separators, blanks, open, quoted, group, run], {
  positionTracking: "onlyOffset",
  ensureOptimizations: false,
  // The custom patterns are plain functions: there is nothing to check at start-up.
  skipValidations: true,
});

/**
 * Splits configuration text into its entries, as CNTK's reader does each time it reads a section or an array:
 * at separators outside brackets and quotes, with brackets at the outermost level opened (`[a=1;b=2]` gives `a=1`,
 * `b=2`). Brackets that do not match are reported, not thrown. Source: CNTK's Config.h (ConfigParser::Parse).
 */
export function splitEntries(text: MappedText, separator: Separator): SplitResult {
  walk = { text, separator, active: separator, contentEnd: -1, diagnostics: [] };
  const { tokens } = lexer.tokenize(text.text);
  const result = tokens.map((token) => {
    const end = token.startOffset + token.image.length;
    if (token.tokenType !== quoted) return text.slice(token.startOffset, end);
    return text.slice(token.startOffset + 1, token.image.endsWith('"') ? end - 1 : end);
  });
  return { result, diagnostics: walk.diagnostics };
}
