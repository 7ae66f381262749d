import { findClosing, isOpening } from "../../config/brackets.js";
import { readArray } from "../../config/config-section.js";
import type { MappedText } from "../../config/mapped-text.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import { functionName } from "./function-names.js";

/** An error of a description. */
export function scriptProblem(code: string, message: string, span: Span, hint?: string): CntkError {
  return new CntkError({ code, message, span, ...(hint !== undefined && { hint }) });
}

/** An entry of a script: `key = value`; without a key it is a call alone, or the header of a macro. */
export interface Statement {
  readonly key?: MappedText;
  readonly value: MappedText;
}

/**
 * Splits an entry at its `=`, unless a bracket comes before it. Quotes around a value are taken off.
 * Throws CntkError `script-syntax` for a key without a value (CNTK passes over the rest of the text in silence).
 * Source: NetworkDescriptionLanguage.h, NDLScript::ParseValue.
 */
export function readStatement(entry: MappedText): Statement {
  let at = 0;
  while (at < entry.length && entry.text[at] !== "=" && !isOpening(entry.text, at)) at++;
  if (entry.text[at] !== "=") return { value: entry };
  const key = entry.slice(0, at).trimBlanks();
  const rest = entry.slice(at + 1).trimBlanks();
  if (rest.length === 0) {
    throw scriptProblem(
      "script-syntax",
      `No value given for '${key.text}'.`,
      entry.spanOf(),
      "the value, or the bracket that opens it, stands on the same line as the '='",
    );
  }
  if (!isOpening(rest.text, 0)) return { key, value: rest };
  const end = findClosing(rest, 0);
  const value = rest.text.startsWith('"') ? rest.slice(1, end) : rest.slice(0, end + 1);
  return { key, value: value.trimBlanks() };
}

/** Name and parameter list of a macro's header. Throws CntkError `script-syntax`. */
export function readHeader(header: MappedText): {
  readonly name: MappedText;
  readonly parameters: MappedText;
} {
  let open = 0;
  while (open < header.length && !isOpening(header.text, open)) open++;
  if (open === header.length) {
    throw scriptProblem(
      "script-syntax",
      `Invalid statement, does not contain an '=' sign: ${header.text}`,
      header.spanOf(),
      "a statement is name = Function (arguments); a macro's header is Name (parameters)",
    );
  }
  return { name: header.slice(0, open).trimBlanks(), parameters: header.slice(open) };
}

/** The names of a macro's parameters. Throws CntkError `script-name` for one that is a function's name. */
export function formalParameters(macro: MappedText, parameters: MappedText): readonly MappedText[] {
  const formals = readArray(parameters);
  for (const formal of formals) {
    if (functionName(formal.text) === undefined) continue;
    throw scriptProblem(
      "script-name",
      `NDLScript: Macro ${macro.text} includes a parameter ${formal.text}, which is also the name of a function. ` +
        "Parameter names may not be the same as function names.",
      formal.spanOf(),
    );
  }
  return formals;
}
