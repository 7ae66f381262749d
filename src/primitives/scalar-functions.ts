import type { BinaryOperator, UnaryOperator } from "./expression.js";

const smallestLogged = Math.fround(1e-37);
const logarithmOfSmallest = Math.fround(-85.1);

/** Rounds a double to a number of the element type. */
export type Rounding = (x: number) => number;

/**
 * What every operator of an expression means for one number; the caller rounds the result to the element type.
 * `round` is for operators that CNTK computes in several steps of the element type.
 * Guards and comparisons follow CNTK's `Source/Math/TensorOps.h`; a comparison gives 1 or 0.
 */
export const unaryFunctions: Readonly<Record<UnaryOperator, (x: number, round: Rounding) => number>> = {
  negate: (x) => -x,
  absolute: (x) => Math.abs(x),
  sign: (x) => (x > 0 ? 1 : x < 0 ? -1 : x),
  exponential: (x) => Math.exp(x),
  // The logarithm of anything below 1e-37 is a constant, ln(1e-37) to one decimal; both are float constants, also in double.
  logarithm: (x) => (x < smallestLogged ? logarithmOfSmallest : Math.log(x)),
  squareRoot: (x) => Math.sqrt(x > 0 ? x : 0),
  reciprocal: (x) => (x === 0 ? 0 : 1 / x),
  floor: (x) => Math.floor(x),
  sine: (x) => Math.sin(x),
  cosine: (x) => Math.cos(x),
  hyperbolicTangent: (x) => Math.tanh(x),
  sigmoid: (x, round) => 1 / round(1 + round(Math.exp(-x))),
  rectify: (x) => (x > 0 ? x : 0),
  toSingle: (x) => Math.fround(x),
};

export const binaryFunctions: Readonly<
  Record<BinaryOperator, (a: number, b: number, round: Rounding) => number>
> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  // Not Math.max: of a NaN and a number CNTK takes the second operand, whichever that is.
  maximum: (a, b) => (a > b ? a : b),
  minimum: (a, b) => (a < b ? a : b),
  power: safePower,
  logAdd: (a, b, round) => {
    const high = a < b ? b : a;
    const low = a < b ? a : b;
    // Equal infinities would give NaN in the difference.
    return low === high && !Number.isFinite(high)
      ? high
      : high + round(Math.log1p(round(Math.exp(round(low - high)))));
  },
  less: (a, b) => (a < b ? 1 : 0),
  lessEqual: (a, b) => (a <= b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
  notEqual: (a, b) => (a !== b ? 1 : 0),
  greater: (a, b) => (a > b ? 1 : 0),
  greaterEqual: (a, b) => (a >= b ? 1 : 0),
};

/** `base ^ exponent` as CNTK's `safepow_`: 0 to any power but 0 is 0 (also a negative one), NaN for fractional powers of negatives. */
function safePower(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  if (base === 0) return 0;
  if (base > 0) return Math.pow(base, exponent);
  if (exponent !== Math.trunc(exponent)) return NaN;
  return Math.pow(-base, exponent) * (exponent % 2 === 0 ? 1 : -1);
}
