import { call, f32x4, f64x2, i32x4, i64x2, local, type Local, v128 } from "wasmati";
import { define, variable, type Routine } from "../emit/function.js";
import { joined, moved, type Vector } from "../emit/lanes.js";
import type { WasmContext } from "./kernel.js";

/*
 * e^x, ln x and tanh x of four floats. They are computed in double, two lanes at a time, from series that leave less than 1e-8
 * of the result; rounded to float that is at most 0.6 units in the last place off (test/backends/wasm).
 */

type Two = Local<"v128">;
type Series = (x: Two) => Two;

/** Names of the functions that are here. */
export type Elementary = "exponential" | "logarithm" | "hyperbolicTangent";

/** (x) → f(x) in all four lanes. */
export function elementary(context: WasmContext, name: Elementary): Routine {
  return context.routine(name, () =>
    define(["v128"], ["v128"], ([x]) => {
      const low = inDouble[name](variable("v128", f64x2.promote_low_f32x4(x)));
      const high = inDouble[name](variable("v128", f64x2.promote_low_f32x4(moved(x, [1, 0], 8))));
      joined(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), [0, 2], 8);
    }),
  );
}

const two = (x: number): Vector => v128.const("f64x2", [x, x]);
/** A whole number in both lanes. */
const whole = (x: bigint): Vector => v128.const("i64x2", [x, x]);

/** x·(c₁ + x·(c₂ + x·(…))) */
function polynomial(x: Two, coefficients: readonly number[]): Two {
  const sum = variable("v128", two(coefficients.at(-1) ?? 0));
  for (const coefficient of [...coefficients].reverse().slice(1)) {
    local.set(sum, f64x2.add(f64x2.mul(sum, x), two(coefficient)));
  }
  return variable("v128", f64x2.mul(sum, x));
}

const log2e = Math.LOG2E;
const ln2 = Math.LN2;
/** 1/1!, 1/2!, … 1/8! */
const factorials = [1, 2, 6, 24, 120, 720, 5040, 40320].map((x) => 1 / x);

/** x = n·ln 2 + r with |r| ≤ ln 2 / 2: gives 2^n and e^r − 1. `limit` bounds |x|. */
function split(x: Two, limit: number): { readonly power: Two; readonly rest: Two } {
  const bounded = variable("v128", f64x2.max(f64x2.min(x, two(limit)), two(-limit)));
  const n = variable("v128", f64x2.nearest(f64x2.mul(bounded, two(log2e))));
  const r = variable("v128", f64x2.sub(bounded, f64x2.mul(n, two(ln2))));
  const exponent = i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(n));
  const power = variable("v128", i64x2.shl(i64x2.add(exponent, whole(1023n)), 52));
  return { power, rest: polynomial(r, factorials) };
}

const exponential: Series = (x) => {
  const { power, rest } = split(x, 200);
  return variable("v128", f64x2.mul(f64x2.add(rest, two(1)), power));
};

/** With E = e^(2x) − 1, exact near 0 too: E / (E + 2). */
const hyperbolicTangent: Series = (x) => {
  const { power, rest } = split(variable("v128", f64x2.add(x, x)), 60);
  const scaled = f64x2.mul(rest, power);
  const e = variable("v128", f64x2.add(scaled, f64x2.sub(power, two(1))));
  return variable("v128", f64x2.div(e, f64x2.add(e, two(2))));
};

/** 1, 1/3, 1/5, … 1/13: ln((1 + f) / (1 − f)) = 2f·Σ f^2k / (2k + 1). */
const oddReciprocals = [3, 5, 7, 9, 11, 13].map((x) => 1 / x);

/** x = 2^n·m with √½ ≤ m < √2 (about): n·ln 2 + ln m. CNTK's guard against small numbers is the caller's. */
const logarithm: Series = (x) => {
  const bits = variable("v128", i64x2.shr_u(x, 52));
  const mantissa = v128.or(v128.and(x, whole(0xfffffffffffffn)), two(1));
  const m = variable("v128", mantissa);
  const large = variable("v128", f64x2.gt(m, two(Math.SQRT2)));
  local.set(m, v128.bitselect(f64x2.mul(m, two(0.5)), m, large));
  const n = f64x2.convert_low_i32x4_s(moved(bits, [0, 2, 0, 2], 4));
  const exponent = variable("v128", f64x2.sub(n, two(1023)));
  local.set(exponent, f64x2.add(v128.and(large, two(1)), exponent));
  const f = variable("v128", f64x2.div(f64x2.sub(m, two(1)), f64x2.add(m, two(1))));
  const series = f64x2.add(polynomial(variable("v128", f64x2.mul(f, f)), oddReciprocals), two(1));
  const lnM = variable("v128", f64x2.mul(series, f64x2.add(f, f)));
  const sum = variable("v128", f64x2.add(f64x2.mul(exponent, two(ln2)), lnM));
  // Infinity and NaN stay what they are.
  return variable("v128", v128.bitselect(sum, x, f64x2.lt(x, two(Infinity))));
};

const inDouble: Readonly<Record<Elementary, Series>> = { exponential, logarithm, hyperbolicTangent };

/** f(x) of all lanes, by a call. */
export function applied(context: WasmContext, name: Elementary, x: Local<"v128">): Local<"v128"> {
  call(elementary(context, name), [x]);
  const result = variable("v128");
  local.set(result);
  return result;
}

/** (x) → f(x) of a double, as near as the series are. */
export function elementaryOfDouble(context: WasmContext, name: Elementary): Routine {
  return context.routine(`${name} of a double`, () =>
    define(["f64"], ["f64"], ([x]) => {
      f64x2.extract_lane(0, inDouble[name](variable("v128", f64x2.splat(x))));
    }),
  );
}
