import { describe, expect, it } from "vitest";
import type { Backend } from "../../src/backends/backend.js";
import type { ElementType } from "../../src/numerics/values.js";
import { add, argument, constant, multiply, scalar, subtract } from "../../src/primitives/expression.js";
import { presentBackends } from "../support/backends.js";
import { runCase } from "../support/conformance-case.js";
import { PlanBuilder, runOn } from "../support/plan-builder.js";
import { convolutionCases } from "./conformance/convolution-cases.js";
import { elementwiseCases } from "./conformance/elementwise-cases.js";
import { matmulCases } from "./conformance/matmul-cases.js";
import { movementCases } from "./conformance/movement-cases.js";
import { poolingCases } from "./conformance/pool-cases.js";
import { reduceCases } from "./conformance/reduce-cases.js";

const cases = [
  ...elementwiseCases,
  ...reduceCases,
  ...matmulCases,
  ...convolutionCases,
  ...poolingCases,
  ...movementCases,
];

for (const present of await presentBackends()) {
  if (!("backend" in present)) {
    it.skip(`backend ${present.name} is not here: ${present.reason}`, () => undefined);
    continue;
  }
  for (const elementType of present.backend.elementTypes) {
    describe(`${present.name}, ${elementType}`, () => {
      it.each(cases.map((test) => [test.name, test] as const))("%s", async (_, test) => {
        await runCase(present.backend, elementType, test);
      });
      statesAndEngines(present.backend, elementType);
    });
  }
}

function statesAndEngines(backend: Backend, elementType: ElementType): void {
  const array = (...numbers: number[]) =>
    elementType === "float" ? Float32Array.from(numbers) : Float64Array.from(numbers);

  /** `update`: w −= rate·x (a parameter-shaped input); `evaluate`: 2w. */
  function updatePlan() {
    const b = new PlanBuilder(elementType);
    const x = b.input("x", [2], false);
    const w = b.state("w", [2], 0.5);
    const expression = subtract(argument(0), multiply(scalar("rate"), argument(1)));
    b.emit("map", [w, x], w, { expression }, "update");
    const doubled = b.temporary([2], false);
    b.emit("map", [w], doubled, { expression: multiply(argument(0), constant(2)) });
    b.output("doubled", doubled);
    return b.plan();
  }

  it("a state starts at its initial value, is changed by one entry, seen by another, read and written", async () => {
    const executable = await backend.compile(updatePlan());
    const evaluate = async () => (await runOn(executable, elementType, 1, { x: [0, 0] }))["doubled"];
    expect(await evaluate()).toEqual([1, 1]);
    await runOn(executable, elementType, 1, { x: [1, -2] }, { rate: 0.25 }, "update");
    await runOn(executable, elementType, 1, { x: [1, -2] }, { rate: 0.25 }, "update");
    expect(await evaluate()).toEqual([0, 3]);
    expect((await executable.readState(["w"])).get("w")).toEqual(array(0, 1.5));
    await executable.writeState(new Map([["w", array(8, 9)]]));
    expect(await evaluate()).toEqual([16, 18]);
    await executable.dispose();
  });

  it("what readState gave does not change with later runs", async () => {
    const executable = await backend.compile(updatePlan());
    const before = (await executable.readState(["w"])).get("w");
    await runOn(executable, elementType, 1, { x: [1, 1] }, { rate: 1 }, "update");
    expect(before).toEqual(array(0.5, 0.5));
    await executable.dispose();
  });

  it("two executables of one plan do not share states", async () => {
    const plan = updatePlan();
    const [first, second] = [await backend.compile(plan), await backend.compile(plan)];
    await runOn(first, elementType, 1, { x: [1, 1] }, { rate: 1 }, "update");
    expect((await second.readState(["w"])).get("w")).toEqual(array(0.5, 0.5));
    await first.dispose();
    await second.dispose();
  });

  it("a state keeps the sum over minibatches of different sizes", async () => {
    const b = new PlanBuilder(elementType);
    const x = b.input("x", [2]);
    const total = b.state("total", [2]);
    const sum = b.temporary([2], false);
    b.emit("reduce", [x], sum, { operation: "sum", scale: 1, gaps: "skipped" });
    b.emit("map", [total, sum], total, { expression: add(argument(0), argument(1)) });
    const executable = await backend.compile(b.plan());
    await runOn(executable, elementType, 1, { x: [1, 2] });
    await runOn(executable, elementType, 3, { x: [1, 2, 3, 4, 5, 6] });
    await runOn(executable, elementType, 2, { x: [1, 0, 0, 1] });
    expect((await executable.readState(["total"])).get("total")).toEqual(array(11, 15));
    await executable.dispose();
  });

  async function dropout() {
    const b = new PlanBuilder(elementType);
    const output = b.temporary([4]);
    const parameters = { engine: b.engine("d"), rate: "dropoutRate" };
    b.emit("dropoutMask", [b.input("x", [1])], output, parameters).output("mask", output);
    const executable = await backend.compile(b.plan());
    const draw = async (samples: number, dropoutRate: number) =>
      (await runOn(executable, elementType, samples, { x: Array(samples).fill(0) }, { dropoutRate }))["mask"];
    return { executable, draw };
  }

  // Masks drawn by C++'s std::mt19937_64 with CNTK's rule.
  const seed0 = [0, 2, 0, 2, 2, 0, 2, 0, 2, 2, 0, 2];
  const seed1 = [0, 0, 0, 0, 0, 2, 0, 0, 2, 2, 0, 2];

  it("dropout masks are CNTK's, and an engine goes on where it stands", async () => {
    const { executable, draw } = await dropout();
    expect(await draw(3, 0.5)).toEqual(seed0);
    expect((await executable.readState(["d"])).get("d")).toEqual(Float64Array.of(0, 12));
    await executable.writeState(new Map([["d", Float64Array.of(1, 0)]]));
    expect(await draw(1, 0.5)).toEqual(seed1.slice(0, 4));
    expect(await draw(2, 0.5)).toEqual(seed1.slice(4));
    await executable.writeState(new Map([["d", Float64Array.of(0, 4)]]));
    expect(await draw(2, 0.5)).toEqual(seed0.slice(4));
    await executable.dispose();
  });

  it("a dropout rate of zero draws nothing, another one scales", async () => {
    const { executable, draw } = await dropout();
    expect(await draw(2, 0)).toEqual(Array(8).fill(1));
    expect((await executable.readState(["d"])).get("d")).toEqual(Float64Array.of(0, 0));
    const scale = elementType === "float" ? Math.fround(1 / 0.8) : 1 / 0.8;
    // u of seed 0: 0.1598, 0.9921, 0.0396, 0.5975.
    expect(await draw(1, 0.2)).toEqual([0, scale, 0, scale]);
    await executable.dispose();
  });
}
