import { describe, expect, it } from "vitest";
import { DidNotConverge } from "../../src/numerics/bidiagonal-singular-values.js";
import { singularValues } from "../../src/numerics/singular-values.js";
import { MersenneTwister64 } from "../../src/numerics/mersenne-twister.js";

/** Numbers in [-1, 1). */
function randomMatrix(rows: number, columns: number, seed: number): Float64Array {
  const engine = new MersenneTwister64(seed);
  return Float64Array.from({ length: rows * columns }, () => (engine.next(), engine.high / 2 ** 31 - 1));
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

describe("the singular value decomposition", () => {
  // Every way that LAPACK takes: very tall, tall, square, wide, very wide; and the smallest ones.
  const sizes = [
    [30, 7],
    [9, 7],
    [8, 8],
    [7, 9],
    [7, 30],
    [1, 5],
    [5, 1],
    [2, 2],
    [1, 1],
    [40, 40],
  ] as const;
  it.each(sizes)("of %i x %i gives the matrix back from orthonormal vectors", (rows, columns) => {
    const matrix = randomMatrix(rows, columns, 1 + rows + columns);
    const { left, values, right } = singularValues(matrix, rows, columns, "double");
    const count = Math.min(rows, columns);
    expect([left.length, values.length, right.length]).toEqual([count, count, count]);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const sum = left.reduce((total, u, k) => total + u[i]! * values[k]! * right[k]![j]!, 0);
        expect(sum).toBeCloseTo(matrix[j * rows + i]!, 12);
      }
    }
    for (const vectors of [left, right]) {
      vectors.forEach((a, i) => {
        vectors.forEach((b, j) => expect(dot(a, b)).toBeCloseTo(i === j ? 1 : 0, 12));
      });
    }
    expect([...values].sort((a, b) => b - a)).toEqual([...values]);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  });

  it("finds rank and values of matrices that are known", () => {
    // The outer product of (1, 2, 2) and (3, 4): one value, 3 · 5.
    const { values } = singularValues(Float64Array.of(3, 6, 6, 4, 8, 8), 3, 2, "double");
    expect(values[0]).toBeCloseTo(15, 12);
    expect(values[1]).toBeCloseTo(0, 12);
    const diagonal = singularValues(Float64Array.of(0, 0, 0, -7), 2, 2, "double");
    expect([...diagonal.values]).toEqual([7, 0]);
  });

  it("are not looked for in matrices that hold what is no number", () => {
    expect(() => singularValues(Float64Array.of(1, 2, NaN, 4), 2, 2, "double")).toThrow(DidNotConverge);
    expect(() => singularValues(Float32Array.of(1, 2, Infinity, 4), 2, 2, "float")).toThrow(DidNotConverge);
  });

  it("takes a matrix of very many rows", () => {
    // Two columns of ones, one of which changes its sign half way: orthogonal, each as long as the root of its number of rows.
    const rows = 200_000;
    const matrix = Float64Array.from({ length: 2 * rows }, (_, i) => (i < 1.5 * rows ? 1 : -1));
    const { left, values } = singularValues(matrix, rows, 2, "double");
    for (const value of values) expect(value).toBeCloseTo(Math.sqrt(rows), 8);
    expect(left[0]).toHaveLength(rows);
  });
});
