import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gradientGraph, inferenceGraph } from "../../src/autodiff/index.js";
import { javascriptBackend } from "../../src/backends/javascript/index.js";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import type { ExecutionGraph } from "../../src/network/execution-graph.js";
import { initialEngines } from "../../src/model-files/index.js";
import type { NetworkNode } from "../../src/network/network.js";
import { planGraph } from "../../src/plan/index.js";
import { AxisNames } from "../../src/shapes/index.js";
import { parameterValues } from "../../src/training/parameters.js";
import { networkFromBrainScript } from "../support/brainscript-network.js";
import { inOrder, packed } from "../support/run-graph.js";
import { validateWithLog } from "../support/validate-with-log.js";

/*
 * What CNTK 2.0 (CPU build) printed and computed for small networks of one or a few operations: shapes, engine lines,
 * values, gradients. Compared to 9 digits, single precision to 2e-5.
 */

/** JSON has no infinities. */
type Recorded = number | "Infinity" | "-Infinity" | "NaN";

interface RecordedCase {
  readonly case: string;
  readonly precision?: "float";
  /** Inside of the network builder. */
  readonly network: string;
  readonly samples: number;
  /** Frames of each sequence; absent: every sample is a sequence of its own. */
  readonly lengths?: readonly number[];
  readonly data: Readonly<Record<string, readonly Recorded[]>>;
  /** The validation lines of operations, and the lines of engines. */
  readonly lines?: readonly string[];
  readonly values?: Readonly<Record<string, readonly Recorded[]>>;
  readonly gradients?: readonly {
    readonly of: string;
    readonly to: string;
    readonly values: readonly Recorded[];
  }[];
  /** CNTK's message, for networks that do not fit together. */
  readonly error?: string;
}

const families = [
  "unary",
  "binary",
  "logic",
  "times",
  "conv",
  "deconv",
  "pool",
  "unpool",
  "roi",
  "reduce",
  "softmax",
  "criteria",
  "norm",
  "shape",
  "misc",
  "sequence",
];

/** One case, built and ready to be asked. */
class Run {
  readonly log: string;
  private readonly shaped;
  private readonly precision: "float" | "double";

  constructor(private readonly recorded: RecordedCase) {
    this.precision = recorded.precision ?? "double";
    const { network } = networkFromBrainScript(recorded.network, { precision: this.precision });
    const { shaped, log } = validateWithLog(network, {
      traceLevel: 1,
      axisNames: new AxisNames(),
      elementType: this.precision,
    });
    this.shaped = shaped;
    this.log = log;
  }

  node(name: string): NetworkNode {
    const node = this.shaped.network.nodes.find((candidate) => candidate.name === name);
    if (!node) throw new Error(`no node '${name}'`);
    return node;
  }

  async value(name: string): Promise<readonly number[]> {
    const node = this.node(name);
    return this.run(inferenceGraph(this.shaped, [node]), "evaluate", node);
  }

  async gradient(of: string, to: string): Promise<readonly number[]> {
    const node = this.node(to);
    const { graph, gradients } = gradientGraph(this.shaped, { root: this.node(of), wanted: [node] });
    return this.run(graph, "gradients", gradients.get(node));
  }

  private async run(
    graph: ExecutionGraph,
    entry: "evaluate" | "gradients",
    result: NetworkNode | undefined,
  ): Promise<readonly number[]> {
    const plan = planGraph(graph, this.precision);
    const executable = await javascriptBackend.compile(plan);
    const states = new Set(plan.buffers.filter(({ role }) => role === "state").map(({ name }) => name));
    const parameters = [...parameterValues(this.shaped, this.precision)].map(
      ([node, values]) => [node.name, values] as const,
    );
    await executable.writeState(new Map(parameters.filter(([name]) => states.has(name))));
    const engines = Array.from(initialEngines(this.shaped), ([{ name }, { seed, offset }]) => {
      return [name, Float64Array.of(Number(seed), Number(offset))] as const;
    });
    const random = new Set(plan.engines.map(({ name }) => name));
    await executable.writeState(new Map(engines.filter(([name]) => random.has(name))));
    const inputs = Object.entries(this.recorded.data).map(([name, values]) => {
      const numbers = values.map(Number);
      return [
        name,
        this.precision === "float" ? Float32Array.from(numbers) : Float64Array.from(numbers),
      ] as const;
    });
    const { samples, lengths = new Array<number>(samples).fill(1) } = this.recorded;
    const outputs = await executable.run(entry, packed(lengths, inputs), { dropoutRate: 0 });
    const output = outputs.get(result?.name ?? "");
    if (!output) throw new Error("the run gave no such value");
    return inOrder(output);
  }
}

/** Differences beyond the tolerance, as text. */
function differences(
  what: string,
  actual: readonly number[],
  expected: readonly Recorded[],
  tolerance: number,
): string[] {
  if (actual.length !== expected.length) return [`${what}: ${actual.length} values, not ${expected.length}`];
  return expected.flatMap((value, index) => {
    const [wanted, got] = [Number(value), actual[index] ?? NaN];
    const same =
      Object.is(got, wanted) ||
      got === wanted ||
      Math.abs(got - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
    return same ? [] : [`${what}[${index}] = ${got}, not ${wanted}`];
  });
}

const operationLines = (log: string): string[] =>
  log
    .split("\n")
    .filter((line) => line.includes("Validating -->") || line.includes("engine for geometry"))
    .map((line) => line.replace("Validating --> ", ""));

describe.each(families)("%s as CNTK computed it", (family) => {
  const file = new URL(`../fixtures/ops/${family}.json`, import.meta.url);
  const cases = JSON.parse(readFileSync(file, "utf8")) as RecordedCase[];

  it.each(cases.map((recorded) => [recorded.case, recorded] as const))("%s", async (_, recorded) => {
    if (recorded.error !== undefined) {
      const { error } = recorded;
      expect(() => new Run(recorded)).toThrow(expect.objectContaining({ message: error }));
      expect(() => new Run(recorded)).toThrow(CntkError);
      return;
    }
    const run = new Run(recorded);
    expect(operationLines(run.log)).toEqual(expect.arrayContaining([...(recorded.lines ?? [])]));
    const tolerance = recorded.precision === "float" ? 2e-5 : 1e-9;
    const found: string[] = [];
    for (const [name, expected] of Object.entries(recorded.values ?? {})) {
      found.push(...differences(name, await run.value(name), expected, tolerance));
    }
    for (const { of, to, values } of recorded.gradients ?? []) {
      found.push(...differences(`d ${of} / d ${to}`, await run.gradient(of, to), values, tolerance));
    }
    expect(found).toEqual([]);
  });
});
