import { describe, expect, it } from "vitest";
import { wasmBackend } from "../../../src/backends/wasm/index.js";
import { argument, unary, type UnaryOperator } from "../../../src/primitives/expression.js";
import { PlanBuilder, runOn } from "../../support/plan-builder.js";

/** f(x) of every number, by the module. */
async function computed(operator: UnaryOperator, x: readonly number[]): Promise<readonly number[]> {
  const builder = new PlanBuilder("float");
  const result = builder.temporary([x.length], false);
  const expression = unary(operator, argument(0));
  builder.emit("map", [builder.input("x", [x.length], false)], result, { expression }).output("y", result);
  const executable = await wasmBackend.compile(builder.plan());
  const { y } = await runOn(executable, "float", 1, { x: [...x] });
  await executable.dispose();
  return y ?? [];
}

/** The distance to the next float of the same exponent. */
function unitInLastPlace(x: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -126)));
  return 2 ** (exponent - 23);
}

/** Floats evenly spread over an interval. */
function spread(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(from + ((to - from) * i) / (count - 1)));
}

/** Floats of all magnitudes between 2^from and 2^to, of both signs if so said. */
function magnitudes(from: number, to: number, signs: readonly number[]): number[] {
  const powers = spread(from, to, 4001).map((exponent) => Math.fround(2 ** exponent));
  return signs.flatMap((sign) => powers.map((power) => sign * power));
}

describe("series in float, against the engine's functions in double", () => {
  const cases: readonly (readonly [UnaryOperator, (x: number) => number, readonly number[]])[] = [
    ["exponential", Math.exp, [...spread(-87, 88.7, 20_003), ...magnitudes(-30, 6, [1, -1])]],
    ["logarithm", Math.log, [...spread(0.5, 2, 20_003), ...magnitudes(-120, 127, [1])]],
    ["hyperbolicTangent", Math.tanh, [...spread(-10, 10, 20_003), ...magnitudes(-60, 6, [1, -1])]],
  ];

  it.each(cases)("%s is at most 0.6 units in the last place off", async (operator, exact, x) => {
    const y = await computed(operator, x);
    const errors = x.map(
      (value, i) => Math.abs((y[i] ?? NaN) - exact(value)) / unitInLastPlace(exact(value)),
    );
    expect(Math.max(...errors)).toBeLessThan(0.6);
  });

  it("go to their limits, and leave NaN alone", async () => {
    const x = [Infinity, -Infinity, 200, -200, NaN, 0];
    expect(await computed("exponential", x)).toEqual([Infinity, 0, Infinity, 0, NaN, 1]);
    expect(await computed("hyperbolicTangent", x)).toEqual([1, -1, 1, -1, NaN, 0]);
    expect((await computed("logarithm", x)).map((y) => Math.fround(y))).toEqual(
      [Infinity, -85.1, Math.log(200), -85.1, NaN, -85.1].map(Math.fround),
    );
  });
});
