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
  const expected: { bracket: string; at: number }[] = [];
  const push = (at: number) => expected.push({ bracket: closing[opening.indexOf(characters[at]!)]!, at });
  push(start);
  const anyBracket = /["[\](){}]/g;
  for (let at = start + 1; ; at++) {
    const innermost = expected[expected.length - 1]!;
    if (innermost.bracket === '"') {
      at = characters.indexOf('"', at);
    } else {
      anyBracket.lastIndex = at;
      at = anyBracket.exec(characters)?.index ?? -1;
    }
    if (at < 0) throw noClosing(text, innermost.bracket, innermost.at);
    const found = characters[at]!;
    if (found === innermost.bracket) {
      expected.pop();
      if (expected.length === 0) return at;
    } else if (opening.includes(found)) {
      push(at);
    } else {
      throw unmatched(text, at, innermost.bracket, innermost.at);
    }
  }
}

function noClosing(text: MappedText, bracket: string, openedAt: number): CntkError {
  const quote = bracket === '"';
  return new CntkError({
    code: "no-closing",
    message: `no closing ${bracket} found in parameters`,
    span: text.spanOf(openedAt, openedAt + 1),
    label: quote ? "this quote is never closed" : "this bracket is never closed",
    hint: quote
      ? "a \" counts everywhere but in # comments, also in // comments and in '…' of BrainScript"
      : undefined,
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
