import { expect } from "vitest";
import type { Backend } from "../../src/backends/backend.js";
import type { ElementType, Values } from "../../src/numerics/values.js";
import { numbersOf, PlanBuilder, runOn } from "./plan-builder.js";

/** One small plan with inputs made for any number of samples, and what must come out. */
export interface ConformanceCase {
  readonly name: string;
  /** Declares buffers, emits instructions of the entry `evaluate`, names outputs. */
  build(builder: PlanBuilder): void;
  inputs(samples: number): Readonly<Record<string, readonly number[]>>;
  readonly states?: Readonly<Record<string, readonly number[]>>;
  readonly scalars?: Readonly<Record<string, number>>;
  expected(
    inputs: Readonly<Record<string, readonly number[]>>,
    samples: number,
  ): Readonly<Record<string, readonly number[]>>;
}

/** Sizes of successive minibatches: one sample, growth, a smaller one in memory that is larger, growth again. */
const sampleCounts = [1, 3, 2, 5];

/** Largest difference allowed, relative to the largest expected number (or 1). */
const tolerances: Readonly<Record<ElementType, number>> = { double: 1e-13, float: 2e-6 };

/** Runs a case with minibatches of several sizes and compares every number. */
export async function runCase(
  backend: Backend,
  elementType: ElementType,
  test: ConformanceCase,
): Promise<void> {
  const builder = new PlanBuilder(elementType);
  test.build(builder);
  const executable = await backend.compile(builder.plan());
  const states = Object.entries(test.states ?? {}).map(([name, numbers]): [string, Values] => [
    name,
    numbersOf(elementType, numbers),
  ]);
  await executable.writeState(new Map(states));
  for (const samples of sampleCounts) {
    const inputs = test.inputs(samples);
    const actual = await runOn(executable, elementType, samples, inputs, test.scalars);
    const expected = test.expected(inputs, samples);
    expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, numbers] of Object.entries(expected)) {
      expectClose(actual[name] ?? [], numbers, tolerances[elementType], `${name}, ${samples} samples`);
    }
  }
  await executable.dispose();
}

/** Every number within `tolerance` times the largest expected magnitude (at least 1); NaN and infinities must agree. */
export function expectClose(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
  what: string,
): void {
  expect(actual.length, `${what}: count`).toBe(expected.length);
  const largest = expected.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1);
  expected.forEach((wanted, index) => {
    const got = actual[index] ?? NaN;
    const same = Object.is(got, wanted) || Math.abs(got - wanted) <= tolerance * largest;
    if (!same) expect.fail(`${what}: element ${index} is ${got}, expected ${wanted}`);
  });
}
