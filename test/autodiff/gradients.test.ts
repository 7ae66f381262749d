import { describe, expect, it } from "vitest";
import { gradientGraph, inferenceGraph, printGradients } from "../../src/autodiff/index.js";
import type { NetworkNode, ShapedNetwork } from "../../src/network/network.js";
import { trainingGraph } from "../../src/updates/index.js";
import { compileGraph, minibatch, shapedFromBrainScript } from "../support/run-graph.js";
import type { Samples } from "../support/run-graph.js";
import { plainOptions } from "../support/update-options.js";

function find(shaped: ShapedNetwork, name: string): NetworkNode {
  const node = shaped.network.nodes.find((candidate) => candidate.name === name);
  if (!node) throw new Error(`no node ${name}`);
  return node;
}

const total = (values: Iterable<number> | undefined) =>
  Array.from(values ?? []).reduce((sum, x) => sum + x, 0);

/** Gradients of the sum of `root` by the graph, and by central differences of the same root. */
async function bothWays(members: string, data: Samples, wanted: readonly string[], root = "L") {
  const shaped = shapedFromBrainScript(members);
  const nodes = wanted.map((name) => find(shaped, name));
  const { graph, gradients } = gradientGraph(shaped, {
    root: find(shaped, root),
    wanted: nodes,
    outputs: [find(shaped, root)],
  });
  const executable = await compileGraph(shaped, graph);
  const value = async (batch: Samples) => total((await executable.run("gradients", batch)).get(root));
  const results = await executable.run("gradients", data);
  const computed = nodes.map((node) => Array.from(results.get(gradients.get(node)?.name ?? "") ?? []));
  const step = 1e-5;
  const numeric: number[][] = [];
  for (const node of nodes) {
    const isInput = data.inputs.has(node.name);
    const states = isInput ? data.inputs : await executable.readState([node.name]);
    const base = Float64Array.from(states.get(node.name) ?? []);
    const derivatives: number[] = [];
    for (let at = 0; at < base.length; at++) {
      const sides: number[] = [];
      for (const sign of [1, -1]) {
        const moved = Float64Array.from(base);
        moved[at] = (base[at] ?? 0) + sign * step;
        if (!isInput) await executable.writeState(new Map([[node.name, moved]]));
        sides.push(
          await value(isInput ? { ...data, inputs: new Map([...data.inputs, [node.name, moved]]) } : data),
        );
      }
      derivatives.push(((sides[0] ?? NaN) - (sides[1] ?? NaN)) / (2 * step));
    }
    if (!isInput) await executable.writeState(new Map([[node.name, base]]));
    numeric.push(derivatives);
  }
  return { computed, numeric };
}

function expectClose(
  actual: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
  error: number,
) {
  expect(actual.map((values) => values.length)).toEqual(expected.map((values) => values.length));
  actual.flat().forEach((value, index) => {
    const wanted = expected.flat()[index] ?? NaN;
    expect(Math.abs(value - wanted)).toBeLessThan(error * Math.max(1, Math.abs(wanted)));
  });
}

const lit = `Lit (dims, values) = ParameterTensor {dims, init = 'fromLiteral', initFromLiteral = values}`;
const samples = minibatch({
  x: [
    [0.3, -1.2, 0.5],
    [1.1, 0.4, -0.7],
    [-0.2, 0.9, 1.6],
  ],
});

describe("gradients against central differences", () => {
  it("reduces over samples and broadcast axes: bias, scalar, row", async () => {
    const { computed, numeric } = await bothWays(
      `${lit}
       x = Input {(3)}
       b = Lit ((3), '0.1\n-0.4\n0.7')
       s = Lit ((1), '1.3')
       r = Lit ((1:2), '0.6 -0.9')
       y = Tanh ((x + b) .* s .* r)
       L = SumElements (y .* y .* y)`,
      samples,
      ["b", "s", "r", "x"],
    );
    expectClose(computed, numeric, 1e-8);
  });

  it("adds what several consumers send back, also twice to the same node", async () => {
    const { computed, numeric } = await bothWays(
      `${lit}
       x = Input {(3)}
       W = Lit ((2:3), '0.5 -0.3 0.8\n0.2 0.9 -0.6')
       h = Sigmoid (W * x)
       L = SumElements (h .* h + Exp (h) .* (W * x)) + SumElements (h)`,
      samples,
      ["W", "x"],
    );
    expectClose(computed, numeric, 1e-8);
  });

  it("differentiates parameters only, without samples", async () => {
    const { computed, numeric } = await bothWays(
      `${lit}
       x = Input {(3)}
       p = Lit ((3:2), '0.4 -0.2\n1.5 0.3\n-0.8 0.6')
       q = Lit ((3), '0.9\n-0.5\n0.2')
       L = SumElements ((p .* q) .* p) + SumElements (x)`,
      samples,
      ["p", "q"],
    );
    expectClose(computed, numeric, 1e-8);
  });

  it("starts with 1 for each sample where the root keeps them apart", async () => {
    const { computed, numeric } = await bothWays(
      `${lit}
       x = Input {(3)}
       w = Lit ((3), '0.4\n-0.2\n1.5')
       L = Sqrt (ReduceMean ((x .* w) .* (x .* w)))`,
      samples,
      ["w", "x"],
    );
    expectClose(computed, numeric, 1e-8);
  });
});

