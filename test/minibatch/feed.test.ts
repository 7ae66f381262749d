import { describe, expect, it } from "vitest";
import {
  denseValues,
  feed,
  type Minibatch,
  packSequences,
  realSamples,
  type StreamData,
  type StreamMinibatch,
} from "../../src/minibatch/index.js";
import { problemOf } from "../support/problem-of.js";

const sparse: StreamData = {
  storage: "sparse",
  values: Float64Array.of(2, 5, 7, 9),
  rows: Int32Array.of(1, 0, 1, 1),
  columnStarts: Int32Array.of(0, 1, 1, 4, 4),
};

function minibatchOf(streams: Record<string, StreamMinibatch>): Minibatch {
  return { streams: new Map(Object.entries(streams)), columns: 4 };
}

/** Two sequences of 2 and 1 samples: 2 rows, 2 steps, the last column a gap. */
const layout = packSequences([2, 1]);
const minibatch = minibatchOf({
  x: { dimension: 2, layout, data: sparse },
  y: { dimension: 1, layout, data: { storage: "dense", values: Float64Array.of(1, 2, 3, 0) } },
  z: {
    dimension: 1,
    layout: packSequences([1, 2]),
    data: { storage: "dense", values: Float64Array.of(1, 2, 0, 3) },
  },
});

describe("feed", () => {
  it("keeps gaps and keeps sparse data sparse", () => {
    const fed = feed(minibatch, [
      { name: "x", axisName: "*", dimension: 2 },
      { name: "y", axisName: "*", dimension: 1, storage: "dense" },
    ]);
    expect(fed.layouts).toEqual(new Map([["*", layout]]));
    expect(fed.inputs.get("x")).toBe(sparse);
    expect(fed.inputs.get("y")?.values).toEqual(Float64Array.of(1, 2, 3, 0));
    expect(realSamples(minibatch)).toBe(3);
  });

  it("writes a sparse stream out for a dense input; of a row named twice the last value stands", () => {
    const fed = feed(minibatch, [{ name: "x", axisName: "*", dimension: 2, storage: "dense" }]);
    expect(fed.inputs.get("x")).toEqual({
      storage: "dense",
      values: Float64Array.of(0, 2, 0, 0, 5, 9, 0, 0),
    });
    expect([...denseValues(sparse, 2)]).toEqual([0, 2, 0, 0, 5, 9, 0, 0]);
  });

  it("gives inputs with axes of their own layouts of their own", () => {
    const fed = feed(minibatch, [
      { name: "y", axisName: "*", dimension: 1 },
      { name: "z", axisName: "t", dimension: 1 },
    ]);
    expect([...fed.layouts.keys()]).toEqual(["*", "t"]);
  });

  it("refuses what does not fit", () => {
    const shared = problemOf(() =>
      feed(minibatch, [
        { name: "y", axisName: "*", dimension: 1 },
        { name: "z", axisName: "*", dimension: 1 },
      ]),
    );
    expect(shared.message).toBe(
      "Dynamic axis layout '*' is shared between inputs 'y' and 'z', but layouts generated from the input data are " +
        "incompatible on this axis. Are you using different sequence lengths? Did you consider adding a DynamicAxis() " +
        "to the Input nodes?",
    );
    expect(problemOf(() => feed(minibatch, [{ name: "w", axisName: "*", dimension: 1 }])).message).toBe(
      'Could not map input \'w\' to the reader. Reader outputs only ["x", "y", "z"].',
    );
    expect(problemOf(() => feed(minibatch, [{ name: "y", axisName: "*", dimension: 3 }])).code).toBe(
      "input-dimension",
    );
    const storage = { name: "y", axisName: "*", dimension: 1, storage: "sparse" } as const;
    expect(problemOf(() => feed(minibatch, [storage])).code).toBe("input-storage");
  });
});
