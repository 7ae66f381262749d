import {
  type Conversion,
  isWithinLimits,
  mostDecimals,
  printInteger,
  printReal,
  printText,
  readFormat,
  widestFormat,
} from "../numerics/printf.js";
import { isInteger } from "./conversions.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import { nestedTooDeeply, typeName } from "./failures.js";
import { TextBudget } from "./limits.js";
import { forced, type Evaluation } from "./machine.js";
import type { Value } from "./values.js";

/** Nobody reads what is nested deeper; a record that contains itself is nested without end. */
const deepest = 1000;

/**
 * A value as Print and Format write it. CNTK's Linux builds shorten strings inside of records and arrays to their first
 * character and show the compiler's name of the class for booleans and functions; those are not repeated here.
 *
 * @param how the middle of a printf format, between `%` and the type letter, e.g. `.2`
 * @param span where `how` was written
 */
export function formatted(value: Value, how = "", span?: Span): Evaluation<string> {
  const conversions = new Map<OwnLetter, Conversion>();
  const conversion = (letter: OwnLetter): Conversion => {
    const known = conversions.get(letter) ?? conversionOf(how, letter, span);
    conversions.set(letter, known);
    return known;
  };
  return format(value, { conversion, budget: new TextBudget(span) }, 0);
}

/** `formatted`, with everything that the value contains computed now. */
export function formatValue(value: Value, how = "", span?: Span): string {
  return forced(formatted(value, how, span));
}

function* format(value: Value, how: Formatting, depth: number): Evaluation<string> {
  if (depth > deepest) throw nestedTooDeeply(undefined);
  const { budget } = how;
  switch (typeof value) {
    case "number":
      return budget.spend(formatNumber(value, how));
    case "string":
      return budget.spend(printText(value, how.conversion("s")));
    case "boolean":
      return budget.spend(String(value));
  }
  // A bracket counts for what stands in it, so that a value without end, however empty, comes to an end.
  budget.spend("  ".repeat(depth + 1));
  switch (value.kind) {
    case "array": {
      const items: string[] = [];
      if (value.first < 0 && value.elements.length > 0) throw unreachableElements();
      for (const element of value.elements) items.push(yield* format(yield element.ask(), how, depth + 1));
      return nested("(", items.join("\n"), ")");
    }
    case "record": {
      const members: string[] = [];
      for (const name of [...value.names].sort()) {
        const member = value.own(name);
        const text = member ? yield* format(yield member.ask(), how, depth + 1) : "";
        members.push(`${name} = ${text}`);
      }
      return `[\n${indented(members.join("\n"))}\n]`;
    }
    case "object":
      return budget.spend(value.format?.() ?? value.type);
    case "function":
      return typeName(value);
  }
}

/** CNTK comes to no element whose index is below 0, not even when it goes through all of them. */
function unreachableElements(): CntkError {
  return new CntkError({
    code: "index-out-of-bounds",
    message: "FormatConfigValue: out of bounds index while iterating??",
    hint: "the elements of an array that begins before 0 cannot be printed: let it begin at 0",
  });
}

/** The first item goes on the line of the opening bracket, the closing bracket behind the last one. */
function nested(open: string, items: string, close: string): string {
  return `${open} ${indented(items).slice(2)} ${close}`;
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}

/** The letter that CNTK puts behind a format: for a whole number, any other number, a text. */
type OwnLetter = "d" | "f" | "s";

/** How values are written, and how much of them. */
interface Formatting {
  readonly conversion: (letter: OwnLetter) => Conversion;
  readonly budget: TextBudget;
}

function conversionOf(how: string, letter: OwnLetter, span: Span | undefined): Conversion {
  const conversion = how.includes("%") ? undefined : readFormat(how, letter);
  if (!conversion) {
    const percent = "FormatConfigValue: format string must not contain %";
    const message = how.includes("%") ? percent : `invalid format '${how}'`;
    const hint = "the format is what stands between '%' and the letter in C: '.2', '06'";
    throw new CntkError({ code: "format-string", message, hint, ...(span && { span }) });
  }
  if (isWithinLimits(conversion)) return conversion;
  throw new CntkError({
    code: "format-string",
    message: `the format '${how}' is wider than any number`,
    hint: `the width is at most ${widestFormat}, the number of decimals ${mostDecimals}`,
    ...(span && { span }),
  });
}

/** `%d` for a whole number within C's int (also -0), else `%f`. */
function formatNumber(value: number, { conversion }: Formatting): string {
  return isInteger(value) ? printInteger(value, conversion("d")) : printReal(value, conversion("f"));
}
