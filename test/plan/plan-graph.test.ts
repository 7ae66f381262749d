import { describe, expect, it } from "vitest";
import { referenceBackend } from "../../src/backends/reference/index.js";
import type {
  Assignment,
  EntryName,
  ExecutionGraph,
  DynamicAxis,
  NetworkNode,
  NodeFacts,
} from "../../src/network/network.js";
import type { OpDefinition } from "../../src/network/op-definition.js";
import { mapOp, operationByName, reduceToOp, reshapeToOp, stateOp } from "../../src/ops/index.js";
import { planGraph, printPlan } from "../../src/plan/index.js";
import {
  add,
  argument,
  constant,
  multiply,
  subtract,
  type Expression,
} from "../../src/primitives/expression.js";
import { runOn } from "../support/plan-builder.js";

/** Makes execution graphs node by node, shapes given by hand. */
class Graph {
  private readonly facts = new Map<NetworkNode, NodeFacts>();
  private readonly samples: DynamicAxis = { axisName: "*" };
  private readonly entries: Partial<Record<EntryName, ExecutionGraph["entries"][EntryName]>> = {};

  input(name: string, shape: number[]): NetworkNode {
    const op = operationByName("InputValue");
    if (!op) throw new Error("no InputValue");
    return this.node(name, op, [], {}, shape, true);
  }

  state(name: string, shape: number[], initial: number): NetworkNode {
    return this.node(name, stateOp, [], { shape, initial }, shape, false);
  }

  map(
    name: string,
    expression: Expression,
    inputs: NetworkNode[],
    shape: number[],
    perSample = false,
  ): NetworkNode {
    return this.node(name, mapOp, inputs, { expression }, shape, perSample);
  }

  node(
    name: string,
    op: OpDefinition,
    inputs: NetworkNode[],
    attributes: Record<string, unknown>,
    shape: number[],
    perSample: boolean,
  ): NetworkNode {
    const node: NetworkNode = { name, op, inputs, attributes, tags: new Set() };
    const dynamicAxis = perSample ? this.samples : null;
    this.facts.set(node, { shape, dynamicAxis, needsGradient: false, storage: "dense", attributes });
    return node;
  }

  /** An entry over all nodes made so far, in the order they were made. */
  entry(name: EntryName, outputs: NetworkNode[], assignments: Assignment[] = []): this {
    this.entries[name] = { order: [...this.facts.keys()], outputs, assignments };
    return this;
  }

  plan() {
    const graph = {
      mode: "training" as const,
      facts: this.facts,
      companions: new Map(),
      entries: this.entries,
    };
    return planGraph(graph, "double");
  }
}

const [x, y] = [argument(0), argument(1)];
const plusOne = add(x, constant(1));

async function executable(graph: Graph) {
  const plan = graph.plan();
  const compiled = await referenceBackend.compile(plan);
  const states = plan.buffers.filter(({ role }) => role === "state").map(({ name }) => name);
  return {
    plan,
    run: (entry: EntryName, inputs: Record<string, number[]> = {}, samples = 1) =>
      runOn(compiled, "double", samples, inputs, {}, entry),
    states: async () =>
      Object.fromEntries(
        [...(await compiled.readState(states))].map(([name, values]) => [name, [...values]]),
      ),
  };
}

describe("assignments", () => {
  it("see values from before the first of them: two states change places", async () => {
    const g = new Graph();
    const a = g.state("a", [2], 1);
    const b = g.state("b", [2], 2);
    g.entry(
      "update",
      [],
      [
        { state: a, value: b },
        { state: b, value: a },
      ],
    );
    const { run, states } = await executable(g);
    await run("update");
    expect(await states()).toEqual({ a: [2, 2], b: [1, 1] });
  });

  it("are carried out in order: the last one to a state stands", async () => {
    const g = new Graph();
    const a = g.state("a", [1], 1);
    const five = g.map("five", constant(5), [], [1]);
    const six = g.map("six", constant(6), [], [1]);
    g.entry(
      "update",
      [five],
      [
        { state: a, value: five },
        { state: a, value: six },
      ],
    );
    const { run, states } = await executable(g);
    expect(await run("update")).toEqual({ five: [5] });
    expect(await states()).toEqual({ a: [6] });
  });

  it("do not disturb later readers of the old value", async () => {
    const g = new Graph();
    const a = g.state("a", [1], 10);
    const next = g.map("next", plusOne, [a], [1]);
    const difference = g.map("difference", subtract(x, y), [next, a], [1]);
    g.entry("update", [difference], [{ state: a, value: next }]);
    const { run, states } = await executable(g);
    expect(await run("update")).toEqual({ difference: [1] });
    expect(await run("update")).toEqual({ difference: [1] });
    expect(await states()).toEqual({ a: [12] });
  });

  it("return a state's value as it was computed with, not the new one", async () => {
    const g = new Graph();
    const a = g.state("a", [1], 3);
    const next = g.map("next", plusOne, [a], [1]);
    g.entry("update", [a, next], [{ state: a, value: next }]);
    const { run } = await executable(g);
    expect(await run("update")).toEqual({ a: [3], next: [4] });
  });

  it("need no copy where the value can be written in place", async () => {
    const g = new Graph();
    const weights = g.state("w", [2], 1);
    const momentum = g.state("s", [2], 0);
    const next = g.map("s.next", plusOne, [momentum], [2]);
    const moved = g.map("w.next", subtract(x, y), [weights, next], [2]);
    g.entry(
      "update",
      [],
      [
        { state: momentum, value: next },
        { state: weights, value: moved },
      ],
    );
    const { plan, run, states } = await executable(g);
    expect(plan.entries.update?.instructions.map(({ kind }) => kind)).toEqual(["elementwise", "elementwise"]);
    await run("update");
    await run("update");
    expect(await states()).toEqual({ s: [2, 2], w: [-2, -2] });
  });

  it("keep the copy where the state is read stretched while the value is computed", async () => {
    const g = new Graph();
    const a = g.state("a", [2], 3);
    const total = g.node(
      "total",
      reduceToOp,
      [a],
      { shape: [1], overSamples: false, operation: "sum", scale: 1 },
      [1],
      false,
    );
    const column = g.node("column", reshapeToOp, [a], { shape: [1, 2] }, [1, 2], false);
    const product = g.map("product", multiply(x, y), [column, total], [1, 2]);
    g.entry("update", [], [{ state: a, value: product }]);
    const { run, states } = await executable(g);
    await run("update");
    expect(await states()).toEqual({ a: [18, 18] });
  });

  it("give one value to two states", async () => {
    const g = new Graph();
    const a = g.state("a", [1], 1);
    const b = g.state("b", [1], 2);
    const sum = g.map("sum", add(x, y), [a, b], [1]);
    g.entry(
      "update",
      [],
      [
        { state: a, value: sum },
        { state: b, value: sum },
      ],
    );
    const { run, states } = await executable(g);
    await run("update");
    await run("update");
    expect(await states()).toEqual({ a: [6], b: [6] });
  });
});

