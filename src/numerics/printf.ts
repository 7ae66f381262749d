import { formatExponential, formatFixed, formatGeneral } from "./number-format.js";

/** What stands between `%` and the letter of a conversion of C's `printf`: flags, width, precision. */
export interface Conversion {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  /** Of a number: `%e`, `%g` or a capital letter instead of `%f`; `%u`, `%x` or `%o` instead of `%d`. */
  readonly letter?: string;
  /** What the format has besides the conversion. */
  readonly before?: string;
  readonly after?: string;
  /** There is no conversion at all: the text before stands for every value. */
  readonly isMissing?: boolean;
}

/** The letters of conversions that can take the place of CNTK's own: of numbers, of whole numbers, of indices, of texts. */
const letters = { f: "fFeEgG", d: "diuxXo", u: "udi", s: "s" } as const;

/**
 * Reads what CNTK puts between `%` and its own letter as `printf` would read the whole: `.3` and its like, but also `.3e`, behind
 * which CNTK's letter is a text, or `%.3`, which is no conversion. Undefined for formats whose result is left to chance.
 */
export function readFormat(text: string, own: keyof typeof letters): Conversion | undefined {
  const pieces = /%(%|([-+ 0#']*)([0-9]*)(?:\.([0-9]*))?(?:hh|h|ll|l|q|j|z|t)?(\D))|[^%]+|%/gy;
  let conversion: Conversion | undefined;
  let [before, after] = ["", ""];
  for (const [piece, found, flags = "", width = "", precision, letter = ""] of `%${text}${own}`.matchAll(
    pieces,
  )) {
    const isText = found === undefined || found === "%";
    if (isText && piece !== "%") {
      if (conversion) after += found ?? piece;
      else before += found ?? piece;
      continue;
    }
    if (conversion || !letters[own].includes(letter)) return undefined;
    const digits = precision === undefined ? undefined : Number(precision);
    conversion = { flags, width: Number(width), precision: digits, letter };
  }
  const nothing = { flags: "", width: 0, precision: undefined, isMissing: true };
  return { ...(conversion ?? nothing), before, after };
}

/** Numbers are no wider, and have no more decimals, than anybody reads. */
export const widestFormat = 10_000;
export const mostDecimals = 100;

/** Can texts of this conversion be made whatever the value? */
export function isWithinLimits({ width, precision = 0 }: Conversion): boolean {
  return width <= widestFormat && precision <= mostDecimals;
}

/** C's `%f`, or what the conversion has instead of it. */
export function printReal(value: number, conversion: Conversion): string {
  const { precision = 6, flags, letter = "f" } = conversion;
  const point = flags.includes("#") && precision === 0 && Number.isFinite(value) ? "." : "";
  const digits = notations[letter.toLowerCase()]?.(Math.abs(value), precision) ?? "";
  const text = padded(signOf(value, flags), digits + point, conversion, Number.isFinite(value));
  return within(conversion, letter === letter.toLowerCase() ? text : text.toUpperCase());
}

const notations: Readonly<Record<string, typeof formatFixed>> = {
  f: formatFixed,
  e: formatExponential,
  g: formatGeneral,
};

function within({ before = "", after = "", isMissing = false }: Conversion, text: string): string {
  return isMissing ? before : before + text + after;
}

/** C's `%d`, for a whole number, or what the conversion has instead of it: `%u`, `%x`, `%X`, `%o` take it for one of 32 bits. */
export function printInteger(value: number, conversion: Conversion): string {
  const { precision = 1, flags, letter = "d" } = conversion;
  const base = { u: 10, x: 16, o: 8 }[letter.toLowerCase()];
  const number = base ? value >>> 0 : Math.abs(value);
  const digits = precision === 0 && value === 0 ? "" : number.toString(base).padStart(precision, "0");
  const sign = base ? prefixOf(number, digits, conversion) : signOf(value === 0 ? 0 : value, flags);
  const text = padded(sign, digits, conversion, conversion.precision === undefined);
  return within(conversion, letter === "X" ? text.toUpperCase() : text);
}

/** What the flag `#` puts before a number of base 16 or 8. */
function prefixOf(number: number, digits: string, { flags, letter = "" }: Conversion): string {
  if (!flags.includes("#") || letter === "u") return "";
  if (letter === "o") return digits.startsWith("0") ? "" : "0";
  return number === 0 ? "" : "0x";
}

/** C's `%u`, for a whole number from 0, or what the conversion has instead of it. */
export function printUnsigned(value: number, conversion: Conversion): string {
  return printInteger(value, { letter: "u", ...conversion });
}

/** C's `%s`. */
export function printText(text: string, conversion: Conversion): string {
  const { flags, width, precision } = conversion;
  const cut = text.slice(0, precision);
  return within(conversion, flags.includes("-") ? cut.padEnd(width) : cut.padStart(width));
}

function signOf(value: number, flags: string): string {
  // The NaN of an invalid operation brings its own.
  if (Number.isNaN(value)) return "";
  if (value < 0 || Object.is(value, -0)) return "-";
  return flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
}

/** Zeros fill up between sign and digits, but never `inf`, and no integer whose number of digits is given. */
function padded(sign: string, digits: string, { flags, width }: Conversion, mayFill: boolean): string {
  if (flags.includes("-")) return (sign + digits).padEnd(width);
  if (flags.includes("0") && mayFill) return sign + digits.padStart(width - sign.length, "0");
  return (sign + digits).padStart(width);
}
