import { MappedText } from "./mapped-text.js";

/**
 * A configuration line without its comment. Only the first `#` is looked at: at the beginning of the line it takes the
 * whole line; after a blank or tab it takes the rest, and the line's leading white space goes with it; anywhere else
 * the line is kept as it is. Quotes are not considered. Source: CNTK's Config.h (StripComments).
 */
export function stripComment(line: MappedText): MappedText {
  const text = line.text;
  const first = text.search(/[^ \t]/);
  if (first < 0 || text[first] === "#") return MappedText.empty;
  const comment = text.indexOf("#", first);
  if (comment < 0) return line;
  const before = text[comment - 1];
  return before === " " || before === "\t" ? line.slice(first, comment) : line;
}
