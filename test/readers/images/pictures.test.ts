import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodePure } from "../../../src/node/pure-pictures.js";
import { fastDecoder } from "../../../src/node/fast-pictures.js";
import { orientationOf, pictureOfPixels } from "../../../src/node/pixels.js";
import { drawInteger, drawReal } from "../../../src/numerics/boost-draws.js";
import { MersenneTwister32 } from "../../../src/numerics/standard-shuffle.js";
import { Color } from "../../../src/readers/images/color.js";
import { cut, mirrored, type Picture } from "../../../src/readers/images/picture.js";
import { type Interpolation, resized } from "../../../src/readers/images/resize.js";
import { Scale } from "../../../src/readers/images/scale.js";

/** Numbers of OpenCV 4.14 (resizing, decoding, colours) and of numpy (the twister), made once by a program. */
const folder = "test/fixtures/images";
const recorded = JSON.parse(readFileSync(join(folder, "opencv.json"), "utf8")) as Record<string, number[]>;

/** 13 x 9 pixels by a formula, as the program had them. */
const picture: Picture = {
  width: 13,
  height: 9,
  channels: 3,
  values: Uint8Array.from({ length: 13 * 9 * 3 }, (_, i) => {
    const c = i % 3;
    const x = Math.floor(i / 3) % 13;
    const y = Math.floor(i / 39);
    return (x * x * 7 + y * 31 + c * 57 + x * y * 5) % 256;
  }),
};
const inFloats: Picture = {
  ...picture,
  values: Float32Array.from(picture.values, (v) => Math.fround(v / 3)),
};

/** The largest difference between two lists. */
function distance(ours: ArrayLike<number>, theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  return theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - (ours[i] ?? NaN))), 0);
}

describe("resizing is OpenCV's", () => {
  for (const key of Object.keys(recorded).filter((name) => /^(nearest|linear|cubic|lanczos) /.test(name))) {
    it(key, () => {
      const [, kind = "", width, height] = /^(\w+) .*?(\d+)x(\d+)$/.exec(key) ?? [];
      const from = key.includes("halved") ? cut(picture, 0, 0, 12, 8) : picture;
      const ours = resized(from, Number(width), Number(height), kind as Interpolation);
      // OpenCV 4 rounds weighted sums of bytes in another order than OpenCV 3.1: a level may go the other way.
      const levels = kind === "nearest" || key.includes("halved") ? 0 : 1;
      expect(distance(ours.values, recorded[key] ?? [])).toBeLessThanOrEqual(levels);
    });
  }
  it("of numbers is not rounded", () => {
    for (const kind of ["linear", "cubic"] as const) {
      const ours = resized(inFloats, 5, 7, kind);
      expect(distance(ours.values, recorded[`float ${kind} 5x7`] ?? [])).toBeLessThan(1e-3);
    }
  });
});

it("saturation goes through OpenCV's hue, saturation and value", () => {
  // The engine of seed 3 draws the ratio; one with the same ratio as the recording's is made by its radius.
  const engine = new MersenneTwister32(3);
  const unit = (engine.next() / 2 ** 32) * 2 - 1;
  const radius = 0.25 / unit;
  expect(radius).toBeGreaterThan(0);
  const color = new Color({
    ...{ brightnessRadius: 0, contrastRadius: 0, saturationRadius: radius, seed: 3, elementType: "float" },
  });
  expect(distance(color.apply(inFloats).values, recorded["saturated"] ?? [])).toBeLessThan(2e-3);
});

it("the twister is numpy's, and Boost's distributions are made of it", () => {
  const engine = new MersenneTwister32(7);
  const words = recorded["mt7"] ?? [];
  expect(Array.from(words, () => engine.next())).toEqual(words);
  const [first = 0, second = 0] = words;
  const again = new MersenneTwister32(7);
  expect(drawReal(again, 2, 4)).toBe((first / 2 ** 32) * 2 + 2);
  // Three buckets of equal size.
  expect(drawInteger(again, 0, 2)).toBe(Math.floor(second / Math.floor((2 ** 32 - 1) / 3 + 1 / 3)));
});

