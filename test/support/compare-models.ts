import type { Values } from "../../src/numerics/values.js";
import { expect } from "vitest";
import { readCheckpoint, readModel } from "../../src/model-files/index.js";

/**
 * Expects that two model files differ in nothing but trained numbers, and in those by no more than `tolerance` relative
 * (numbers below `floor` count as `floor`): the last bits depend on the order of summation.
 */
export function expectSameModel(
  ours: Uint8Array,
  recorded: Uint8Array,
  tolerance: number,
  floor: number,
): void {
  const [a, b] = [readModel(ours, "ours"), readModel(recorded, "recorded")];
  const withoutValues = ({ nodes, ...rest }: typeof a) => ({
    ...rest,
    nodes: nodes.map(({ values, ...node }) => ({ ...node, size: values && [values.rows, values.columns] })),
  });
  expect(withoutValues(a)).toEqual(withoutValues(b));
  a.nodes.forEach((node, index) => {
    const theirs = b.nodes[index]?.values?.values;
    if (node.values && theirs) expectNear(node.values.values, theirs, tolerance, floor, node.name);
  });
}

/** The same for checkpoints. */
export function expectSameCheckpoint(
  ours: Uint8Array,
  recorded: Uint8Array,
  tolerance: number,
  floor: number,
): void {
  const [a, b] = [readCheckpoint(ours, "ours"), readCheckpoint(recorded, "recorded")];
  const { gradients, previousCriterion, ...rest } = a;
  const { gradients: theirGradients, previousCriterion: theirCriterion, ...theirRest } = b;
  expect(rest).toEqual(theirRest);
  expectNear([previousCriterion], [theirCriterion], tolerance, floor, "criterion");
  expect(gradients.map(({ rows, columns }) => [rows, columns])).toEqual(
    theirGradients.map(({ rows, columns }) => [rows, columns]),
  );
  gradients.forEach(({ values }, index) => {
    const theirs = theirGradients[index]?.values ?? new Float64Array();
    expectNear(values, theirs, tolerance, floor, `smoothed gradient ${index}`);
  });
}

function expectNear(
  ours: Values | readonly number[],
  recorded: Values | readonly number[],
  tolerance: number,
  floor: number,
  what: string,
): void {
  expect(ours.length, what).toBe(recorded.length);
  let worst = 0;
  for (let i = 0; i < ours.length; i++) {
    const [x, y] = [ours[i] ?? NaN, recorded[i] ?? NaN];
    const distance = Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y), floor);
    if (!(distance <= worst)) worst = distance;
  }
  expect(worst, `largest relative difference of ${what}`).toBeLessThanOrEqual(tolerance);
}
