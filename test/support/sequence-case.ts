import { expect } from "vitest";
import type { Backend, Output } from "../../src/backends/backend.js";
import { referenceBackend } from "../../src/backends/reference/index.js";
import { gapMask } from "../../src/minibatch/layout.js";
import type { AxisLayout } from "../../src/minibatch/minibatch.js";
import type { ElementType } from "../../src/numerics/values.js";
import { expectClose } from "./conformance-case.js";
import { fed, numbersOf, PlanBuilder, type InputNumbers } from "./plan-builder.js";

/** Layouts by axis name and inputs of one minibatch. */
export interface SequenceMinibatch {
  readonly layouts: Readonly<Record<string, AxisLayout>>;
  readonly inputs: InputNumbers;
}

/** A plan over sequences, minibatches that follow one another, and what must come out of each. */
export interface SequenceCase {
  readonly name: string;
  build(builder: PlanBuilder): void;
  readonly states?: Readonly<Record<string, readonly number[]>>;
  readonly scalars?: Readonly<Record<string, number>>;
  readonly minibatches: readonly SequenceMinibatch[];
  /** By minibatch, numbers of columns that are no gaps only; absent: what the reference backend says. */
  readonly expected?: readonly Readonly<Record<string, readonly number[]>>[];
  /** States afterwards. */
  readonly expectedStates?: Readonly<Record<string, readonly number[]>>;
}

/** A layout from the sequences' places: `[row, begin, length]`, numbered in order. */
export function layoutOf(
  rows: number,
  steps: number,
  ...places: readonly [number, number, number][]
): AxisLayout {
  return {
    rows,
    steps,
    sequences: places.map(([row, begin, length], sequence) => ({ sequence, row, begin, length })),
  };
}

/** Outputs without the columns of gaps, whose numbers mean nothing. */
export function samplesOf({ values, layout }: Output): number[] {
  const mask = layout && gapMask(layout);
  if (!layout || !mask) return [...values];
  const size = values.length / (layout.rows * layout.steps);
  return [...values].filter((_, i) => mask[Math.floor(i / size)] === 0);
}

type Results = { outputs: Record<string, number[]>[]; states: Record<string, number[]> };

async function resultsOn(backend: Backend, elementType: ElementType, test: SequenceCase): Promise<Results> {
  const builder = new PlanBuilder(elementType);
  test.build(builder);
  const executable = await backend.compile(builder.plan());
  const states = Object.entries(test.states ?? {});
  await executable.writeState(
    new Map(states.map(([name, numbers]) => [name, numbersOf(elementType, numbers)])),
  );
  const outputs: Results["outputs"] = [];
  for (const { layouts, inputs } of test.minibatches) {
    const results = await executable.run("evaluate", fed(elementType, layouts, inputs), test.scalars);
    outputs.push(Object.fromEntries([...results].map(([name, output]) => [name, samplesOf(output)])));
  }
  const after = await executable.readState(Object.keys(test.expectedStates ?? {}));
  await executable.dispose();
  return { outputs, states: Object.fromEntries([...after].map(([name, values]) => [name, [...values]])) };
}

const tolerances: Readonly<Record<ElementType, number>> = { double: 1e-12, float: 5e-6 };

/** Runs a case and compares every number that is no gap's. */
export async function runSequenceCase(
  backend: Backend,
  elementType: ElementType,
  test: SequenceCase,
): Promise<void> {
  const actual = await resultsOn(backend, elementType, test);
  const expected = test.expected ?? (await resultsOn(referenceBackend, elementType, test)).outputs;
  expect(actual.outputs.length).toBe(expected.length);
  expected.forEach((numbers, i) => {
    expect(Object.keys(actual.outputs[i] ?? {}).sort()).toEqual(Object.keys(numbers).sort());
    for (const [name, wanted] of Object.entries(numbers)) {
      expectClose(
        actual.outputs[i]?.[name] ?? [],
        wanted,
        tolerances[elementType],
        `${name}, minibatch ${i + 1}`,
      );
    }
  });
  for (const [name, wanted] of Object.entries(test.expectedStates ?? {})) {
    expectClose(actual.states[name] ?? [], wanted, tolerances[elementType], `state ${name}`);
  }
}
