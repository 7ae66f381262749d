import { formatFixed } from "./number-format.js";

/** What stands between `%` and the letter of a conversion of C's `printf`: flags, width, precision. */
export interface Conversion {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
}

/** Reads `-8.3` and its like; undefined for anything else. A point without digits is a precision of 0. */
export function readConversion(text: string): Conversion | undefined {
  const parts = /^([-+ 0#]*)([0-9]*)(?:\.([0-9]*))?$/.exec(text);
  if (!parts) return undefined;
  const [, flags = "", width = "", precision] = parts;
  return { flags, width: Number(width), precision: precision === undefined ? undefined : Number(precision) };
}

/** Numbers are no wider, and have no more decimals, than anybody reads. */
export const widestFormat = 10_000;
export const mostDecimals = 100;

/** Can texts of this conversion be made whatever the value? */
export function isWithinLimits({ width, precision = 0 }: Conversion): boolean {
  return width <= widestFormat && precision <= mostDecimals;
}

/** C's `%f`. */
export function printReal(value: number, conversion: Conversion): string {
  const { precision = 6, flags } = conversion;
  const point = flags.includes("#") && precision === 0 && Number.isFinite(value) ? "." : "";
  const digits = formatFixed(Math.abs(value), precision) + point;
  return padded(signOf(value, flags), digits, conversion, Number.isFinite(value));
}

/** C's `%d`, for a whole number. */
export function printInteger(value: number, conversion: Conversion): string {
  const { precision = 1, flags } = conversion;
  const digits = precision === 0 && value === 0 ? "" : String(Math.abs(value)).padStart(precision, "0");
  const sign = signOf(value === 0 ? 0 : value, flags);
  return padded(sign, digits, conversion, conversion.precision === undefined);
}

/** C's `%u`, for a whole number from 0: as `%d`, but flags that speak of a sign do nothing. */
export function printUnsigned(value: number, conversion: Conversion): string {
  return printInteger(value, { ...conversion, flags: conversion.flags.replace(/[+ ]/g, "") });
}

/** C's `%s`. */
export function printText(text: string, { flags, width, precision }: Conversion): string {
  const cut = text.slice(0, precision);
  return flags.includes("-") ? cut.padEnd(width) : cut.padStart(width);
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
