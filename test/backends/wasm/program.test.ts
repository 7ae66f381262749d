import { describe, expect, it } from "vitest";
import { Arena } from "../../../src/backends/wasm/arena.js";
import { createWasmBackend, wasmBackend } from "../../../src/backends/wasm/index.js";
import { compileProgram } from "../../../src/backends/wasm/program.js";
import { packFrames } from "../../../src/minibatch/index.js";
import { add, argument, constant, unary } from "../../../src/primitives/expression.js";
import { runCase } from "../../support/conformance-case.js";
import { problemOf } from "../../support/problem-of.js";
import { PlanBuilder, runOn } from "../../support/plan-builder.js";
import { convolutionCases } from "../conformance/convolution-cases.js";
import { matmulCases } from "../conformance/matmul-cases.js";
import { poolingCases } from "../conformance/pool-cases.js";
import { reduceCases } from "../conformance/reduce-cases.js";

describe("a program", () => {
  /** y_i = x + i for even i, −|x + i| for odd ones, each by a map of its own. */
  function manyMaps(count: number) {
    const builder = new PlanBuilder("float");
    const x = builder.input("x", [5]);
    for (let i = 0; i < count; i++) {
      const y = builder.temporary([5]);
      const shifted = add(argument(0), constant(i));
      const expression = i % 2 === 0 ? shifted : unary("negate", unary("absolute", shifted));
      builder.emit("map", [x], y, { expression }).output(`y${i}`, y);
    }
    return builder.plan();
  }

  it("that is too much for one module is cut into several, which compute the same", async () => {
    const plan = manyMaps(450);
    expect(compileProgram(plan).modules.length).toBeGreaterThan(1);
    const executable = await wasmBackend.compile(plan);
    const outputs = await runOn(executable, "float", 1, { x: [1, 2, 3, 4, 5] });
    expect(outputs["y0"]).toEqual([1, 2, 3, 4, 5]);
    expect(outputs["y301"]).toEqual([-302, -303, -304, -305, -306]);
    expect(outputs["y448"]).toEqual([449, 450, 451, 452, 453]);
    await executable.dispose();
  });

  it("of an ordinary network is one module", () => {
    expect(compileProgram(manyMaps(10)).modules).toHaveLength(1);
  });
});

describe("without shared memory", () => {
  const backend = createWasmBackend(undefined, undefined, false, false);
  const all = [...convolutionCases, ...poolingCases, ...matmulCases, ...reduceCases];
  const cases = all.filter((_, i) => i % 10 === 0);
  it.each(cases.map((test) => [test.name, test] as const))("computes the same: %s", async (_, test) => {
    await runCase(backend, "float", test);
  });

  it("takes minibatches that grow, up to what there is", async () => {
    const builder = new PlanBuilder("double");
    const x = builder.input("x", [512]);
    const y = builder.temporary([512]);
    builder.emit("map", [x], y, { expression: add(argument(0), constant(1)) }).output("y", y);
    const executable = await backend.compile(builder.plan());
    for (const columns of [1, 30, 300]) {
      const given = Array.from({ length: 512 * columns }, (_, i) => i);
      const { y: found } = await runOn(executable, "double", columns, { x: given });
      expect(found).toEqual(given.map((value) => value + 1));
    }
    const layouts = new Map([["*", packFrames(new Uint8Array(2 ** 15).fill(1))]]);
    const inputs = new Map([["x", { storage: "dense" as const, values: new Float64Array(2 ** 24) }]]);
    await expect(executable.run("evaluate", { layouts, inputs })).rejects.toMatchObject({
      code: "out-of-memory",
    });
  });
});

describe("Arena", () => {
  it("that does not share its memory has all its room at once, and no more", () => {
    const arena = new Arena(64, 2 ** 17);
    expect(arena.buffer).toBeInstanceOf(ArrayBuffer);
    const values = new Float32Array(arena.buffer, arena.allocate(2 ** 16), 2 ** 14);
    expect(problemOf(() => arena.allocate(2 ** 18)).diagnostic.code).toBe("out-of-memory");
    expect(values).toHaveLength(2 ** 14);
  });

  it("gives released pieces again, joined with their neighbours", () => {
    const arena = new Arena(100);
    const [a, b, c] = [arena.allocate(1000), arena.allocate(1000), arena.allocate(1000)];
    const last = arena.allocate(1000);
    expect(a).toBeGreaterThanOrEqual(100);
    for (const place of [a, c, b]) arena.release(place);
    expect(arena.allocate(3000)).toBe(a);
    expect(arena.allocate(1000)).toBeGreaterThan(last);
  });

  it("that asks for more memory than there can be is told so", () => {
    const arena = new Arena(64);
    const problem = problemOf(() => arena.allocate(2 ** 33));
    expect(problem.diagnostic.code).toBe("out-of-memory");
    expect(problem.diagnostic.message).toContain("MB cannot be had");
    expect(new Float32Array(arena.buffer, arena.allocate(16), 4)).toHaveLength(4);
  });

  it("grows, and what was there stays in view", () => {
    const arena = new Arena(64);
    const place = arena.allocate(16);
    const view = new Float32Array(arena.buffer, place, 4).fill(7);
    const large = arena.allocate(10_000_000);
    new Float32Array(arena.buffer, large, 2_500_000).fill(1);
    view[0] = 8;
    expect([...new Float32Array(arena.buffer, place, 4)]).toEqual([8, 7, 7, 7]);
  });
});
