import { describe, expect, it } from "vitest";
import type { Backend } from "../../src/backends/backend.js";
import { javascriptBackend } from "../../src/backends/javascript/index.js";
import { referenceBackend } from "../../src/backends/reference/index.js";
import {
  add,
  argument,
  multiply,
  scalar,
  subtract,
  type Expression,
} from "../../src/primitives/expression.js";
import { PlanBuilder, runOn } from "../support/plan-builder.js";

const [x, y] = [argument(0), argument(1)];

/** One number from an expression over numbers, in float. */
async function resultOn(
  backend: Backend,
  expression: Expression,
  numbers: readonly number[],
  scalars: Record<string, number> = {},
): Promise<number | undefined> {
  const b = new PlanBuilder("float");
  const inputs = numbers.map((_, k) => b.input(`x${k}`, [1], false));
  const output = b.temporary([1], false);
  b.emit("map", inputs, output, { expression }).output("y", output);
  const executable = await backend.compile(b.plan());
  const values = Object.fromEntries(numbers.map((number, k) => [`x${k}`, [number]]));
  return (await runOn(executable, "float", 1, values, scalars))["y"]?.[0];
}

async function sumOn(
  backend: Backend,
  dims: number[],
  outputDims: number[],
  numbers: readonly number[],
  samples: number,
  scale = 1,
): Promise<number[] | undefined> {
  const b = new PlanBuilder("float");
  const output = b.temporary(outputDims, false);
  b.emit("reduce", [b.input("x", dims)], output, { operation: "sum", scale, gaps: "skipped" }).output(
    "y",
    output,
  );
  const executable = await backend.compile(b.plan());
  return (await runOn(executable, "float", samples, { x: numbers }))["y"];
}

describe.each([referenceBackend, javascriptBackend])("float on the $name backend", (backend) => {
  const floatResult = (
    expression: Expression,
    numbers: readonly number[],
    scalars?: Record<string, number>,
  ) => resultOn(backend, expression, numbers, scalars);
  const floatSum = (
    dims: number[],
    to: number[],
    numbers: readonly number[],
    samples: number,
    scale?: number,
  ) => sumOn(backend, dims, to, numbers, samples, scale);

  it("rounds every operation inside an expression", async () => {
    const odd = 1 + 2 ** -23;
    // The exact square is 1 + 2^-22 + 2^-46.
    expect(await floatResult(subtract(multiply(x, x), y), [odd, 1 + 2 ** -22])).toBe(0);
    expect(await floatResult(subtract(add(x, y), x), [1, 2 ** -25])).toBe(0);
  });

  it("rounds run-time scalars", async () => {
    expect(await floatResult(multiply(scalar("rate"), x), [1], { rate: 0.1 })).toBe(Math.fround(0.1));
    expect(await floatResult(multiply(scalar("rate"), x), [3], { rate: 0.1 })).toBe(
      Math.fround(3 * Math.fround(0.1)),
    );
  });

  it("adds in double: four times 2^-25 to 1 counts", async () => {
    const small = 2 ** -25;
    expect(await floatSum([5], [1], [1, small, small, small, small], 1)).toEqual([1 + 2 ** -23]);
    expect(await floatSum([1], [1], [1, small, small, small, small], 5)).toEqual([1 + 2 ** -23]);
  });

  it("rounds the totals of inner groups where kept axes lie between", async () => {
    // Two maps of two cells, two samples; map 2 is zero. The first total, 1 + 3·2^-25, rounds to 1 + 2^-23.
    const numbers = [1, 3 * 2 ** -25, 0, 0, -1, 0, 0, 0];
    expect(await floatSum([2, 2], [1, 2], numbers, 2)).toEqual([2 ** -23, 0]);
    // Without a kept axis between them there is one sum.
    expect(await floatSum([4], [1], numbers, 2)).toEqual([3 * 2 ** -25]);
  });

  it("rounds a sum before it is scaled", async () => {
    const sum = Math.fround(0.1) + Math.fround(0.7) + Math.fround(0.9);
    const scale = 1 / 3;
    const expected = Math.fround(Math.fround(sum) * Math.fround(scale));
    expect(await floatSum([3], [1], [0.1, 0.7, 0.9], 1, scale)).toEqual([expected]);
  });
});
