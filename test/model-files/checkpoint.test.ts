import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { readCheckpoint, writeCheckpoint } from "../../src/model-files/index.js";
import { recorded } from "./fixtures.js";

describe("readCheckpoint and writeCheckpoint", () => {
  it.each([
    ["07-float.model.ckp", 3],
    ["07-double.model.ckp", 3],
    ["fsadagrad.ckp", 6],
    ["best-criteria.ckp", 6],
  ])("give %s back byte for byte", (name, parameters) => {
    const bytes = recorded(name);
    const checkpoint = readCheckpoint(bytes, name, parameters);
    expect(checkpoint.gradients.length).toBe(parameters);
    expect(Buffer.compare(writeCheckpoint(checkpoint), bytes)).toBe(0);
    expect(readCheckpoint(bytes, name)).toEqual(checkpoint);
  });

  it("hold what a training needs to go on", () => {
    const checkpoint = readCheckpoint(recorded("07-double.model.ckp"), "m.ckp", 3);
    // Two epochs of 6400 samples, minibatches of 64.
    expect(checkpoint.totalSamplesSeen).toBe(12800);
    expect(checkpoint.minibatchSize).toBe(64);
    expect(checkpoint.learningRatePerSample).toBe(Math.fround(0.00015));
    expect(checkpoint.gradients.map(({ rows, columns }) => [rows, columns])).toEqual([
      [5, 5],
      [1, 1],
      [5, 5],
    ]);
    expect(checkpoint.counts).toEqual([0, 0, 0]);
    expect(readCheckpoint(recorded("best-criteria.ckp"), "m.ckp").criteria?.length).toBeGreaterThan(0);
    const counts = readCheckpoint(recorded("fsadagrad.ckp"), "m.ckp").counts ?? [];
    expect(counts.every((count) => count > 0)).toBe(true);
  });

  it("report truncated files, wrong numbers of parameters and models", () => {
    const bytes = recorded("07-float.model.ckp");
    for (let length = 0; length < bytes.length; length += 5) {
      expect(() => readCheckpoint(bytes.subarray(0, length), "m.ckp", 3)).toThrow(CntkError);
    }
    expect(() => readCheckpoint(bytes, "m.ckp", 2)).toThrow("section marker 'EGradient'");
    expect(() => readCheckpoint(bytes, "m.ckp", 4)).toThrow("smoothed gradient");
    expect(() => readCheckpoint(recorded("07-float.model"), "m")).toThrow("is a model");
  });
});