describe("what is left out", () => {
  it("nodes that nothing needs, and inputs only they read", async () => {
    const g = new Graph();
    const used = g.input("used", [2]);
    const unused = g.input("unused", [2]);
    g.map("nobody", add(x, y), [used, unused], [2], true);
    const result = g.map("result", plusOne, [used], [2], true);
    const { plan, run } = await executable(g.entry("evaluate", [result]));
    expect(plan.entries.evaluate?.instructions).toHaveLength(1);
    expect(plan.entries.evaluate?.inputs).toEqual(["used"]);
    expect(plan.buffers.map(({ name }) => name)).toEqual(["used", "result"]);
    expect(await run("evaluate", { used: [1, 2, 3, 4] }, 2)).toEqual({ result: [2, 3, 4, 5] });
  });

  it("reshapes between temporaries", async () => {
    const g = new Graph();
    const input = g.input("x", [4]);
    const one = g.map("one", plusOne, [input], [4], true);
    const square = g.node("square", reshapeToOp, [one], { shape: [2, 2] }, [2, 2], true);
    const two = g.map("two", plusOne, [square], [2, 2], true);
    const { plan, run } = await executable(g.entry("evaluate", [two, square]));
    expect(plan.entries.evaluate?.instructions.map(({ kind }) => kind)).toEqual([
      "elementwise",
      "elementwise",
    ]);
    expect(await run("evaluate", { x: [1, 2, 3, 4] })).toEqual({ two: [3, 4, 5, 6], square: [2, 3, 4, 5] });
  });

  it("work done twice", async () => {
    const g = new Graph();
    const input = g.input("x", [1]);
    const a = g.map("a", plusOne, [input], [1], true);
    const b = g.map("b", plusOne, [input], [1], true);
    const product = g.map("product", multiply(x, y), [a, b], [1], true);
    const { plan, run } = await executable(g.entry("evaluate", [product, b]));
    expect(plan.entries.evaluate?.instructions).toHaveLength(2);
    expect(await run("evaluate", { x: [2, 3] }, 2)).toEqual({ product: [9, 16], b: [3, 4] });
  });

  it("operations on constants", () => {
    const g = new Graph();
    const input = g.input("x", [1]);
    const result = g.map("result", multiply(x, add(constant(1), constant(0.5))), [input], [1], true);
    expect(printPlan(g.entry("evaluate", [result]).plan())).toContain("result [1 x N] = x * 1.5\n");
  });

  it("an input that is returned as it is stays an input", async () => {
    const g = new Graph();
    const input = g.input("x", [2]);
    const { plan, run } = await executable(g.entry("evaluate", [input]));
    expect(plan.entries.evaluate?.inputs).toEqual(["x"]);
    expect(await run("evaluate", { x: [7, 8] })).toEqual({ x: [7, 8] });
  });
});

describe("printPlan", () => {
  it("shows buffers, instructions and where memory becomes free", () => {
    const g = new Graph();
    const input = g.input("x", [3]);
    const w = g.state("w", [3], 0.5);
    const scaled = g.map("scaled", multiply(x, y), [input, w], [3], true);
    const shifted = g.map("shifted", subtract(x, multiply(constant(2), add(x, y))), [scaled, w], [3], true);
    const total = g.node(
      "total",
      reduceToOp,
      [shifted],
      { shape: [1], overSamples: true, operation: "sum", scale: 0.5 },
      [1],
      false,
    );
    expect(printPlan(g.entry("evaluate", [total]).plan())).toBe(`plan (double), N = samples of the minibatch

inputs
  x [3 x N]

states
  w [3] = 0.5

entry evaluate (x): 3 instructions
  0  scaled [3 x N] = x * w   with w [3]
  1  shifted [3 x N] = scaled - 2 * (scaled + w)   with w [3]   ; free scaled
  2  total [1] = sum(shifted [3 x N]) · 0.5   ; free shifted
     return total
     at most 6 numbers per sample alive at a time
`);
  });
});
