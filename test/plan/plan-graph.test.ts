import { beforeAll, describe, expect, it } from "vitest";
import { javascriptBackend } from "../../src/backends/javascript/index.js";
import type { Assignment, EntryName, ExecutionGraph } from "../../src/network/execution-graph.js";
import type { DynamicAxis, NetworkNode, NodeFacts } from "../../src/network/network.js";
import type { OpDefinition } from "../../src/network/op-definition.js";
import { operationByName, operationOfPrimitive, stateOp } from "../../src/ops/index.js";
import { instructionsOf, planGraph, printPlan, verifyPasses } from "../../src/plan/index.js";
import {
  add,
  argument,
  constant,
  multiply,
  subtract,
  type Expression,
} from "../../src/primitives/expression.js";
import type { Kind } from "../../src/primitives/instruction.js";
import type { Parameters } from "../../src/primitives/parameters.js";
import { runOn } from "../support/plan-builder.js";

beforeAll(() => verifyPasses(true));

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
    return this.primitive(name, "map", inputs, { expression }, shape, perSample);
  }

  primitive<K extends Kind>(
    name: string,
    kind: K,
    inputs: NetworkNode[],
    parameters: Parameters[K],
    shape: number[],
    perSample: boolean,
  ): NetworkNode {
    const result = { shape, dynamicAxis: perSample ? this.samples : null };
    return this.node(
      name,
      operationOfPrimitive(kind),
      inputs,
      { parameters, result },
      shape,
      perSample,
      true,
    );
  }

  node(
    name: string,
    op: OpDefinition,
    inputs: NetworkNode[],
    attributes: Record<string, unknown>,
    shape: number[],
    perSample: boolean,
    internal = false,
  ): NetworkNode {
    const node: NetworkNode = { name, op, inputs, attributes, tags: new Set(), internal };
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
  const compiled = await javascriptBackend.compile(plan);
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
    expect(instructionsOf(plan.entries.update?.steps ?? []).map(({ kind }) => kind)).toEqual(["map", "map"]);
    await run("update");
    await run("update");
    expect(await states()).toEqual({ s: [2, 2], w: [-2, -2] });
  });

  it("keep the copy where the state is read stretched while the value is computed", async () => {
    const g = new Graph();
    const a = g.state("a", [2], 3);
    const sum = { operation: "sum", scale: 1, gaps: "skipped" } as const;
    const total = g.primitive("total", "reduce", [a], sum, [1], false);
    const column = g.primitive("column", "copy", [a], {}, [1, 2], false);
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
    expect(plan.entries.evaluate?.steps).toHaveLength(1);
    expect(plan.entries.evaluate?.inputs).toEqual(["used"]);
    expect(plan.buffers.map(({ name }) => name)).toEqual(["used", "result"]);
    expect(await run("evaluate", { used: [1, 2, 3, 4] }, 2)).toEqual({ result: [2, 3, 4, 5] });
  });

  it("reshapes between temporaries", async () => {
    const g = new Graph();
    const input = g.input("x", [4]);
    const one = g.map("one", plusOne, [input], [4], true);
    const square = g.primitive("square", "copy", [one], {}, [2, 2], true);
    const two = g.map("two", plusOne, [square], [2, 2], true);
    const { plan, run } = await executable(g.entry("evaluate", [two, square]));
    expect(instructionsOf(plan.entries.evaluate?.steps ?? []).map(({ kind }) => kind)).toEqual([
      "map",
      "map",
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
    expect(plan.entries.evaluate?.steps).toHaveLength(2);
    expect(await run("evaluate", { x: [2, 3] }, 2)).toEqual({ product: [9, 16], b: [3, 4] });
  });

  it("operations on constants", () => {
    const g = new Graph();
    const input = g.input("x", [1]);
    const result = g.map("result", multiply(x, add(constant(1), constant(0.5))), [input], [1], true);
    expect(printPlan(g.entry("evaluate", [result]).plan())).toContain("result [1 x *] = x * 1.5\n");
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
    const half = { operation: "sum", scale: 0.5, gaps: "skipped" } as const;
    const total = g.primitive("total", "reduce", [shifted], half, [1], false);
    expect(printPlan(g.entry("evaluate", [total]).plan())).toBe(`plan (double)

inputs
  x [3 x *]

states
  w [3] = 0.5

entry evaluate (x): 3 instructions
  0  scaled [3 x *] = x * w   with w [3]
  1  shifted [3 x *] = scaled - 2 * (scaled + w)   with w [3]   ; free scaled
  2  total [1] = reduce(shifted [3 x *]; sum · 0.5)   ; free shifted
     return total

memory of temporaries: 3 slots
  6 numbers per column of *
  1 numbers
`);
  });
});
