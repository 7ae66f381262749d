import { describe, expect, it } from "vitest";
import { gradientGraph } from "../../src/autodiff/index.js";
import type { Values } from "../../src/numerics/values.js";
import type { NetworkNode, ShapedNetwork } from "../../src/network/network.js";
import { compileGraph, shapedFromBrainScript } from "../support/run-graph.js";
import type { FrameRunner, Samples } from "../support/run-graph.js";
import { gradientCases } from "./gradient-cases.js";
import type { GradientCase } from "./gradient-cases.js";

const samples = 3;
const step = 1e-5;

/** Numbers that are neither near 0 nor near each other, in a scrambled order. */
function spread(count: number, seed: number, positive: boolean): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const place = ((i * 7919 + seed * 104729) % 1009) / 1009;
    const size = 0.15 + 1.4 * place;
    return positive || (i * 31 + seed) % 5 < 3 ? size : -size;
  });
}

function nodeNamed(shaped: ShapedNetwork, name: string): NetworkNode {
  const node = shaped.network.nodes.find((candidate) => candidate.name === name);
  if (!node) throw new Error(`no node '${name}'`);
  return node;
}

/** A gradient graph in double precision whose inputs and parameters can be moved. */
class Probe {
  private constructor(
    private readonly executable: FrameRunner,
    private readonly data: Samples,
    private readonly parameters: ReadonlyMap<string, Values>,
    private readonly gradientNames: ReadonlyMap<string, string>,
    private readonly engines: readonly string[],
    private readonly dropoutRate: number,
  ) {}

  static async of(gradientCase: GradientCase): Promise<Probe> {
    const shaped = shapedFromBrainScript(gradientCase.network);
    const objective = nodeNamed(shaped, "L");
    const wanted = gradientCase.wanted.map((name) => nodeNamed(shaped, name));
    const { graph, gradients } = gradientGraph(shaped, { root: objective, wanted, outputs: [objective] });
    const executable = await compileGraph(shaped, graph);
    const inputs = Object.entries(gradientCase.inputs).map(([name, count], index) => {
      return [name, spread(samples * count, index + 1, gradientCase.positive ?? false)] as const;
    });
    const parameters = new Map<string, Values>();
    for (const node of shaped.network.nodes) {
      if (node.op.role !== "parameter") continue;
      const values = (await executable.readState([node.name])).get(node.name);
      if (values) parameters.set(node.name, Float64Array.from(values));
    }
    return new Probe(
      executable,
      { samples, inputs: new Map(inputs) },
      parameters,
      new Map([...gradients].map(([node, gradient]) => [node.name, gradient.name])),
      shaped.network.nodes.filter((node) => node.op.name === "Dropout").map((node) => node.name),
      gradientCase.dropoutRate ?? 0,
    );
  }

  /** All that a run gives with one tensor replaced; running statistics and random engines start over. */
  async run(name?: string, values?: Values): Promise<ReadonlyMap<string, Values>> {
    const inputs = new Map(this.data.inputs);
    const states = new Map(this.parameters);
    if (name !== undefined && values) (inputs.has(name) ? inputs : states).set(name, values);
    for (const engine of this.engines) states.set(engine, Float64Array.from([1, 0]));
    await this.executable.writeState(states);
    return this.executable.run("gradients", { samples, inputs }, { dropoutRate: this.dropoutRate });
  }

  async gradient(name: string): Promise<number[]> {
    return Array.from((await this.run()).get(this.gradientNames.get(name) ?? "") ?? []);
  }

  async centralDifferences(name: string): Promise<number[]> {
    const base = this.data.inputs.get(name) ?? this.parameters.get(name);
    if (!base) throw new Error(`'${name}' is neither an input nor a parameter`);
    const derivatives: number[] = [];
    for (let place = 0; place < base.length; place++) {
      const side = async (sign: number): Promise<number> => {
        const moved = Float64Array.from(base);
        moved[place] = (base[place] ?? 0) + sign * step;
        return (await this.run(name, moved)).get("L")?.[0] ?? NaN;
      };
      derivatives.push(((await side(1)) - (await side(-1))) / (2 * step));
    }
    return derivatives;
  }
}

describe("gradients are derivatives", () => {
  it.each(gradientCases.map((gradientCase) => [gradientCase.title, gradientCase] as const))(
    "%s",
    async (_, gradientCase) => {
      const probe = await Probe.of(gradientCase);
      for (const name of gradientCase.wanted) {
        const expected = await probe.centralDifferences(name);
        const actual = await probe.gradient(name);
        expect(actual.length).toBe(expected.length);
        expect(expected.some((value) => Math.abs(value) > 1e-3)).toBe(true);
        const largest = Math.max(1, ...expected.map(Math.abs));
        const errors = actual.map((value, i) => Math.abs(value - (expected[i] ?? NaN)) / largest);
        expect(Math.max(...errors), `gradient of ${name}`).toBeLessThan(1e-7);
      }
    },
  );
});
