import { describe, expect, it } from "vitest";
import { PlanMemory } from "../../../src/backends/host/memory.js";
import { argument, unary } from "../../../src/primitives/expression.js";
import type { Operand } from "../../../src/primitives/instruction.js";
import { PlanBuilder, singleFrames } from "../../support/plan-builder.js";

const negated = { expression: unary("negate", argument(0)) };
const sum = { operation: "sum", scale: 1, gaps: "skipped" } as const;

/** A chain of temporaries of the given sizes, each made from the one before. */
function chain(sizes: readonly number[], perSample = true) {
  const builder = new PlanBuilder("double");
  const operands: Operand[] = [builder.input("x", [1], perSample)];
  for (const size of sizes) {
    const output = builder.temporary([size], perSample);
    const input = operands.at(-1)!;
    builder.emit("reduce", [input], { ...output, dims: [1] }, sum);
    operands.push(output);
  }
  builder.output("y", operands.at(-1)!);
  return builder;
}

/** Distinct arrays behind the temporaries. */
function arraysOf(memory: PlanMemory, builder: PlanBuilder): Set<unknown> {
  return new Set(
    builder.plan().buffers.flatMap(({ id, role }) => (role === "temporary" ? [memory.values[id]] : [])),
  );
}

describe("PlanMemory", () => {
  it("needs two arrays for a chain of any length", () => {
    const builder = chain([4, 4, 4, 4, 4, 4]);
    const memory = new PlanMemory(builder.plan());
    memory.setLayout(0, singleFrames(3));
    expect(arraysOf(memory, builder).size).toBe(2);
  });

  it("gives a large temporary room in a smaller one's array rather than a third array", () => {
    const builder = chain([4, 2, 8, 1, 16]);
    const memory = new PlanMemory(builder.plan());
    memory.setLayout(0, singleFrames(2));
    const lengths = [...arraysOf(memory, builder)].map((array) => (array as Float64Array).length);
    expect(lengths.sort((a, b) => a - b)).toEqual([4, 32]);
  });

  it("never shares between values with and without samples", () => {
    const builder = new PlanBuilder("double");
    const x = builder.input("x", [2]);
    const a = builder.temporary([2], false);
    const b = builder.temporary([2], true);
    const c = builder.temporary([2], false);
    builder.emit("reduce", [x], a, sum);
    builder.emit("map", [a], b, negated);
    builder.emit("reduce", [b], c, sum);
    builder.output("c", c);
    const memory = new PlanMemory(builder.plan());
    memory.setLayout(0, singleFrames(1));
    expect(memory.values[a.buffer]).toBe(memory.values[c.buffer]);
    expect(memory.values[a.buffer]).not.toBe(memory.values[b.buffer]);
  });

  it("keeps the memory of a value that the caller gets", () => {
    const builder = new PlanBuilder("double");
    const x = builder.input("x", [3]);
    const outputs = [1, 2, 3].map((n) => {
      const y = builder.temporary([3]);
      builder.emit("map", [x], y, negated).output(`y${n}`, y);
      return y;
    });
    const memory = new PlanMemory(builder.plan());
    memory.setLayout(0, singleFrames(1));
    expect(new Set(outputs.map(({ buffer }) => memory.values[buffer])).size).toBe(3);
  });

  it("grows with the minibatch and does not shrink", () => {
    const builder = chain([4]);
    const memory = new PlanMemory(builder.plan());
    const length = () => memory.values[1]?.length;
    memory.setLayout(0, singleFrames(2));
    expect(length()).toBe(8);
    memory.setLayout(0, singleFrames(5));
    expect(length()).toBe(20);
    memory.setLayout(0, singleFrames(3));
    expect(length()).toBe(20);
  });
});
