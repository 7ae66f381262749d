import { CntkError } from "../diagnostics/diagnostic.js";
import type { MappedText } from "./mapped-text.js";

/**
 * Conversions of configuration values, with CNTK's messages (Source: Config.h, ConfigValue). Each throws CntkError
 * `bad-value` at the place where the value was written.
 */
function badValue(value: MappedText, message: string, hint?: string): CntkError {
  return new CntkError({
    code: "bad-value",
    message,
    span: value.spanOf(),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** C's white space, which strtol and strtod skip. */
const space = "[ \\t\\n\\v\\f\\r]*";
const integerForm = new RegExp(`^${space}([+-]?[0-9]+)$`);
const doubleForm = new RegExp(
  `^${space}([+-]?)(?:(0[xX](?:[0-9a-fA-F]+\\.?[0-9a-fA-F]*|\\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?)` +
    `|((?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|([iI][nN][fF](?:[iI][nN][iI][tT][yY])?)|([nN][aA][nN]))?`,
);

const unsignedMaximum = 2n ** 64n - 1n;

function parseWhole(value: MappedText, type: string): bigint {
  const digits = integerForm.exec(value.text)?.[1];
  if (digits === undefined) {
    throw badValue(
      value,
      `ConfigValue (${type}): invalid input string '${value.text}'`,
      "expected decimal digits",
    );
  }
  return digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits.replace("+", ""));
}

/** A C `int`: decimal digits only, the whole text; `1e3` is an error, and so is what does not fit into 32 bits. */
export function parseInteger(value: MappedText): number {
  const whole = parseWhole(value, "long");
  if (whole !== BigInt.asIntN(32, whole)) {
    const hint = "expected a whole number between -2147483648 and 2147483647";
    throw badValue(value, "ConfigValue (int): integer argument expected", hint);
  }
  return Number(whole);
}

/** A C `size_t`, exact: negative numbers wrap around, so that -1 is 18446744073709551615 (CNTK's "all"). */
export function parseSize(value: MappedText): bigint {
  const whole = parseWhole(value, "uint64_t");
  return whole > unsignedMaximum || whole < -unsignedMaximum ? unsignedMaximum : BigInt.asUintN(64, whole);
}

/** A C `double`: decimal or hexadecimal, `inf`, `nan`, or anything followed by `#inf`; the whole text. */
export function parseDouble(value: MappedText): number {
  const match = doubleForm.exec(value.text)!;
  const [all, sign, hexadecimal, decimal, infinity, nan] = match;
  const magnitude =
    hexadecimal !== undefined
      ? parseHexadecimal(hexadecimal)
      : decimal !== undefined
        ? Number(decimal)
        : infinity !== undefined
          ? Infinity
          : nan !== undefined
            ? NaN
            : undefined;
  // Without a number strtod stops at the beginning, before white space and sign.
  const rest = magnitude === undefined ? value.text : value.text.slice(all.length);
  if (magnitude !== undefined && rest === "") return sign === "-" ? -magnitude : magnitude;
  if (rest.toLowerCase().startsWith("#inf")) return Infinity;
  throw badValue(value, `ConfigValue (double): invalid input string '${value.text}'`, "expected a number");
}

/** Is the whole text a number to C's `strtod`? An empty text counts as one. */
export function isNumber(text: string): boolean {
  const [all = "", , hexadecimal, decimal, infinity, nan] = doubleForm.exec(text) ?? [];
  const found = hexadecimal ?? decimal ?? infinity ?? nan;
  return text === "" || (found !== undefined && all.length === text.length);
}

function parseHexadecimal(text: string): number {
  const [mantissa = "", exponent = "0"] = text.slice(2).toLowerCase().split("p");
  const [whole = "", fraction = ""] = mantissa.split(".");
  let result = 0;
  for (const digit of whole + fraction) result = result * 16 + Number.parseInt(digit, 16);
  return result * 2 ** (Number(exponent) - 4 * fraction.length);
}

const trueWords = new Set(["t", "true", "T", "True", "TRUE", "1"]);
const falseWords = new Set(["f", "false", "F", "False", "FALSE", "0", ""]);

/** A C++ `bool` in CNTK's spellings; nothing at all is false. */
export function parseBoolean(value: MappedText): boolean {
  if (trueWords.has(value.text)) return true;
  if (falseWords.has(value.text)) return false;
  throw badValue(
    value,
    "ConfigValue (bool): boolean argument expected",
    `expected true or false, not '${value.text}'`,
  );
}
