import { describe, expect, it } from "vitest";
import { formatExponential, formatFixed, formatGeneral } from "../../src/numerics/number-format.js";

/** Expected texts printed by glibc's printf. */
describe("formatFixed", () => {
  it.each([
    [0.5, 0, "0"],
    [1.5, 0, "2"],
    [2.5, 0, "2"],
    [-2.5, 0, "-2"],
    [0.125, 2, "0.12"],
    [0.375, 2, "0.38"],
    [1.005, 2, "1.00"],
    [0.000244140625, 11, "0.00024414062"],
    [-0, 3, "-0.000"],
    [-1e-9, 3, "-0.000"],
    [1e21, 1, "1000000000000000000000.0"],
    [1.7976931348623157e308, 0, String(BigInt(Number.MAX_VALUE))],
    [123456.789, 6, "123456.789000"],
    [Infinity, 2, "inf"],
    [-Infinity, 2, "-inf"],
    [NaN, 2, "-nan"],
  ])("%d with %i decimals", (value, digits, expected) => {
    expect(formatFixed(value, digits)).toBe(expected);
  });
});

describe("formatExponential", () => {
  it.each([
    [0, 6, "0.000000e+00"],
    [8.5, 0, "8e+00"],
    [9.5, 0, "1e+01"],
    [2.5e20, 0, "2e+20"],
    [3.5e20, 0, "4e+20"],
    [1e23, 0, "1e+23"],
    [1.25, 1, "1.2e+00"],
    [0.000015, 4, "1.5000e-05"],
    [1e-300, 2, "1.00e-300"],
    [-9.9996e100, 3, "-1.000e+101"],
  ])("%d with %i decimals", (value, digits, expected) => {
    expect(formatExponential(value, digits)).toBe(expected);
  });
});

describe("formatGeneral", () => {
  it.each([
    [0, 8, "0"],
    [100000, 6, "100000"],
    [1000000, 6, "1e+06"],
    [999999.5, 6, "1e+06"],
    [0.0001, 6, "0.0001"],
    [0.00001, 6, "1e-05"],
    [0.0099999999, 6, "0.01"],
    [0.008 + 4e-10, 8, "0.0080000004"],
    [2.5, 1, "2"],
    [0.1, 17, "0.10000000000000001"],
    [12345678, 8, "12345678"],
    [-1.5, 0, "-2"],
    [Infinity, 9, "inf"],
  ])("%d with %i digits", (value, digits, expected) => {
    expect(formatGeneral(value, digits)).toBe(expected);
  });
});
