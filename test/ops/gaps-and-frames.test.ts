import { describe, expect, it } from "vitest";
import { gradientGraph } from "../../src/autodiff/index.js";
import { javascriptBackend } from "../../src/backends/javascript/index.js";
import { referenceBackend } from "../../src/backends/reference/index.js";
import type { Backend, Output } from "../../src/backends/backend.js";
import type { AxisLayout } from "../../src/minibatch/index.js";
import type { NetworkNode } from "../../src/network/network.js";
import { planGraph, verifyPasses } from "../../src/plan/index.js";
import { parameterValues } from "../../src/training/parameters.js";
import { shapedFromBrainScript } from "../support/run-graph.js";

verifyPasses(true);

/** Row 0: a sequence of three frames; row 1: one of a single frame, then two gaps. Column = 2 · step + row. */
const layout: AxisLayout = {
  rows: 2,
  steps: 3,
  sequences: [
    { sequence: 0, row: 0, begin: 0, length: 3 },
    { sequence: 1, row: 1, begin: 0, length: 1 },
  ],
};
const rubbish = 100;
const samples = [1, 2, 3, rubbish, 5, rubbish];

/** Values of nodes in training, of a network of the input `x`; another one, `y`, is zero. */
async function trained(
  backend: Backend,
  network: string,
  names: readonly string[],
  x: readonly number[],
  dropoutRate = 0,
): Promise<(name: string) => Output> {
  const shaped = shapedFromBrainScript(`x = Input {1}\ny = Input {1}\n${network}`);
  const find = (name: string): NetworkNode => {
    const node = shaped.network.nodes.find((candidate) => candidate.name === name);
    if (!node) throw new Error(`there is no node ${name}`);
    return node;
  };
  const root = find("L");
  const { graph } = gradientGraph(shaped, {
    root,
    wanted: [find("x")],
    outputs: [...new Set([root, ...names.map(find)])],
  });
  const plan = planGraph(graph, "double");
  const executable = await backend.compile(plan);
  const states = new Set(plan.buffers.filter(({ role }) => role === "state").map(({ name }) => name));
  const values = Array.from(parameterValues(shaped, "double"), ([node, v]) => [node.name, v] as const);
  await executable.writeState(new Map(values.filter(([name]) => states.has(name))));
  const minibatch = {
    layouts: new Map([["*", layout]]),
    inputs: new Map([
      ["x", { storage: "dense" as const, values: Float64Array.from(x) }],
      ["y", { storage: "dense" as const, values: new Float64Array(x.length) }],
    ]),
  };
  const outputs = await executable.run("gradients", minibatch, { dropoutRate });
  return (name) => {
    const output = outputs.get(name);
    if (!output) throw new Error(`no value of ${name}`);
    return output;
  };
}

describe.each([
  ["javascript", javascriptBackend],
  ["reference", referenceBackend],
] as const)("gaps and frames (%s)", (_, backend) => {
  it("a product that contracts the frames of each sequence leaves gaps out", async () => {
    const network = "z = Times (x, x, inferInputRankToMap = -2)\nL = SumElements (z)";
    const value = await trained(backend, network, ["z"], samples);
    expect(Array.from(value("z").values)).toEqual([1 + 9 + 25, 4]);
  });

  it("sums and norms over the samples leave gaps out", async () => {
    const network = `a = MatrixL1Reg (x)\nb = MatrixL2Reg (x)\nc = SumElements (x)\nd = SquareError (x, Constant (0) .* x)
      e = ClassificationError (x, x)\nL = a + b + c + d`;
    const value = await trained(backend, network, ["a", "b", "c", "d", "e"], samples);
    const all = ["a", "b", "c", "d", "e"].map((name) => value(name).values[0]);
    expect(all).toEqual([11, Math.sqrt(1 + 4 + 9 + 25), 11, 39, 0]);
  });

  it("Logistic and batch normalization count gaps: the one as they are, the other as zeros", async () => {
    const network = `p = Constant (0.5) + Constant (0) .* x\nL = Logistic (y, p)`;
    const logistic = await trained(backend, network, [], samples);
    expect(logistic("L").values[0]).toBeCloseTo(6 * Math.log(2), 12);

    const normalization = `sc = ConstantTensor (2, (1:1))\nbi = ConstantTensor (0.5, (1:1))
      rm = ConstantTensor (0, (1:1))\nrv = ConstantTensor (0, (1:1))\nrc = ConstantTensor (0, (1))
      a = BatchNormalization (x, sc, bi, rm, rv, runCount = rc, epsilon = 0)\nL = SumElements (a .* a)`;
    const normalized = await trained(backend, normalization, ["a"], samples);
    // Worked by hand on 1, 2, 3, 0, 5, 0.
    const mean = 11 / 6;
    const deviation = Math.sqrt(39 / 6 - mean * mean);
    const expected = [1, 2, 3, 5].map((x) => (2 * (x - mean)) / deviation + 0.5);
    [0, 1, 2, 4].forEach((column, i) =>
      expect(normalized("a").values[column]).toBeCloseTo(expected[i] ?? NaN, 12),
    );
  });

  it("dropout in a loop draws frame by frame in the direction of the loop, gaps included", async () => {
    const network = (delay: string) =>
      `h = Dropout (x + Constant (0) .* ${delay} (1, h, defaultHiddenActivation = 0))\nL = SumElements (h)`;
    // The mask of seed 0 at a rate of 0.5 begins 0 2 0 2 2 0.
    const forward = await trained(backend, network("PastValue"), ["h"], Array(6).fill(1), 0.5);
    expect([...forward("h").values]).toEqual([0, 2, 0, 2, 2, 0]);
    const backward = await trained(backend, network("FutureValue"), ["h"], Array(6).fill(1), 0.5);
    expect([...backward("h").values]).toEqual([2, 0, 0, 2, 0, 2]);
    const outside = await trained(
      backend,
      "h = Dropout (x)\nL = SumElements (h)",
      ["h"],
      Array(6).fill(1),
      0.5,
    );
    expect([...outside("h").values]).toEqual([0, 2, 0, 2, 2, 0]);
  });
});
