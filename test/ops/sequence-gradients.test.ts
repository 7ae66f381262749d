import { describe, expect, it } from "vitest";
import { gradientGraph } from "../../src/autodiff/index.js";
import { javascriptBackend } from "../../src/backends/javascript/index.js";
import { referenceBackend } from "../../src/backends/reference/index.js";
import type { Backend, Executable } from "../../src/backends/backend.js";
import {
  type AxisLayout,
  columnCount,
  type FedMinibatch,
  gapMask,
  packSequences,
} from "../../src/minibatch/index.js";
import type { NetworkNode, ShapedNetwork } from "../../src/network/network.js";
import { inputsBelow } from "../../src/network/node-order.js";
import type { Values } from "../../src/numerics/values.js";
import { planGraph, verifyPasses } from "../../src/plan/index.js";
import { parameterValues } from "../../src/training/parameters.js";
import { shapedFromBrainScript } from "../support/run-graph.js";
import { type SequenceGradientCase, sequenceGradientCases } from "./sequence-gradient-cases.js";

verifyPasses(true);

const step = 1e-5;

/** Numbers that are neither near 0 nor near each other. */
function spread(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const size = 0.2 + (((i * 7919 + seed * 104729) % 1009) / 1009) * 1.1;
    return (i * 31 + seed) % 5 < 3 ? size : -size;
  });
}

function inputsOf(columns: number): Readonly<Record<string, Float64Array>> {
  return {
    x: spread(2 * columns, 1),
    y: spread(2 * columns, 2),
    // At least one frame of every sequence.
    flags: Float64Array.from({ length: columns }, (_, column) => (column % 4 === 2 ? 0 : 1)),
    one: new Float64Array(columns).fill(1),
  };
}

const declarations = "x = Input {2}\ny = Input {2}\nflags = Input {1}\none = Input {1}\n";

class Probe {
  private constructor(
    private readonly executable: Executable,
    private readonly fed: ReadonlyMap<string, Float64Array>,
    private readonly parameters: ReadonlyMap<string, Values>,
    private readonly gradients: ReadonlyMap<NetworkNode, NetworkNode>,
    readonly wanted: readonly NetworkNode[],
    private readonly layout: AxisLayout,
  ) {}

  static async of(given: SequenceGradientCase, backend: Backend): Promise<Probe> {
    const shaped = shapedFromBrainScript(declarations + given.network);
    const root = find(shaped, "L");
    const wanted = given.wanted.map((name) => find(shaped, name));
    const { graph, gradients } = gradientGraph(shaped, { root, wanted, outputs: [root] });
    const plan = planGraph(graph, "double");
    const executable = await backend.compile(plan);
    const states = new Set(plan.buffers.filter(({ role }) => role === "state").map(({ name }) => name));
    const parameters = new Map(
      Array.from(parameterValues(shaped, "double"), ([node, values]) => [node.name, values] as const).filter(
        ([name]) => states.has(name),
      ),
    );
    const layout = packSequences(given.lengths ?? [4, 2, 3]);
    const inputs = inputsOf(columnCount(layout));
    const fed = new Map(
      inputsBelow([root]).map(({ name }) => [name, inputs[name] ?? new Float64Array(0)] as const),
    );
    return new Probe(executable, fed, parameters, gradients, wanted, layout);
  }

  /** Value and gradients with one tensor replaced. */
  async run(name?: string, values?: Values) {
    const changed = name !== undefined && values ? new Map([[name, values]]) : new Map<string, Values>();
    await this.executable.writeState(
      new Map(Array.from(this.parameters, ([own, initial]) => [own, changed.get(own) ?? initial])),
    );
    const minibatch: FedMinibatch = {
      layouts: new Map([["*", this.layout]]),
      inputs: new Map(
        Array.from(this.fed, ([own, given]) => [
          own,
          { storage: "dense" as const, values: changed.get(own) ?? given },
        ]),
      ),
    };
    return this.executable.run("gradients", minibatch);
  }

  async gradient(node: NetworkNode): Promise<number[]> {
    return Array.from((await this.run()).get(this.gradients.get(node)?.name ?? "")?.values ?? []);
  }

  async differences(node: NetworkNode): Promise<number[]> {
    const base = this.fed.get(node.name) ?? this.parameters.get(node.name);
    if (!base) throw new Error(`'${node.name}' is neither an input nor a parameter`);
    const result: number[] = [];
    for (let at = 0; at < base.length; at++) {
      const sides: number[] = [];
      for (const sign of [1, -1]) {
        const moved = Float64Array.from(base);
        moved[at] = (moved[at] ?? 0) + sign * step;
        sides.push((await this.run(node.name, moved)).get("L")?.values[0] ?? NaN);
      }
      result.push(((sides[0] ?? NaN) - (sides[1] ?? NaN)) / (2 * step));
    }
    return result;
  }

  /** Elements of an input's gradient that belong to gaps, where the gradient means nothing. */
  isGap(node: NetworkNode, element: number): boolean {
    if (!this.fed.has(node.name)) return false;
    const perColumn = (this.fed.get(node.name)?.length ?? 0) / columnCount(this.layout);
    return gapMask(this.layout)?.[Math.floor(element / perColumn)] === 1;
  }
}

function find(shaped: ShapedNetwork, name: string): NetworkNode {
  const node = shaped.network.nodes.find((candidate) => candidate.name === name);
  if (!node) throw new Error(`there is no node ${name}: ${shaped.network.nodes.map((n) => n.name).join()}`);
  return node;
}

describe.each([
  ["javascript", javascriptBackend],
  ["reference", referenceBackend],
] as const)("gradients over sequences against central differences (%s)", (_, backend) => {
  it.each(
    sequenceGradientCases.map((given) => [`${given.operations.join()}: ${given.title}`, given] as const),
  )("%s", async (__, given) => {
    const probe = await Probe.of(given, backend);
    for (const node of probe.wanted) {
      const computed = await probe.gradient(node);
      const expected = await probe.differences(node);
      expect(computed).toHaveLength(expected.length);
      expect(expected.some((value) => value !== 0)).toBe(true);
      computed.forEach((value, at) => {
        if (probe.isGap(node, at)) return;
        const tolerance = 1e-7 * Math.max(1, Math.abs(expected[at] ?? 0));
        expect(Math.abs(value - (expected[at] ?? NaN)), `${node.name}[${at}]`).toBeLessThan(tolerance);
      });
    }
  });
});
