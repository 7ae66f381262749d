import { describe, expect, it } from "vitest";
import { javascriptBackend } from "../../src/backends/javascript/index.js";
import { fuseMaps } from "../../src/plan/fuse-maps.js";
import { instructionsOf, type Plan } from "../../src/plan/plan.js";
import { planProblems } from "../../src/plan/verify.js";
import { add, argument, constant, multiply, unary } from "../../src/primitives/expression.js";
import { PlanBuilder, runOn } from "../support/plan-builder.js";

const square = { expression: multiply(argument(0), argument(0)) };
const half = { expression: multiply(argument(0), constant(0.5)) };
const negated = { expression: unary("negate", argument(0)) };
const sum = { expression: add(argument(0), argument(1)) };

function kindsOf(plan: Plan): number {
  return instructionsOf(plan.entries.evaluate?.steps ?? []).length;
}

/** The fused plan's instructions, after it gave the same outputs as the plan itself. */
async function fusedTo(builder: PlanBuilder, inputs: Record<string, number[]>): Promise<number> {
  const plan = builder.plan();
  const fused = fuseMaps(plan);
  expect(planProblems(fused)).toEqual([]);
  const run = async (one: Plan) => {
    const executable = await javascriptBackend.compile(one);
    const outputs = await runOn(executable, "float", 2, inputs);
    const states = await executable.readState(
      plan.buffers.flatMap(({ role, name }) => (role === "state" ? name : [])),
    );
    return { outputs, states };
  };
  expect(await run(fused)).toEqual(await run(plan));
  return kindsOf(fused);
}

describe("fuseMaps", () => {
  it("makes one of a chain, each operand read once or several times", async () => {
    const b = new PlanBuilder("float");
    const x = b.input("x", [2]);
    const [s, h, n] = [b.temporary([2]), b.temporary([2]), b.temporary([2])];
    b.emit("map", [x], s, half).emit("map", [s], h, square).emit("map", [h, x], n, sum).output("n", n);
    expect(await fusedTo(b, { x: [1, 2, 3, 4.5] })).toBe(1);
  });

  it("leaves what two others need, and what the caller gets", async () => {
    const b = new PlanBuilder("float");
    const x = b.input("x", [2]);
    const [s, h, n] = [b.temporary([2]), b.temporary([2]), b.temporary([2])];
    b.emit("map", [x], s, half).emit("map", [s], h, square).emit("map", [s, h], n, sum);
    b.output("n", n).output("h", h);
    expect(await fusedTo(b, { x: [1, 2, 3, 4.5] })).toBe(3);
  });

  it("does not move a map behind a change of what it reads", async () => {
    const b = new PlanBuilder("float");
    const x = b.input("x", [2], false);
    const w = b.state("w", [2], 3);
    const [old, n] = [b.temporary([2], false), b.temporary([2], false)];
    b.emit("map", [w], old, half).emit("map", [w, x], w, sum).emit("map", [old, w], n, sum).output("n", n);
    expect(await fusedTo(b, { x: [1, 2] })).toBe(3);
  });

  it("leaves operands that are stretched, or walked in another shape", async () => {
    const b = new PlanBuilder("float");
    const [x, y] = [b.input("x", [1]), b.input("y", [2])];
    const [n, h] = [b.temporary([1]), b.temporary([2])];
    b.emit("map", [x], n, negated).emit("map", [n, y], h, sum).output("h", h);
    expect(await fusedTo(b, { x: [1, 2], y: [1, 2, 3, 4] })).toBe(2);
  });
});
