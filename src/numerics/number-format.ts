/**
 * Numbers printed digit for digit as C's `printf` prints them. JavaScript's own `toFixed` and `toExponential` are exact but
 * round a tie away from zero where C rounds it to the even digit, and they write exponents differently.
 */

/** C's `%.<digits>f`: `inf`, `-inf`, `-nan`; the sign of a negative zero is kept. */
export function formatFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value);
  const magnitude = Math.abs(value);
  return sign(value) + (magnitude < 1e21 ? fixedMagnitude(magnitude, digits) : hugeFixed(magnitude, digits));
}

/** C's `%.<digits>e`: `1.50000e-05`, exponents with at least two digits. */
export function formatExponential(value: number, digits: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value);
  const { mantissa, exponent } = exponentialParts(Math.abs(value), digits);
  return sign(value) + mantissa + exponentText(exponent);
}

/** C's `%.<precision>g`: at most `precision` significant digits, no trailing zeros, `%e` form below 1e-4 and from 10^precision. */
export function formatGeneral(value: number, precision: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value);
  const significant = Math.max(precision, 1);
  const magnitude = Math.abs(value);
  const { mantissa, exponent } = exponentialParts(magnitude, significant - 1);
  if (exponent < -4 || exponent >= significant) {
    return sign(value) + withoutTrailingZeros(mantissa) + exponentText(exponent);
  }
  return sign(value) + withoutTrailingZeros(fixedMagnitude(magnitude, significant - 1 - exponent));
}

function sign(value: number): string {
  return value < 0 || Object.is(value, -0) ? "-" : "";
}

/** The NaN that x86 makes of an invalid operation has its sign bit set, and C prints it. */
function formatNonFinite(value: number): string {
  return Number.isNaN(value) ? "-nan" : value < 0 ? "-inf" : "inf";
}

function withoutTrailingZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

function exponentText(exponent: number): string {
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `e${exponent < 0 ? "-" : "+"}${digits}`;
}

function fixedMagnitude(magnitude: number, digits: number): string {
  const text = magnitude.toFixed(digits);
  return endsOdd(text) && isTie(magnitude, digits) ? withLastDigitLowered(text) : text;
}

/** From 10^21 on a double is an integer, and `toFixed` gives up. */
function hugeFixed(magnitude: number, digits: number): string {
  return BigInt(magnitude).toString() + (digits > 0 ? "." + "0".repeat(digits) : "");
}

function exponentialParts(magnitude: number, digits: number): { mantissa: string; exponent: number } {
  const [mantissa = "", exponentDigits = "0"] = magnitude.toExponential(digits).split("e");
  const exponent = Number(exponentDigits);
  // An odd last digit was not carried out of, so `exponent` is also that of the number before rounding.
  const rounded = endsOdd(mantissa) && isTie(magnitude, digits - exponent);
  return { mantissa: rounded ? withLastDigitLowered(mantissa) : mantissa, exponent };
}

function endsOdd(digits: string): boolean {
  return (digits.charCodeAt(digits.length - 1) & 1) === 1;
}

function withLastDigitLowered(digits: string): string {
  return digits.slice(0, -1) + String.fromCharCode(digits.charCodeAt(digits.length - 1) - 1);
}

/** Does the number lie exactly between two neighbours with `decimals` decimals (negative: before the point)? */
function isTie(magnitude: number, decimals: number): boolean {
  if (decimals >= 0) {
    // A binary fraction is m + 1/2 units of 10^-d only if it is an odd multiple of 2^-(d+1).
    const halves = magnitude * 2 ** (decimals + 1);
    return halves < 2 ** 53 && Number.isInteger(halves) && halves % 2 === 1;
  }
  if (!Number.isInteger(magnitude)) return false;
  const unit = 10n ** BigInt(-decimals);
  return BigInt(magnitude) % unit === unit / 2n;
}
