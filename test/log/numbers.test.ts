import { describe, expect, it } from "vitest";
import { number } from "../../src/log/numbers.js";

/** Texts of CNTK's logs. */
describe("number", () => {
  it.each([
    [0, 8, 0.330606161, "0.33060616"],
    [0, 8, 0.00005, "5.00000000e-05"],
    [0, 8, 0, "0.00000000"],
    [0, 8, 5.94565419e13, "5.94565419e+13"],
    [0, 8, 99999999.4, "99999999.40000001"],
    [0, 8, 99999999.6, "9.99999996e+07"],
    [2, 3, 9.516, "9.516"],
    [2, 3, 999.6, "9.996e+02"],
    [2, 3, 1000, "1.000e+03"],
    [0, 4, 0.000015, "1.5000e-05"],
    [0, 8, NaN, "-nan"],
    [0, 8, Infinity, "inf"],
  ])("number(%i, %i, %d)", (width, precision, value, expected) => {
    expect(number(width, precision, value)).toBe(expected);
  });
});
