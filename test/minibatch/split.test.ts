import { describe, expect, it } from "vitest";
import { type Minibatch, packSequences, splitMinibatch } from "../../src/minibatch/index.js";

/** Three sequences of 2, 1 and 2 frames side by side: rows 0 to 2, two steps, a gap in row 1. */
const layout = packSequences([2, 1, 2]);
const minibatch: Minibatch = {
  columns: 6,
  streams: new Map([
    // Frame t of sequence s is the number 10·s + t, and its double.
    [
      "x",
      {
        dimension: 2,
        layout,
        data: { storage: "dense", values: Float64Array.of(0, 0, 10, 20, 20, 40, 1, 2, 0, 0, 21, 42) },
      },
    ],
    [
      "y",
      {
        dimension: 9,
        layout,
        data: {
          storage: "sparse",
          values: Float64Array.of(1, 2, 3, 4, 5),
          rows: Int32Array.of(0, 7, 3, 4, 8),
          columnStarts: Int32Array.of(0, 2, 3, 3, 4, 4, 5),
        },
      },
    ],
  ]),
};

const numbers = (array: ArrayLike<number> | undefined): number[] => Array.from(array ?? []);

describe("a minibatch in pieces", () => {
  const pieces = splitMinibatch(minibatch, 2);
  const [first, second] = pieces;

  it("is cut between parallel sequences, as CNTK cuts", () => {
    expect(pieces.map(({ columns }) => columns)).toEqual([2, 4]);
    expect(first?.streams.get("x")?.layout).toEqual({
      rows: 1,
      steps: 2,
      sequences: [{ sequence: 0, row: 0, begin: 0, length: 2 }],
    });
    expect(second?.streams.get("x")?.layout.sequences).toEqual([
      { sequence: 1, row: 0, begin: 0, length: 1 },
      { sequence: 2, row: 1, begin: 0, length: 2 },
    ]);
  });
  it("keeps dense columns with their sequence", () => {
    const values = pieces.map(({ streams }) => numbers(streams.get("x")?.data.values));
    expect(values).toEqual([
      [0, 0, 1, 2],
      [10, 20, 20, 40, 0, 0, 21, 42],
    ]);
  });
  it("keeps sparse columns with their sequence", () => {
    const data = pieces.map(({ streams }) => streams.get("y")?.data);
    expect(data.map((part) => part?.storage === "sparse" && numbers(part.columnStarts))).toEqual([
      [0, 2, 3],
      [0, 1, 1, 1, 2],
    ]);
    expect(data.map((part) => part?.storage === "sparse" && numbers(part.rows))).toEqual([
      [0, 7, 4],
      [3, 8],
    ]);
    expect(data.map((part) => numbers(part?.values))).toEqual([
      [1, 2, 4],
      [3, 5],
    ]);
  });
  it("has no more pieces than sequences side by side", () => {
    expect(splitMinibatch(minibatch, 8)).toHaveLength(3);
    expect(splitMinibatch(minibatch, 1)).toEqual([minibatch]);
  });
  it("is refused where inputs have sequences of their own", () => {
    const other = { dimension: 1, layout: packSequences([1, 1, 1]), data: minibatch.streams.get("x")!.data };
    const mixed = { ...minibatch, streams: new Map([...minibatch.streams, ["z", other] as const]) };
    expect(() => splitMinibatch(mixed, 2)).toThrow(
      "DecimateMinibatch: Inconsistent number of columns among inputs (found 6 and 3).",
    );
  });
});
