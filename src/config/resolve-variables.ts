import { CntkError } from "../diagnostics/diagnostic.js";
import { stripComment } from "./comments.js";
import { checkLineLength } from "./pasting.js";
import { MappedText, MappedTextBuilder } from "./mapped-text.js";

/** Characters that cannot stand in a variable name: they end the attempt and leave the `$` as it is. */
const forbidden = new Set(",/<>?;':\"[]{}\\|!@#%^&*()+=~` \t\n");

/** Where `$name$` finds its value, already resolved; undefined if there is none. */
export type FindVariable = (name: MappedText) => MappedText | undefined;

/**
 * Replaces every `$name$` by its value, line by line; comments are stripped once more, empty lines vanish and, if
 * there are line ends at all, one is added at the end (as CNTK's log shows).
 * Source: CNTK's Config.h (ResolveVariables). Throws CntkError `unknown-variable`, `newline-in-variable`.
 */
export function resolveVariables(text: MappedText, sectionName: string, find: FindVariable): MappedText {
  if (!text.text.includes("\n")) return resolveLine(text, sectionName, find);
  if (!/[$#]|\n\n|^\n|\n[ \t]+(\n|$)/.test(text.text)) {
    // Nothing to replace and nothing to strip: the common case for inner sections.
    return text.text.endsWith("\n") ? text : MappedText.concat(text, newlineAfter(text));
  }
  const builder = new MappedTextBuilder();
  let start = 0;
  while (start < text.length) {
    let end = text.text.indexOf("\n", start);
    if (end < 0) end = text.length;
    if (end > start) {
      const line = text.slice(start, end);
      builder.append(resolveLine(line, sectionName, find));
      builder.append(end < text.length ? text.slice(end, end + 1) : newlineAfter(line));
    }
    start = end + 1;
  }
  return builder.build();
}

/** A line end that nobody wrote, standing behind the text. */
export function newlineAfter(text: MappedText): MappedText {
  return MappedText.literal("\n", text.spanOf(text.length, text.length));
}

function resolveLine(line: MappedText, sectionName: string, find: FindVariable): MappedText {
  const stripped = stripComment(line);
  const text = stripped.text;
  let start = text.indexOf("$");
  if (start < 0) return stripped;
  const builder = new MappedTextBuilder();
  let copied = 0;
  let length = 0;
  while (start >= 0) {
    const first = text[start + 1];
    if (first !== undefined && !/[A-Za-z_]/.test(first)) {
      // The character after the `$` is passed over as well, so `$$x$` stays as it is.
      start = text.indexOf("$", start + 2);
      continue;
    }
    let end = start + 1;
    while (end < text.length && text[end] !== "$" && !forbidden.has(text[end]!)) end++;
    if (text[end] !== "$") {
      start = text.indexOf("$", start + 1);
      continue;
    }
    const name = stripped.slice(start + 1, end);
    const value = find(name);
    if (value === undefined) throw unknownVariable(stripped, start, end + 1, sectionName);
    if (value.text.includes("\n")) throw newlineInVariable(stripped, start, end + 1);
    builder.append(stripped.slice(copied, start)).append(value);
    length += start - copied + value.length;
    checkLineLength(length, stripped);
    copied = end + 1;
    start = text.indexOf("$", copied);
  }
  return builder.append(stripped.slice(copied)).build();
}

function unknownVariable(line: MappedText, start: number, end: number, sectionName: string): CntkError {
  const name = line.text.slice(start + 1, end - 1);
  return new CntkError({
    code: "unknown-variable",
    message: `No variable found with the name ${name}. Parsing of string failed: ${sectionName}:${line.text}`,
    span: line.spanOf(start, end),
    label: "not defined at the root of the configuration",
  });
}

function newlineInVariable(line: MappedText, start: number, end: number): CntkError {
  return new CntkError({
    code: "newline-in-variable",
    message:
      "Newline characters are not allowed in the value of a variable which is resolved using $varName$ feature",
    span: line.spanOf(start, end),
  });
}
