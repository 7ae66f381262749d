import { describe, expect, it } from "vitest";
import type { Backend } from "../../src/backends/backend.js";
import { javascriptBackend } from "../../src/backends/javascript/index.js";
import { referenceBackend } from "../../src/backends/reference/index.js";
import { type FedMinibatch, packFrames } from "../../src/minibatch/index.js";
import { planGraph } from "../../src/plan/index.js";
import { instructionsOf } from "../../src/plan/plan.js";
import { trainingGraph, type UpdateOptions, updateScalars } from "../../src/updates/index.js";
import { shapedFromBrainScript } from "../support/run-graph.js";
import { plainOptions, ruleOf } from "../support/update-options.js";

const [height, words] = [2, 5];
const learningRate = 0.1;
/** E, column after column: one for each word. */
const firstWeights = [0.5, -1.25, 2, 0.01, -0.3, 0.75, 1.5, -0.5, 0.25, -2];

interface Sample {
  /** Words of the sample with their weights. */
  readonly x: readonly (readonly [word: number, weight: number])[];
  /** The gradient of E·x. */
  readonly t: readonly [number, number];
}

/** Word 4 never occurs, word 3 in the first minibatch only, word 0 with opposite gradients that add up to nothing. */
const minibatches: readonly (readonly Sample[])[] = [
  [
    { x: [[1, 1]], t: [0.5, -2] },
    {
      x: [
        [3, 0.5],
        [1, -1],
      ],
      t: [-1, 0.25],
    },
  ],
  [
    { x: [[0, 1]], t: [1, 1] },
    { x: [[0, -1]], t: [1, 1] },
    { x: [[2, 2]], t: [-0.125, 3] },
  ],
  [{ x: [], t: [4, 4] }],
  [
    { x: [[2, 1]], t: [0.75, -1.5] },
    { x: [[0, 1]], t: [0.25, 2] },
  ],
];

function fed(samples: readonly Sample[]): FedMinibatch {
  const pairs = samples.flatMap(({ x }) => x);
  const starts = [0];
  for (const { x } of samples) starts.push((starts.at(-1) ?? 0) + x.length);
  return {
    layouts: new Map([["*", packFrames(new Uint8Array(samples.length).fill(1))]]),
    inputs: new Map([
      [
        "x",
        {
          storage: "sparse" as const,
          values: Float64Array.from(pairs, ([, weight]) => weight),
          rows: Int32Array.from(pairs, ([word]) => word),
          columnStarts: Int32Array.from(starts),
        },
      ],
      ["t", { storage: "dense" as const, values: Float64Array.from(samples.flatMap(({ t }) => [...t])) }],
    ]),
  };
}

function graphOf(options: Partial<UpdateOptions>, criterionText: string) {
  const shaped = shapedFromBrainScript(
    `x = SparseInput {${words}}
     t = Input {${height}}
     E = ParameterTensor {(${height}:${words}), init = 'fromLiteral',
       initFromLiteral = '${[0, 1].map((row) => firstWeights.filter((_, i) => i % 2 === row).join(" ")).join("\n")}'}
     ce = ${criterionText}
     criterionNodes = (ce)`,
  );
  const [criterion] = shaped.network.groups.criterion;
  if (!criterion) throw new Error("no criterion");
  const all = { ...plainOptions, ...options };
  return { all, ...trainingGraph(shaped, { criterion, outputs: [criterion], options: all }) };
}

const once = "SumElements (t .* (E * x))";

async function train(
  backend: Backend,
  options: Partial<UpdateOptions>,
  momentumPerSample: number,
  criterionText = once,
): Promise<{ weights: number[]; memory: number[][]; conditions: number[][] }> {
  const { all, graph, parameters, refusals } = graphOf(options, criterionText);
  const executable = await backend.compile(planGraph(graph, "double"));
  await executable.writeState(new Map([["E", Float64Array.from(firstWeights)]]));
  const conditions: number[][] = [];
  for (const samples of minibatches) {
    const data = fed(samples);
    await executable.run("gradients", data);
    const facts = { learningRate, momentumPerSample, samples: samples.length };
    const scalars = updateScalars({ ...facts, parameters, options: all, elementType: "double" });
    const outputs = await executable.run("update", data, scalars);
    conditions.push(
      refusals.flatMap(({ when }) => [...(when ? (outputs.get(when.name)?.values ?? []) : [])]),
    );
  }
  const names = parameters.flatMap(({ memory }) => memory);
  const states = await executable.readState(["E", ...names]);
  const numbers = (name: string) => Array.from(states.get(name) ?? []);
  await executable.dispose();
  return { weights: numbers("E"), memory: names.map(numbers), conditions };
}

