import { describe, expect, it } from "vitest";
import { binaryFunctions, unaryFunctions } from "../../src/primitives/scalar-functions.js";

const exact = (x: number) => x;

/** The guards of CNTK's Source/Math/TensorOps.h, and what C's functions give elsewhere. */
describe("unary functions", () => {
  it.each([
    ["logarithm", 0, -85.0999984741211],
    ["logarithm", -3, -85.0999984741211],
    ["logarithm", 1e-38, -85.0999984741211],
    ["logarithm", 1e-36, -82.8930633477856],
    ["squareRoot", -4, 0],
    ["squareRoot", 2.25, 1.5],
    ["reciprocal", 0, 0],
    ["reciprocal", -4, -0.25],
    ["sign", 0, 0],
    ["sign", -7, -1],
    ["sign", 0.1, 1],
    ["rectify", -1, 0],
    ["rectify", 2, 2],
    ["sigmoid", 0, 0.5],
    ["sigmoid", -1000, 0],
    ["sigmoid", 1, 0.731058578630005],
    ["hyperbolicTangent", 0.5, 0.46211715726001],
    ["floor", -0.5, -1],
    ["negate", 3, -3],
    ["absolute", -3, 3],
    ["exponential", 1, 2.718281828459045],
    ["sine", 1, 0.841470984807897],
    ["cosine", 1, 0.54030230586814],
  ] as const)("%s of %s is %s", (name, x, expected) => {
    expect(unaryFunctions[name](x, exact)).toBeCloseTo(expected, 12);
  });
});

describe("binary functions", () => {
  it.each([
    ["power", 0, 0, 1],
    ["power", 0, -2, 0],
    ["power", 2, -2, 0.25],
    ["power", -2, 3, -8],
    ["power", -2, 4, 16],
    ["power", -2, -1, -0.5],
    ["power", -2, 0.5, NaN],
    ["power", 4, 0.5, 2],
    ["logAdd", 0, 0, 0.693147180559945],
    ["logAdd", 1000, 999, 1000.31326168751822],
    ["logAdd", -1000, -999, -998.686738312481777],
    ["logAdd", -Infinity, 3, 3],
    ["logAdd", -Infinity, -Infinity, -Infinity],
    ["maximum", 1, 2, 2],
    ["minimum", 1, 2, 1],
    ["divide", 1, 0, Infinity],
    ["divide", 3, 4, 0.75],
    ["subtract", 3, 4, -1],
    ["add", 3, 4, 7],
    ["multiply", 3, 4, 12],
    ["less", 1, 1, 0],
    ["lessEqual", 1, 1, 1],
    ["equal", 1, 1, 1],
    ["notEqual", 1, 1, 0],
    ["greater", 2, 1, 1],
    ["greaterEqual", 1, 2, 0],
  ] as const)("%s of %s and %s is %s", (name, a, b, expected) => {
    const actual = binaryFunctions[name](a, b, exact);
    if (Number.isFinite(expected)) expect(actual).toBeCloseTo(expected, 11);
    else expect(actual).toBe(expected);
  });
});