describe("pictures out of files", () => {
  const png = new Uint8Array(readFileSync(join(folder, "a.png")));
  const jpeg = new Uint8Array(readFileSync(join(folder, "a.jpg")));
  const expected = [...readFileSync(join(folder, "a.jpg.bgr"))];
  it("PNG: the pixels that went in", () => {
    expect(decodePure(png, false)).toEqual(picture);
    expect(distance(decodePure(png, true).values, recorded["grey"] ?? [])).toBe(0);
  });
  it("JPEG: OpenCV's, but for the smoothing of colours", () => {
    const ours = decodePure(jpeg, false);
    expect([ours.width, ours.height]).toEqual([48, 36]);
    const grey = decodePure(jpeg, true);
    const theirs = [...readFileSync(join(folder, "a.jpg.grey"))];
    const mean = (a: ArrayLike<number>, b: readonly number[]): number =>
      b.reduce((sum, value, i) => sum + Math.abs(value - (a[i] ?? NaN)), 0) / b.length;
    expect(mean(ours.values, expected)).toBeLessThan(2);
    expect(mean(grey.values, theirs)).toBeLessThan(1);
  });
  const fast = fastDecoder();
  it.skipIf(!fast)("by sharp: within the levels by which JPEG libraries differ", async () => {
    expect(await fast?.(png, false)).toEqual(picture);
    const ours = await fast?.(jpeg, false);
    expect(distance(ours?.values ?? [], expected)).toBeLessThanOrEqual(3);
  });
  it.skipIf(!fast)(
    "by sharp, many at a time: each waits for its turn, and what fails keeps nobody waiting",
    async () => {
      const decode = fastDecoder(2);
      const broken = Uint8Array.of(1, 2, 3);
      const all = await Promise.allSettled(
        Array.from({ length: 12 }, async (_, i) => decode?.(i % 3 === 1 ? broken : png, false)),
      );
      for (const [i, one] of all.entries()) {
        if (i % 3 === 1) expect(one.status).toBe("rejected");
        else expect(one).toEqual({ status: "fulfilled", value: picture });
      }
    },
  );
  it("what is no picture has a reason", () => {
    expect(() => decodePure(Uint8Array.of(1, 2, 3), false)).toThrow("it is neither JPEG nor PNG");
    expect(() => decodePure(jpeg.subarray(0, 200), false)).toThrow();
  });
});

describe("pictures are turned as the camera was held", () => {
  // Two by three, numbered: 1 2 / 3 4 / 5 6.
  const pixels = { width: 2, height: 3, channels: 1, values: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  const byHand: Record<number, [number, number[]]> = {
    1: [2, [1, 2, 3, 4, 5, 6]],
    2: [2, [2, 1, 4, 3, 6, 5]],
    3: [2, [6, 5, 4, 3, 2, 1]],
    4: [2, [5, 6, 3, 4, 1, 2]],
    5: [3, [1, 3, 5, 2, 4, 6]],
    6: [3, [5, 3, 1, 6, 4, 2]],
    7: [3, [6, 4, 2, 5, 3, 1]],
    8: [3, [2, 4, 6, 1, 3, 5]],
  };
  it.each(Object.keys(byHand).map(Number))("orientation %d", (orientation) => {
    const { width, values } = pictureOfPixels(pixels, orientation, true);
    expect([width, [...values]]).toEqual(byHand[orientation]);
  });
  it("the EXIF block tells how", () => {
    const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0];
    const exif = [0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff];
    const block = [0xff, 0xe1, 0, exif.length + 2, ...exif];
    expect(orientationOf(Uint8Array.of(0xff, 0xd8, ...block, 0xff, 0xda, 0, 2))).toBe(6);
    expect(orientationOf(Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 2))).toBe(1);
  });
});

describe("scaleMode", () => {
  const make = (mode: "crop" | "pad", padValue = -1) =>
    new Scale({ width: 4, height: 4, channels: 1, interpolation: "nearest", mode, padValue });
  const wide: Picture = {
    width: 8,
    height: 4,
    channels: 1,
    values: Uint8Array.from({ length: 32 }, (_, i) => i % 8),
  };
  it("crop keeps the middle", () => {
    expect([...make("crop").apply(wide).values.subarray(0, 4)]).toEqual([2, 3, 4, 5]);
  });
  it("pad repeats the border or a value", () => {
    const small: Picture = {
      width: 4,
      height: 2,
      channels: 1,
      values: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    };
    expect([...make("pad").apply(small).values]).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8]);
    const zeros = [0, 0, 0, 0];
    expect([...make("pad", 0).apply(small).values]).toEqual([...zeros, 1, 2, 3, 4, 5, 6, 7, 8, ...zeros]);
  });
});

describe("a mirrored picture is the same from the other side", () => {
  const pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18];
  it("in three colours", () => {
    const line: Picture = { width: 3, height: 2, channels: 3, values: Uint8Array.from(pixels) };
    const other = [7, 8, 9, 4, 5, 6, 1, 2, 3, 16, 17, 18, 13, 14, 15, 10, 11, 12];
    expect([...mirrored(line).values]).toEqual(other);
    const two: Picture = { width: 2, height: 3, channels: 3, values: Uint8Array.from(pixels) };
    expect([...mirrored(two).values].slice(0, 6)).toEqual([4, 5, 6, 1, 2, 3]);
  });
  it("in one, and in numbers", () => {
    const grey: Picture = { width: 3, height: 1, channels: 1, values: Uint8Array.of(1, 2, 3) };
    expect([...mirrored(grey).values]).toEqual([3, 2, 1]);
    const numbers: Picture = {
      width: 2,
      height: 1,
      channels: 3,
      values: Float32Array.from([1, 2, 3, 4, 5, 6]),
    };
    expect([...mirrored(numbers).values]).toEqual([4, 5, 6, 1, 2, 3]);
  });
});