/** What a rule does to one touched column; everything else is up to `whole`. */
interface Recurrence {
  readonly column: (weights: number[], gradient: number[], at: number, samples: number) => void;
  /** Before the columns, over the whole matrix. */
  readonly whole?: (
    weights: number[],
    gradient: number[],
    touched: readonly number[],
    samples: number,
  ) => void;
}

/** CNTK's rules written down a second time, on full matrices with a list of the touched columns. */
function recurrence({ column, whole }: Recurrence): number[] {
  const weights = [...firstWeights];
  for (const samples of minibatches) {
    const gradient = Array<number>(height * words).fill(0);
    const touched = new Set<number>();
    for (const { x, t } of samples) {
      for (const [word, weight] of x) {
        touched.add(word);
        t.forEach((g, row) => (gradient[word * height + row]! += weight * g));
      }
    }
    whole?.(weights, gradient, [...touched], samples.length);
    for (const word of touched) {
      for (let row = 0; row < height; row++) column(weights, gradient, word * height + row, samples.length);
    }
  }
  return weights;
}

const zeros = () => Array<number>(height * words).fill(0);

function expectClose(actual: readonly number[] | undefined, expected: readonly number[]): void {
  expect(actual?.length).toBe(expected.length);
  expected.forEach((value, i) =>
    expect(Math.abs((actual?.[i] ?? NaN) - value)).toBeLessThan(1e-14 * Math.max(1, Math.abs(value))),
  );
}

describe.each([javascriptBackend, referenceBackend])("sparse gradients on $name", (backend) => {
  it.each([0.8, 0])("momentum %s moves and decays in touched columns only", async (momentum) => {
    const s = zeros();
    const expected = recurrence({
      column: (w, g, at, n) => {
        const m = momentum ** n;
        if (m > 0) s[at] = (1 - m) * g[at]! + m * s[at]!;
        w[at]! -= learningRate * (m > 0 ? s[at]! : g[at]!);
      },
    });
    const { weights, memory } = await train(backend, {}, momentum);
    expectClose(weights, expected);
    expectClose(memory[0], s);
  });

  it.each([0.8, 0])(
    "Nesterov momentum %s goes on moving every column, without momentum none",
    async (momentum) => {
      const s = zeros();
      const expected = recurrence({
        whole: (w, g, touched, n) => {
          const m = momentum ** n;
          if (m === 0) return;
          for (const word of touched) {
            for (let at = word * height; at < (word + 1) * height; at++)
              s[at] = (1 - m) * g[at]! + m * s[at]!;
          }
          s.forEach((value, at) => (w[at]! -= m * value));
        },
        column: (w, g, at, n) => {
          const m = momentum ** n;
          if (m > 0) w[at]! -= (1 - m) * learningRate * g[at]!;
        },
      });
      const { weights, memory } = await train(backend, { rule: ruleOf("none", { useNAG: true }) }, momentum);
      expectClose(weights, expected);
      expectClose(memory[0], s);
      if (momentum === 0) expect(weights).toEqual(firstWeights);
    },
  );

  it.each([true, false])(
    "AdaGrad, normWithAveMultiplier = %s, takes the mean of touched columns",
    async (norm) => {
      const a = zeros();
      let average = 1;
      const root = (at: number) => Math.sqrt(a[at]! + Math.fround(1e-16));
      const expected = recurrence({
        whole: (_, g, touched) => {
          const places = touched.flatMap((word) => [word * height, word * height + 1]);
          for (const at of places) a[at]! += g[at]! ** 2;
          if (norm && places.length > 0) {
            average = places.reduce((sum, at) => sum + 1 / root(at), 0) / places.length;
          }
        },
        column: (w, g, at) => void (w[at]! -= (learningRate / average) * (g[at]! / root(at))),
      });
      const rule = ruleOf("adagrad", { normWithAveMultiplier: norm });
      const { weights, memory } = await train(backend, { rule }, 0.8);
      expectClose(weights, expected);
      expectClose(memory[0], a);
    },
  );

  it("clips each element; L1 pulls at all weights, touched or not", async () => {
    const [limit, l1] = [0.4, 0.05];
    const weights = [...firstWeights];
    const softened = (w: number, threshold: number) => Math.sign(w) * Math.max(Math.abs(w) - threshold, 0);
    for (const samples of minibatches) {
      const n = samples.length;
      const gradient = zeros();
      for (const { x, t } of samples) {
        for (const [word, weight] of x) t.forEach((g, row) => (gradient[word * height + row]! += weight * g));
      }
      gradient.forEach((g, at) => {
        const clipped = Math.max(-limit * n, Math.min(limit * n, g));
        weights[at] = softened(weights[at]! - learningRate * clipped, learningRate * l1 * n);
      });
    }
    const trained = await train(backend, { clippingThresholdPerSample: limit, l1Weight: l1 }, 0);
    expectClose(trained.weights, weights);
  });

  it("a matrix with two users is updated twice, from the gradient that the first update left", async () => {
    const [s1, s2] = [zeros(), zeros()];
    const expected = recurrence({
      column: (w, g, at, n) => {
        const m = 0.8 ** n;
        s1[at] = (1 - m) * (2 * g[at]!) + m * s1[at]!;
        w[at]! -= learningRate * s1[at];
        s2[at] = (1 - m) * s1[at] + m * s2[at]!;
        w[at]! -= learningRate * s2[at];
      },
    });
    const { weights, memory } = await train(backend, {}, 0.8, `${once} + SumElements ((E * x) .* t)`);
    expectClose(weights, expected);
    expectClose(memory[0], s1);
    expectClose(memory[1], s2);
  });

  it("a matrix that also has a dense gradient is updated as a whole", async () => {
    const expected = [...firstWeights];
    for (const samples of minibatches) {
      const gradient = Array<number>(height * words).fill(1);
      for (const { x, t } of samples) {
        for (const [word, weight] of x) t.forEach((g, row) => (gradient[word * height + row]! += weight * g));
      }
      // Two users, two updates.
      gradient.forEach((g, at) => (expected[at]! -= 2 * learningRate * g));
    }
    expectClose((await train(backend, {}, 0, `${once} + SumElements (E)`)).weights, expected);
  });

  it("notices a norm above the limit in the minibatch that has it", async () => {
    const options = { clippingThresholdPerSample: 1.5, clippingWithTruncation: false };
    const { conditions } = await train(backend, options, 0);
    // Norms √(1.5² + 2.25² + 0.5² + 0.125²) of 2 samples, √(0.25² + 6²) of 3, 0 of 1, √(0.75² + 1.5² + 0.25² + 2²) of 2.
    expect(conditions).toEqual([[0], [1], [0], [0]]);
  });
});

