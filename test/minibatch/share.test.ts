import { expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { type Minibatch, shareOfMinibatch } from "../../src/minibatch/index.js";

/** Three sequences side by side, two steps: column = step · 3 + row. */
const layout = {
  rows: 3,
  steps: 2,
  sequences: [
    { sequence: 0, row: 0, begin: 0, length: 2 },
    { sequence: 1, row: 1, begin: 0, length: 1 },
    { sequence: 2, row: 2, begin: 0, length: 2 },
  ],
};
const minibatch: Minibatch = {
  columns: 6,
  streams: new Map([
    ["x", { dimension: 1, layout, data: { storage: "dense", values: Float64Array.of(0, 1, 2, 10, 11, 12) } }],
    [
      "s",
      {
        dimension: 4,
        layout,
        data: {
          storage: "sparse",
          values: Float64Array.of(5, 6, 7, 8),
          rows: Int32Array.of(3, 0, 1, 2),
          columnStarts: Int32Array.of(0, 1, 1, 2, 2, 2, 4),
        },
      },
    ],
  ]),
};

it("a process takes its share of the parallel sequences", () => {
  const first = shareOfMinibatch(minibatch, 0, 2);
  expect(first.columns).toBe(2);
  expect(first.streams.get("x")?.data).toEqual({ storage: "dense", values: Float64Array.of(0, 10) });
  const second = shareOfMinibatch(minibatch, 1, 2);
  expect(second.streams.get("x")?.data).toEqual({ storage: "dense", values: Float64Array.of(1, 2, 11, 12) });
  expect(second.streams.get("x")?.layout).toEqual({
    rows: 2,
    steps: 2,
    sequences: [
      { sequence: 1, row: 0, begin: 0, length: 1 },
      { sequence: 2, row: 1, begin: 0, length: 2 },
    ],
  });
  expect(second.streams.get("s")?.data).toEqual({
    storage: "sparse",
    values: Float64Array.of(6, 7, 8),
    rows: Int32Array.of(0, 1, 2),
    columnStarts: Int32Array.of(0, 0, 1, 1, 3),
  });
});

it("of fewer sequences than processes some take none", () => {
  const shares = [0, 1, 2, 3].map((rank) => shareOfMinibatch(minibatch, rank, 4).columns);
  expect(shares).toEqual([0, 2, 2, 2]);
});

it("streams of unequal lengths cannot be divided", () => {
  const longer = { rows: 3, steps: 3, sequences: [] };
  const streams = new Map(minibatch.streams);
  streams.set("y", { dimension: 1, layout: longer, data: { storage: "dense", values: new Float64Array(9) } });
  const divide = () => shareOfMinibatch({ streams, columns: 9 }, 0, 2);
  expect(divide).toThrow(CntkError);
  expect(divide).toThrow("DecimateMinibatch: Inconsistent number of columns among inputs (found 6 and 9).");
});
