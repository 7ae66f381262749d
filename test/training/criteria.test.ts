import { describe, expect, it } from "vitest";
import type { Output } from "../../src/backends/backend.js";
import type { NetworkNode } from "../../src/network/network.js";
import type { Values } from "../../src/numerics/values.js";
import { operationByName } from "../../src/ops/index.js";
import { CriterionAccumulator, sumOverSamples } from "../../src/training/criteria.js";

function node(name: string, operation: string): NetworkNode {
  const op = operationByName(operation);
  if (!op) throw new Error(`no operation ${operation}`);
  return { name, op, inputs: [], attributes: {}, tags: new Set() };
}

const ce = node("ce", "CrossEntropyWithSoftmax");
const output = (values: Values) => ({ values, layout: null });
const values = (...numbers: number[]) => new Map([["ce", output(Float64Array.from(numbers))]]);

describe("the sum over samples", () => {
  it("is added in double and rounded to the element type once", () => {
    // In float, 1e8 swallows each 1 by itself; in double they survive until the sum is rounded.
    const numbers = output(Float32Array.of(1e8, 1, 1, 1, 1, 1, 1, 1, 1));
    expect(sumOverSamples(numbers, "double")).toBe(100000008);
    expect(sumOverSamples(numbers, "float")).toBe(100000008);
    expect(sumOverSamples(output(Float64Array.of(0.1, 0.2)), "float")).toBe(Math.fround(0.1 + 0.2));
  });
});

describe("accumulation", () => {
  it("of a training in float rounds after every minibatch: at 7000 a unit in the last place is 2^-11", () => {
    const accumulator = new CriterionAccumulator([ce], "float", false);
    accumulator.add(values(7000), 1000);
    const before = accumulator.read();
    accumulator.add(values(0.0001), 250);
    expect(accumulator.read(before)).toMatchObject([{ name: "ce", sum: 0, count: 250 }]);
    accumulator.add(values(0.0003), 250);
    expect(accumulator.read(before)[0]?.sum).toBe(2 ** -11);
  });
  it("of a training in double does not", () => {
    const accumulator = new CriterionAccumulator([ce], "double", false);
    accumulator.add(values(7000), 1000);
    accumulator.add(values(0.0001), 250);
    expect(accumulator.read()[0]?.sum).toBe(7000 + 0.0001);
  });
  it("of an evaluation adds floats in double", () => {
    const accumulator = new CriterionAccumulator([ce], "float", true);
    accumulator.add(values(7000), 1000);
    accumulator.add(values(0.0001), 250);
    expect(accumulator.read()[0]?.sum).toBe(7000 + Math.fround(0.0001));
  });
  it("leaves a minibatch without samples out", () => {
    const accumulator = new CriterionAccumulator([ce], "double", false);
    accumulator.add(values(NaN), 0);
    expect(accumulator.read()).toEqual([{ name: "ce", sum: 0, count: 0, perplexity: true }]);
  });
  it("counts the samples of a node's own dynamic axis, where it has one", () => {
    // Two sequences; the second has one frame in this minibatch, the rest of its row is a gap.
    const layout = {
      rows: 2,
      steps: 2,
      sequences: [
        { sequence: 0, row: 0, begin: 0, length: 2 },
        { sequence: 1, row: 1, begin: -1, length: 2 },
      ],
    };
    const rmse = node("rmse", "Sqrt");
    const accumulator = new CriterionAccumulator([ce, rmse], "double", false);
    const perFrame = { values: Float64Array.of(1, 2, 4, 100), layout };
    accumulator.add(new Map<string, Output>([...values(7), ["rmse", perFrame]]), 10);
    expect(accumulator.read()).toMatchObject([
      { sum: 7, count: 10 },
      { sum: 7, count: 3 },
    ]);
  });
  it("shows perplexity for cross entropies only", () => {
    const nodes = [ce, node("errs", "ClassificationError"), node("rmse", "Sqrt")];
    const accumulator = new CriterionAccumulator(nodes, "double", true);
    expect(accumulator.read().map(({ perplexity }) => perplexity)).toEqual([true, false, false]);
  });
  it("takes a node without a value for a mistake", () => {
    const accumulator = new CriterionAccumulator([ce], "double", false);
    expect(() => accumulator.add(new Map(), 1)).toThrow("no value for ce");
  });
});