describe("what CNTK does not do for sparse gradients", () => {
  const places = (options: Partial<UpdateOptions>) =>
    graphOf(options, once).refusals.map(({ place, when }) => [place.function, when !== undefined]);

  it("is refused in CNTK's order: the norm if it is too large, L2, the rule", () => {
    const byNorm = { clippingThresholdPerSample: 1, clippingWithTruncation: false };
    expect(places({})).toEqual([]);
    expect(places({ clippingThresholdPerSample: 1, l1Weight: 1 })).toEqual([]);
    expect(places({ l2Weight: 0.1, rule: ruleOf("rmsprop") })).toEqual([["ScaleAndAdd", false]]);
    expect(places({ rule: ruleOf("rmsprop") })).toEqual([["RmsProp", false]]);
    expect(places({ ...byNorm, rule: ruleOf("fsadagrad") })).toEqual([
      ["Scale", true],
      ["FSAdagradUpdate", false],
    ]);
    for (const word of ["none", "adagrad"]) expect(places({ rule: ruleOf(word) })).toEqual([]);
  });
});

describe("the plan of an update with a sparse gradient", () => {
  const onlyTouched = new Set(["mapTouched", "putTouched", "reduceTouched"]);

  it.each(["none", "adagrad"])("of rule '%s' never passes over the whole matrix", (word) => {
    const { graph } = graphOf({ rule: ruleOf(word), clippingThresholdPerSample: 1 }, once);
    const plan = planGraph(graph, "double");
    const sizeOf = (buffer: number) => plan.buffers[buffer]?.dims.reduce((a, b) => a * b, 1) ?? 0;
    const steps = instructionsOf(plan.entries.update?.steps ?? []);
    const large = steps.filter(({ reads, writes }) =>
      [writes, ...reads].some(({ buffer }) => sizeOf(buffer) === height * words),
    );
    expect(large.length).toBeGreaterThan(2);
    for (const { kind, reads, writes } of large) {
      expect(onlyTouched).toContain(kind);
      // In place it costs no more than the columns that are put.
      if (kind === "putTouched") expect(reads[0]?.buffer).toBe(writes.buffer);
    }
    const gradients = instructionsOf(plan.entries.gradients?.steps ?? []);
    const products = gradients.filter(({ kind, parameters }) => kind === "matmul" && parameters.transposeB);
    expect(products.map(({ writes }) => plan.buffers[writes.buffer]?.role)).toEqual(["state"]);
  });
});
