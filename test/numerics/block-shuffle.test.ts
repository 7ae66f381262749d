import { describe, expect, it } from "vitest";
import {
  chunkWindows,
  sampleWindows,
  shuffledChunks,
  shuffledSequences,
} from "../../src/numerics/block-shuffle.js";

function oneChunk(count: number, sweep: number): number[] {
  const order = shuffledChunks(1, sweep);
  return [...shuffledSequences({ order, windows: chunkWindows(1, 128), firstSequences: [0, count] }, sweep)];
}

const numbers = (text: string) => text.split(" ").map(Number);

/** Orders of CNTK's readers (C++ re-implementation and real CNTK runs). */
describe("the order of a sweep", () => {
  it.each([
    [10, 0, "4 7 3 9 1 2 8 6 5 0"],
    [10, 1, "1 2 8 6 5 7 0 9 3 4"],
    [10, 2, "8 5 7 3 6 4 9 1 0 2"],
    [20, 0, "0 7 12 6 19 8 18 4 5 15 9 1 13 17 14 2 10 16 3 11"],
    [20, 1, "19 2 10 18 5 7 0 13 3 1 12 6 17 15 8 9 4 16 11 14"],
    [
      10000,
      0,
      "5694 8810 4377 3278 6387 2618 3663 8257 3318 2 6971 7801 1502 2470 5400 963 2643 6859 5018 6821",
    ],
    [10000, 1, "4685 2462 2743 313 4031 6409 8628 581 3271 3816"],
    [60000, 0, "24118 25067 26262 10281 6387 11918"],
  ])("of %i sequences in one chunk, sweep %i", (count, sweep, expected) => {
    const order = numbers(expected);
    expect(oneChunk(count, sweep).slice(0, order.length)).toEqual(order);
  });

  it.each([
    [0, "2 0 1 3", "6096 7045 8240 46310 42416 47947 25641 43596"],
    [1, "0 2 3 1", "19062 12057 54283 10487 10145 8073"],
    [2, "0 2 1 3", "5659 345 8836 5637 1769 15005"],
  ])("of the four chunks of MNIST's text file, sweep %i", (sweep, chunks, first) => {
    const order = shuffledChunks(4, sweep);
    expect([...order]).toEqual(numbers(chunks));
    const firstSequences = [0, 18008, 36029, 54051, 60000];
    const lines = shuffledSequences({ order, windows: chunkWindows(4, 128), firstSequences }, sweep);
    expect([...lines.slice(0, numbers(first).length)]).toEqual(numbers(first));
    expect(new Set(lines).size).toBe(60000);
  });

  const firstSequences = [0, 4, 8, 12, 16, 20, 24];
  const order = shuffledChunks(6, 0);

  it("of six chunks, window over everything", () => {
    expect([...order]).toEqual([3, 2, 1, 0, 4, 5]);
    expect([...shuffledSequences({ order, windows: chunkWindows(6, 128), firstSequences }, 0)]).toEqual(
      numbers("6 14 23 1 19 18 11 10 9 21 13 15 22 4 16 20 12 3 0 8 5 17 2 7"),
    );
  });

  it("of six chunks, window of two chunks", () => {
    const windows = chunkWindows(6, 2);
    expect(windows.map(({ begin, end }) => [begin, end])).toEqual([
      [0, 2],
      [0, 2],
      [1, 3],
      [2, 4],
      [3, 5],
      [4, 6],
    ]);
    expect([...shuffledSequences({ order, windows, firstSequences }, 0)]).toEqual(
      numbers("9 14 15 12 8 13 11 10 6 7 5 4 2 3 0 1 19 16 17 18 21 20 22 23"),
    );
  });

  it("of six chunks, window of ten samples", () => {
    const windows = sampleWindows([4, 4, 4, 4, 4, 4], 10);
    expect(windows.map(({ begin, end }) => [begin, end])).toEqual([
      [0, 1],
      [0, 2],
      [1, 3],
      [2, 4],
      [3, 5],
      [4, 6],
    ]);
    expect([...shuffledSequences({ order, windows, firstSequences }, 0)]).toEqual(
      numbers("14 12 13 15 8 10 9 11 7 5 4 6 1 3 0 2 19 16 17 18 20 22 23 21"),
    );
  });

  it("of twelve chunks of one image, window of one sample", () => {
    const chunks = shuffledChunks(12, 0);
    const first = Array.from({ length: 13 }, (_, i) => i);
    const windows = sampleWindows(new Array<number>(12).fill(1), 1);
    expect([...shuffledSequences({ order: chunks, windows, firstSequences: first }, 0)]).toEqual(
      numbers("10 2 8 0 4 9 7 6 5 11 1 3"),
    );
  });
});
