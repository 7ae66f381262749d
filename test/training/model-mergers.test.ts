import { describe, expect, it } from "vitest";
import { BlockMomentum, ModelAveraging, momentumOfTimeConstant } from "../../src/training/model-mergers.js";
import { processGroup } from "../support/process-group.js";

/** The models of two processes before each meeting, as changes from where they started. */
const steps = [
  [0.5, -0.25],
  [0.125, 0.75],
  [-1, 0.5],
];

/** Two processes move by `steps` and meet; what each holds after each meeting. */
async function meetings(nesterov: boolean, momentum: number, learningRate: number): Promise<number[][]> {
  const held = await Promise.all(
    processGroup(2).map(async (group, rank) => {
      const merger = new BlockMomentum(group.open(), {
        momentum,
        learningRate,
        nesterov,
        resetsMemory: false,
      });
      const model = Float64Array.of(10);
      merger.begin([model]);
      const after: number[] = [];
      for (const step of steps) {
        model[0] = (model[0] ?? 0) + (step[rank] ?? 0);
        await merger.merge([model], 0.5);
        after.push(model[0] ?? 0);
      }
      return after;
    }),
  );
  return held;
}

describe("block momentum follows its published equations", () => {
  // Worked by hand: the mean change of a block is (a + b) / 2; delta = 0.5 delta + rate mean; W = W + delta.
  it("without Nesterov momentum the next block starts from W", async () => {
    // Means of the blocks 0.125, 0.4375, -0.25.
    const deltas = [0.125, 0.0625 + 0.4375, 0.25 - 0.25];
    const expected = [10.125, 10.625, 10.625];
    expect(deltas).toEqual([0.125, 0.5, 0]);
    expect(await meetings(false, 0.5, 1)).toEqual([expected, expected]);
  });
  it("with it from W and half of what changed", async () => {
    const expected = [10.125 + 0.0625, 10.625 + 0.25, 10.625 + 0];
    expect(await meetings(true, 0.5, 1)).toEqual([expected, expected]);
  });
  it("the block's own rate scales what the models have moved", async () => {
    const expected = [10.25, 10.25 + 0.125 + 0.875, 11.25 + 0.5 - 0.5];
    expect(await meetings(false, 0.5, 2)).toEqual([expected, expected]);
  });
  it("without momentum it is the mean", async () => {
    expect((await meetings(false, 0, 1))[0]).toEqual([10.125, 10.5625, 10.3125]);
  });
});

it("the mean of models weighs them by their samples", async () => {
  const held = await Promise.all(
    processGroup(2).map(async (group, rank) => {
      const model = Float64Array.of(rank === 0 ? 8 : 16);
      await new ModelAveraging(group.open()).merge([model], rank === 0 ? 0.25 : 0.75);
      return model[0];
    }),
  );
  expect(held).toEqual([14, 14]);
});

it("a time constant of one block fades a change to 1/e a block", () => {
  expect(momentumOfTimeConstant(1000, 1000)).toBeCloseTo(Math.exp(-1), 15);
  expect(momentumOfTimeConstant(0, 1000)).toBe(0);
});
