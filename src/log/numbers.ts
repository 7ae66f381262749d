import { formatExponential, formatFixed, formatGeneral } from "../numerics/number-format.js";

/**
 * A number as CNTK's log lines print it: with `precision` decimals, or in the exponential form where `%.<precision>g` would
 * choose it, padded with blanks on the left to `width` characters.
 */
export function number(width: number, precision: number, value: number): string {
  const general = formatGeneral(value, precision);
  const text = general.includes("e") ? formatExponential(value, precision) : formatFixed(value, precision);
  return text.padStart(width);
}
