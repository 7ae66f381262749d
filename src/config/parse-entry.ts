import { CntkError } from "../diagnostics/diagnostic.js";
import { parseInteger } from "./conversions.js";
import { findClosing, isOpening } from "./brackets.js";
import type { MappedText } from "./mapped-text.js";
import { MappedText as Mapped } from "./mapped-text.js";

/** One entry of a section. */
export interface KeyValue {
  readonly key: MappedText;
  readonly value: MappedText;
}

/**
 * Reads `key=value`, `key [ … ]` or a lone `key` (which means `true`); quotes around a value are taken off.
 * Undefined for an entry without a key, which CNTK passes over. Throws CntkError `no-value`.
 */
export function parseKeyValue(entry: MappedText): KeyValue | undefined {
  const text = entry.text;
  let keyEnd = 0;
  while (keyEnd < text.length && text[keyEnd] !== "=" && !isOpening(text, keyEnd)) keyEnd++;
  const key = entry.slice(0, keyEnd).trimBlanks();
  if (keyEnd === text.length)
    return key.length === 0 ? undefined : { key, value: Mapped.literal("true", key.spanOf()) };

  let start = text[keyEnd] === "=" ? keyEnd + 1 : keyEnd;
  while (start < text.length && (text[start] === " " || text[start] === "\t")) start++;
  if (start === text.length) {
    throw new CntkError({
      code: "no-value",
      message: `ParseValue: No value given for '${key.text}'.`,
      span: entry.spanOf(),
      hint: "the value, or the bracket that opens it, stands on the same line as the '='",
    });
  }
  if (key.length === 0) return undefined;
  let end = text.length;
  if (isOpening(text, start)) {
    end = closingOr(entry, start, end) + 1;
    if (text[start] === '"') {
      start++;
      end--;
    }
  }
  return { key, value: entry.slice(start, Math.min(end, text.length)).trimBlanks() };
}

/** One item of an array: `value` or `value*count`. `stop` ends the whole array (CNTK's `x*`). */
export type ArrayItem = { readonly value: MappedText; readonly count: number } | "stop";

/** Reads an array item; bracketed items keep their brackets and take no count. Undefined for blanks. */
export function parseArrayItem(entry: MappedText): ArrayItem | undefined {
  const item = entry.trimBlanks();
  if (item.length === 0) return undefined;
  const star = isOpening(item.text, 0) ? -1 : item.text.indexOf("*");
  if (star < 0) return { value: item, count: 1 };
  if (star + 1 === item.length) return "stop";
  return { value: item.slice(0, star).trimBlanks(), count: parseInteger(item.slice(star + 1).trimBlanks()) };
}

/** A group that is not closed was reported when the entries were split; here it reaches to the end. */
function closingOr(text: MappedText, start: number, end: number): number {
  try {
    return findClosing(text, start);
  } catch (error) {
    if (error instanceof CntkError) return end;
    throw error;
  }
}
