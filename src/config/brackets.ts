import { CntkError } from "../diagnostics/diagnostic.js";
import type { MappedText } from "./mapped-text.js";

/** What configuration text can open: brackets, and the double quote. Apostrophes mean nothing here. */
export const opening = '[{("';
const closing = ']})"';

/** True for a character that opens a bracket group or a quoted text. */
export function isOpening(text: string, offset: number): boolean {
  return offset < text.length && opening.includes(text[offset]!);
}

/**
 * Offset of the character that closes the group opened at `start` (CNTK's rule: brackets of all kinds and double
 * quotes nest; inside quotes only the quote counts; `//` and apostrophes hide nothing).
 * Throws CntkError `unmatched-bracket` or `no-closing` with CNTK's messages.
 */
export function findClosing(text: MappedText, start: number): number {
  const characters = text.text;
  const expected: Opened[] = [];
  const push = (at: number) => expected.push({ bracket: closing[opening.indexOf(characters[at]!)]!, at });
  push(start);
  let suspect: Opened | undefined;
  const anyBracket = /["[\](){}]/g;
  for (let at = start + 1; ; at++) {
    const innermost = expected[expected.length - 1]!;
    if (innermost.bracket === '"') {
      at = characters.indexOf('"', at);
    } else {
      anyBracket.lastIndex = at;
      at = anyBracket.exec(characters)?.index ?? -1;
    }
    if (at < 0) throw noClosing(text, innermost, suspect);
    const found = characters[at]!;
    if (found === innermost.bracket) {
      expected.pop();
      if (expected.length === 0) return at;
      if (!suspect && closesSomethingElse(characters, innermost.at, at)) suspect = innermost;
    } else if (opening.includes(found)) {
      push(at);
    } else {
      throw unmatched(text, at, innermost.bracket, innermost.at);
    }
  }
}

interface Opened {
  /** The character that closes it. */
  readonly bracket: string;
  readonly at: number;
}

/**
 * True if indentation says that the bracket at `closedAt`, first on its line, belongs to an outer one: it stands
 * further left than the line of the bracket that it closes. Then it is the latter that was forgotten.
 */
function closesSomethingElse(text: string, openedAt: number, closedAt: number): boolean {
  const isBlank = (at: number): boolean => text[at] === " " || text[at] === "\t";
  let lineStart = closedAt;
  while (isBlank(lineStart - 1)) lineStart--;
  // Seen without going back to the beginning of the line, which may be a network of its own.
  if (lineStart > 0 && text[lineStart - 1] !== "\n") return false;
  const openLine = text.lastIndexOf("\n", openedAt) + 1;
  let first = openLine;
  while (isBlank(first)) first++;
  return openLine !== lineStart && closedAt - lineStart < first - openLine;
}

function noClosing(text: MappedText, open: Opened, suspect: Opened | undefined): CntkError {
  const quote = open.bracket === '"';
  const culprit = suspect ?? open;
  return new CntkError({
    code: "no-closing",
    message: `no closing ${open.bracket} found in parameters`,
    span: text.spanOf(culprit.at, culprit.at + 1),
    label: quote
      ? "this quote is never closed"
      : `this bracket is never closed${suspect ? ", to judge by the indentation" : ""}`,
    ...(suspect ? { calls: [{ span: text.spanOf(open.at, open.at + 1), label: "left open" }] } : {}),
    ...(quote
      ? { hint: "a \" counts everywhere but in # comments, also in // comments and in '…' of BrainScript" }
      : {}),
  });
}

function unmatched(text: MappedText, at: number, expected: string, openedAt: number): CntkError {
  return new CntkError({
    code: "unmatched-bracket",
    message: "unmatched bracket found in parameters",
    span: text.spanOf(at, at + 1),
    label: `'${expected}' expected`,
    calls: [{ span: text.spanOf(openedAt, openedAt + 1), label: "opened" }],
  });
}
