import { describe, expect, it } from "vitest";
import { valueStatistics } from "../../src/view/value-statistics.js";
import { imageWeightsPicture, kernelPicture, matrixPicture } from "../../src/view/weight-picture.js";

const bytesOf = (text: string): number[] => [...Buffer.from(text, "base64")];

describe("statistics of values", () => {
  it("say where they lie", () => {
    const { histogram, ...rest } = valueStatistics(Float64Array.of(0, 1, 2, 3, 4, 10, NaN, Infinity));
    expect(rest).toEqual({
      count: 8,
      notFinite: 2,
      least: 0,
      largest: 10,
      mean: 20 / 6,
      deviation: Math.sqrt((0 + 1 + 4 + 9 + 16 + 100) / 6 - (20 / 6) ** 2),
    });
    // Five intervals of 2 for six values.
    expect(histogram).toEqual([2, 2, 1, 0, 1]);
  });

  it("of one number, of equal ones, and of none that is finite", () => {
    expect(valueStatistics(Float32Array.of(3)).histogram).toEqual([1]);
    expect(valueStatistics(new Float32Array(9).fill(-2))).toMatchObject({
      mean: -2,
      deviation: 0,
      histogram: [9],
    });
    expect(valueStatistics(Float32Array.of(NaN, NaN))).toMatchObject({ notFinite: 2, histogram: [] });
  });
});

describe("pictures of weights", () => {
  it("show kernels of several channels as columns of tiles", () => {
    // [2 x 1 x 2 x 3]: two pixels, two channels, three maps.
    const values = Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], (value) => value / 12);
    const picture = kernelPicture(values, { width: 2, height: 1, channels: 2, maps: 3 }, false);
    expect(picture).toMatchObject({ width: 2, height: 1, columns: 3, rows: 2, channels: 1, scale: 1 });
    const byte = (value: number): number => Math.round(128 + (127 * value) / 12);
    expect(bytesOf(picture.pixels)).toEqual([1, 2, 5, 6, 9, 10, 3, 4, 7, 8, 11, 12].map(byte));
  });

  it("show three channels of a picture as its colours", () => {
    const values = Float32Array.of(1, 0, 0, -1, 0, 0);
    const picture = kernelPicture(values, { width: 2, height: 1, channels: 3, maps: 1 }, true);
    expect(picture.channels).toBe(3);
    expect(bytesOf(picture.pixels)).toEqual([255, 128, 128, 128, 1, 128]);
  });

  it("show kernels of a pixel, and matrices, as matrices", () => {
    const matrix = matrixPicture(Float64Array.of(1, 2, 3, 4, 5, 6), 2, 3);
    expect(matrix).toMatchObject({ width: 3, height: 2, scale: 6 });
    const byte = (value: number): number => Math.round(128 + (127 * value) / 6);
    expect(bytesOf(matrix.pixels)).toEqual([1, 3, 5, 2, 4, 6].map(byte));
    const pixels = kernelPicture(
      Float64Array.of(1, 2, 3, 4, 5, 6),
      { width: 1, height: 1, channels: 3, maps: 2 },
      true,
    );
    expect(bytesOf(pixels.pixels)).toEqual([1, 2, 3, 4, 5, 6].map(byte));
  });

  it("show weights of an image for each output", () => {
    // [2 x 3 x 3]: the output varies fastest.
    const values = Float32Array.from({ length: 18 }, (_, at) => (at % 2 === 0 ? at / 2 : -at));
    const picture = imageWeightsPicture(values, 2, 3, 3);
    expect(picture).toMatchObject({ width: 3, height: 3, columns: 2, rows: 1, scale: 17 });
    expect(bytesOf(picture.pixels).slice(0, 9)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8].map((value) => Math.round(128 + (127 * value) / 17)),
    );
    expect(bytesOf(picture.pixels).slice(9)).toEqual(
      [1, 3, 5, 7, 9, 11, 13, 15, 17].map((value) => Math.round(128 - (127 * value) / 17)),
    );
  });
});
