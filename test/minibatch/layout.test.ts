import { describe, expect, it } from "vitest";
import {
  type AxisLayout,
  columnCount,
  columnsOf,
  gapMask,
  hasGaps,
  layoutsEqual,
  packFrames,
  packSequences,
  sampleCount,
} from "../../src/minibatch/index.js";

/** Two rows of four steps; row 0: the end of a sequence, then a gap; row 1: the start of one that goes on. */
const truncated: AxisLayout = {
  rows: 2,
  steps: 4,
  sequences: [
    { sequence: 0, row: 0, begin: -3, length: 5 },
    { sequence: 1, row: 1, begin: 1, length: 9 },
  ],
};

describe("a layout with sequences that go on beyond the minibatch", () => {
  it("counts the frames inside only", () => {
    expect(columnCount(truncated)).toBe(8);
    // Steps 0 and 1 of row 0; steps 1, 2, 3 of row 1.
    expect(sampleCount(truncated)).toBe(5);
    expect(hasGaps(truncated)).toBe(true);
  });

  it("numbers columns time by time", () => {
    expect(truncated.sequences.map((placement) => [...columnsOf(truncated, placement)])).toEqual([
      [0, 2],
      [3, 5, 7],
    ]);
  });

  it("marks the gaps", () => {
    expect([...(gapMask(truncated) ?? [])]).toEqual([0, 1, 0, 0, 1, 0, 1, 0]);
    expect(gapMask(truncated)).toBe(gapMask(truncated));
  });

  it("has no columns for sequences that lie outside altogether", () => {
    const placement = { sequence: 0, row: 0, begin: -4, length: 3 };
    const layout = { rows: 1, steps: 2, sequences: [placement] };
    expect([...columnsOf(layout, placement)]).toEqual([]);
    expect(sampleCount(layout)).toBe(0);
  });
});

describe("packing", () => {
  it("puts each sequence into the first row with room", () => {
    // Worked by hand from CNTK's rule: width 5; 3 and 2 share row 0, 4 and 1 row 1, 5 has row 2.
    const layout = packSequences([3, 4, 2, 5, 1]);
    expect([layout.rows, layout.steps]).toEqual([3, 5]);
    expect(layout.sequences.map(({ row, begin }) => [row, begin])).toEqual([
      [0, 0],
      [1, 0],
      [0, 3],
      [2, 0],
      [1, 4],
    ]);
    expect(gapMask(layout)).toBeNull();
    expect(hasGaps(packSequences([3, 2]))).toBe(true);
  });

  it("of single samples has one step and refuses longer sequences", () => {
    expect(packFrames([1, 1, 1])).toEqual(packSequences([1, 1, 1]));
    expect(() => packFrames([1, 2])).toThrow("Detected a non-frame sequence of size 2 in frame mode.");
  });

  it("of nothing has no columns", () => {
    const layout = packSequences([]);
    expect(columnCount(layout)).toBe(0);
    expect(gapMask(layout)).toBeNull();
  });
});

describe("equality", () => {
  it("looks at every placement", () => {
    expect(layoutsEqual(packSequences([3, 1, 2]), packSequences([3, 1, 2]))).toBe(true);
    expect(layoutsEqual(packSequences([3, 1, 2]), packSequences([3, 2, 1]))).toBe(false);
    expect(layoutsEqual(packSequences([2]), packSequences([3]))).toBe(false);
    expect(layoutsEqual(packSequences([2]), packSequences([2, 2]))).toBe(false);
    const [first, second] = truncated.sequences;
    if (!first || !second) throw new Error("two sequences");
    const shifted = { ...truncated, sequences: [{ ...first, begin: -2 }, second] };
    expect(layoutsEqual(truncated, shifted)).toBe(false);
  });
});