describe("what takes part", () => {
  const members = `${lit}
    x = Input {(3)}
    t = Input {(3)}
    frozen = ParameterTensor {(3:3), initValue = 0.5, learningRateMultiplier = 0}
    b = Lit ((3), '0.1\n-0.4\n0.7')
    h = frozen * x
    z = h + b
    unused = Floor (b)
    ce = CrossEntropyWithSoftmax (t, z)
    errs = ClassificationError (t, z)`;

  it("only nodes with a wanted one below them", () => {
    const shaped = shapedFromBrainScript(members);
    const { graph } = gradientGraph(shaped, { root: find(shaped, "ce"), wanted: [find(shaped, "b")] });
    const text = printGradients(graph);
    expect(text).toContain("z:backward.");
    expect(text).not.toContain("h:backward");
    expect(graph.entries.gradients?.order.map(({ name }) => name)).not.toContain("errs");
  });

  it("a node that nothing reaches has gradient 0, of its own shape", async () => {
    const shaped = shapedFromBrainScript(members);
    const b = find(shaped, "b");
    const { graph, gradients } = gradientGraph(shaped, { root: find(shaped, "unused"), wanted: [b] });
    const executable = await compileGraph(shaped, graph);
    const results = await executable.run("gradients", minibatch({}));
    expect(results.get(gradients.get(b)?.name ?? "")).toEqual(Float64Array.of(0, 0, 0));
  });

  it("an evaluation node is no criterion", () => {
    const shaped = shapedFromBrainScript(members);
    const differentiate = () =>
      gradientGraph(shaped, { root: find(shaped, "errs"), wanted: [find(shaped, "b")] });
    expect(differentiate).toThrow(/ClassificationError/);
  });

  it("inference computes what its outputs need and nothing else", async () => {
    const shaped = shapedFromBrainScript(members);
    const graph = inferenceGraph(shaped, [find(shaped, "h")]);
    expect(graph.entries.evaluate?.order.map(({ name }) => name)).toEqual(["frozen", "x", "h"]);
    const executable = await compileGraph(shaped, graph);
    const results = await executable.run("evaluate", minibatch({ x: [[1, 2, 3]] }));
    expect(results.get("h")).toEqual(Float64Array.of(3, 3, 3));
  });
});

describe("a transposed convolution overwrites its input's gradient", () => {
  it("as CNTK 2.0 (CPU build, double) does: what the other consumer sent is lost", async () => {
    const shaped = shapedFromBrainScript(`${lit}
      x = Input {(2:2:1)}
      g = Input {(1)}
      W = Lit ((2:2:1:1), '0.355 0.22\n0.728 1.224')
      y = Pass (2 * x)
      a = ConvolutionTranspose (W, y, (2:2:1), mapDims = 1, stride = 2, autoPadding = false)
      L = SumElements ((ReduceSum (a) + ReduceSum (y .* y)) .* g)`);
    const x = find(shaped, "x");
    const { graph, gradients } = gradientGraph(shaped, { root: find(shaped, "L"), wanted: [x] });
    const executable = await compileGraph(shaped, graph);
    const results = await executable.run(
      "gradients",
      minibatch({
        x: [
          [-0.712, 0.543, 0.065, 0.255],
          [0.492, 1.225, -1.044, -0.2],
        ],
        g: [[-1.296], [0.728]],
      }),
    );
    const gradient = Array.from(results.get(gradients.get(x)?.name ?? "") ?? []);
    expectClose(
      [gradient],
      [[...Array<number>(4).fill(-6.549984), ...Array<number>(4).fill(3.679312)]],
      1e-14,
    );
  });
});

describe("internal nodes beside a node", () => {
  it("give forward and backward pass the same dropout mask", async () => {
    const shaped = shapedFromBrainScript(`
      x = Input {(12)}
      d = Dropout (x)
      L = SumElements (d)`);
    const [x, d] = [find(shaped, "x"), find(shaped, "d")];
    const { graph, gradients } = gradientGraph(shaped, {
      root: find(shaped, "L"),
      wanted: [x],
      outputs: [d],
    });
    const executable = await compileGraph(shaped, graph);
    await executable.writeState(new Map([["d", Float64Array.of(0, 0)]]));
    const data = minibatch({ x: [Array<number>(12).fill(1)] });
    const results = await executable.run("gradients", data, { dropoutRate: 0.5 });
    // CNTK's mask for seed 0 at rate 0.5.
    const mask = Float64Array.of(0, 2, 0, 2, 2, 0, 2, 0, 2, 2, 0, 2);
    expect(results.get("d")).toEqual(mask);
    expect(results.get(gradients.get(x)?.name ?? "")).toEqual(mask);
  });

  it("do not exist in inference", () => {
    const shaped = shapedFromBrainScript(`
      x = Input {(12)}
      d = Dropout (x)
      outputNodes = (d)`);
    const d = find(shaped, "d");
    expect(inferenceGraph(shaped, [d]).companions.get(d) ?? []).toEqual([]);
    expect(inferenceGraph(shaped, [d], "training").companions.get(d)).toHaveLength(1);
  });
});

describe("explain --stage gradients", () => {
  it("shows formulas, results and stored states", () => {
    const shaped = shapedFromBrainScript(`
      x = Input {(2)}
      w = ParameterTensor {(2), initValue = 1}
      ce = SumElements (w .* x)
      criterionNodes = (ce)`);
    const options = plainOptions;
    const criterion = find(shaped, "ce");
    const text = printGradients(trainingGraph(shaped, { criterion, outputs: [criterion], options }).graph);
    expect(text).toMatch(/^entry gradients \(training\): \d+ nodes\n/);
    expect(text).toMatch(/ce +\[1\] +/);
    expect(text).toContain("returns\n  ce\nstores\n  w:gradient:sum  ←");
    expect(text).toMatch(
      /entry update .*\n.*\{momentum\} \* \(w:smoothedGradient \+ \{stepOverMomentum\} \* w:gradient:sum\)/,
    );
  });
});
