import { CntkError } from "../diagnostics/diagnostic.js";
import type { Source } from "../diagnostics/source.js";
import { stripComment } from "./comments.js";
import { MappedText, MappedTextBuilder } from "./mapped-text.js";
import { newlineAfter } from "./resolve-variables.js";

/**
 * The lines of a configuration file that are not blank or comment only, each ended by one newline.
 * Throws CntkError `carriage-return`. Source: CNTK's Config.cpp (ReadConfigFile).
 */
export function configurationLines(source: Source): MappedText {
  const whole = MappedText.of(source);
  const builder = new MappedTextBuilder();
  for (let start = 0; start < whole.length;) {
    let end = whole.text.indexOf("\n", start);
    if (end < 0) end = whole.length;
    let contentEnd = end;
    if (contentEnd > start && whole.text[contentEnd - 1] === "\r") contentEnd--;
    if (whole.text[start] === "\uFEFF") start++;
    const line = whole.slice(start, contentEnd);
    const carriageReturn = line.text.indexOf("\r");
    if (carriageReturn >= 0) {
      const span = line.spanOf(carriageReturn, carriageReturn + 1);
      const message = "fgets: malformed text file, CR without LF";
      throw new CntkError({ code: "carriage-return", message, span, hint: "end lines with LF or CR LF" });
    }
    const kept = stripComment(line);
    if (kept.length > 0) {
      builder.append(kept);
      builder.append(end < whole.length ? whole.slice(end, end + 1) : newlineAfter(line));
    }
    start = end + 1;
  }
  return builder.build();
}
