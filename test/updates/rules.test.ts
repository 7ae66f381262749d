import { describe, expect, it } from "vitest";
import type { ElementType } from "../../src/numerics/values.js";
import { trainingGraph, updateRuleFor, updateRules, updateScalars } from "../../src/updates/index.js";
import type { UpdateOptions } from "../../src/updates/index.js";
import { compileGraph, minibatch, shapedFromBrainScript } from "../support/run-graph.js";
import { optionSource, plainOptions as plain, ruleOf } from "../support/update-options.js";

const firstWeights = [0.5, -1.25, 2, 0.01, -0.3];
/** Each row is a sample; the criterion is Σ w·x, so a minibatch's gradient is the sum of its rows. */
const minibatches = [
  [
    [0.5, -0.25, 1, 2, 0],
    [0.125, 0.75, -0.5, 1, 0],
  ],
  [[-1.5, 0.5, 0.25, -3, 0.5]],
  [
    [2, -1, 0.75, 0.5, -0.25],
    [0.5, 0.25, 1.5, -1, 1],
    [-0.75, 1, 0.5, 2, 0.125],
  ],
  [[0.0625, -2, 1.25, 0.3, 0.7]],
];
const learningRate = 0.1;
const momentumPerSample = 0.8;

interface Trained {
  readonly weights: number[];
  /** What the rule remembers, part by part. */
  readonly memory: number[][];
  readonly counter: number;
}

async function train(
  options: Partial<UpdateOptions>,
  {
    momentum = momentumPerSample,
    elementType = "double",
  }: { momentum?: number; elementType?: ElementType } = {},
): Promise<Trained> {
  const shaped = shapedFromBrainScript(
    `x = Input {(5)}
     w = ParameterTensor {(5), init = 'fromLiteral', initFromLiteral = '${firstWeights.join("\n")}'}
     ce = SumElements (w .* x)
     criterionNodes = (ce)`,
    elementType,
  );
  const [criterion] = shaped.network.groups.criterion;
  if (!criterion) throw new Error("no criterion");
  const all = { ...plain, ...options };
  const { graph, parameters } = trainingGraph(shaped, { criterion, outputs: [criterion], options: all });
  const executable = await compileGraph(shaped, graph, elementType);
  let count = 0;
  for (const rows of minibatches) {
    const data = minibatch({ x: rows });
    await executable.run("gradients", data);
    count = all.rule.countAfter?.(count, rows.length) ?? count;
    const facts = { learningRate, momentumPerSample: momentum, samples: rows.length, count };
    await executable.run("update", data, updateScalars({ ...facts, parameters, options: all, elementType }));
  }
  const [parameter] = parameters;
  if (!parameter) throw new Error("nothing was trained");
  const states = await executable.readState(["w", ...parameter.memory]);
  const numbers = (name: string) => Array.from(states.get(name) ?? []);
  return { weights: numbers("w"), memory: parameter.memory.map(numbers), counter: count };
}

type Step = (weights: number[], gradient: number[], samples: number) => void;

/** Runs a worked recurrence over the same minibatches. */
function recurrence(step: Step): number[] {
  const weights = [...firstWeights];
  for (const rows of minibatches) {
    const gradient = firstWeights.map((_, index) => rows.reduce((sum, row) => sum + (row[index] ?? 0), 0));
    step(weights, gradient, rows.length);
  }
  return weights;
}

/** Applies `change` to each weight; `remembered` are parallel arrays that it may change. */
function each(
  weights: number[],
  gradient: number[],
  change: (index: number, gradient: number) => number,
): void {
  gradient.forEach((g, index) => (weights[index] = change(index, g)));
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, index) => {
    expect(Math.abs((actual[index] ?? NaN) - value)).toBeLessThan(1e-14 * Math.max(1, Math.abs(value)));
  });
}

const zeros = () => firstWeights.map(() => 0);
const at = (values: readonly number[], index: number) => values[index] ?? NaN;

describe("update rules against worked recurrences", () => {
  it("momentum SGD", async () => {
    const s = zeros();
    const expected = recurrence((w, gradient, n) => {
      const m = momentumPerSample ** n;
      each(w, gradient, (i, g) => {
        s[i] = m * at(s, i) + (1 - m) * learningRate * g;
        return at(w, i) - at(s, i);
      });
    });
    const { weights, memory } = await train({});
    expectClose(weights, expected);
    expectClose(memory[0] ?? [], s);
  });

  it("momentum SGD in float rounds every step as CNTK does: (s + (c/m)·g) first, then times m", async () => {
    const round = Math.fround;
    const s = zeros();
    const expected = recurrence((w, gradient, n) => {
      const m = round(momentumPerSample ** n);
      const c = round(round(1 - m) * round(learningRate));
      const ratio = round(c / m);
      each(w, gradient, (i, g) => {
        s[i] = round(m * round(at(s, i) + round(ratio * g)));
        return round(round(at(w, i)) - at(s, i));
      });
    });
    const { weights, memory } = await train({}, { elementType: "float" });
    expect(weights).toEqual(expected);
    expect(memory[0]).toEqual(s);
  });

  it("plain SGD keeps rate · gradient as the smoothed gradient", async () => {
    const expected = recurrence((w, gradient) => each(w, gradient, (i, g) => at(w, i) - learningRate * g));
    const { weights, memory } = await train({}, { momentum: 0 });
    expectClose(weights, expected);
    expectClose(
      memory[0] ?? [],
      (minibatches[3]?.[0] ?? []).map((g) => learningRate * g),
    );
  });

  it("Nesterov", async () => {
    const s = zeros();
    const expected = recurrence((w, gradient, n) => {
      const m = momentumPerSample ** n;
      const c = (1 - m) * learningRate;
      each(w, gradient, (i, g) => {
        s[i] = m * at(s, i) + c * g;
        return at(w, i) - m * at(s, i) - c * g;
      });
    });
    expectClose((await train({ rule: ruleOf("none", { useNAG: true }) })).weights, expected);
  });

  it.each([true, false])("AdaGrad, normWithAveMultiplier = %s", async (normWithAveMultiplier) => {
    const a = zeros();
    const expected = recurrence((w, gradient) => {
      gradient.forEach((g, i) => (a[i] = at(a, i) + g * g));
      const roots = a.map((sum) => Math.sqrt(sum + Math.fround(1e-16)));
      const mean = roots.reduce((sum, root) => sum + 1 / root, 0) / roots.length;
      const rate = normWithAveMultiplier ? learningRate / mean : learningRate;
      each(w, gradient, (i, g) => at(w, i) - rate * (g / at(roots, i)));
    });
    const { weights, memory } = await train({ rule: ruleOf("adagrad", { normWithAveMultiplier }) });
    expectClose(weights, expected);
    expectClose(memory[0] ?? [], a);
  });

  it.each([true, false])("RMSProp, normWithAveMultiplier = %s", async (normWithAveMultiplier) => {
    const options = { gamma: 0.9, increase: 1.3, decrease: 0.7, maximum: 0.2, minimum: 0.01 };
    const [v, sign, step] = [zeros(), zeros(), zeros()];
    let isFirst = true;
    const expected = recurrence((w, gradient) => {
      const factors = gradient.map((g, i) => {
        if (isFirst) [v[i], step[i]] = [g * g, 0.02];
        v[i] = options.gamma * at(v, i) + (1 - options.gamma) * g * g;
        const z = Math.sign(g);
        step[i] =
          z * at(sign, i) > 0
            ? Math.min(at(step, i) * options.increase, options.maximum)
            : Math.max(at(step, i) * options.decrease, options.minimum);
        sign[i] = z;
        return at(step, i) / Math.sqrt(at(v, i) + Math.fround(1e-6));
      });
      isFirst = false;
      const mean = factors.reduce((sum, factor) => sum + factor, 0) / factors.length;
      const rate = normWithAveMultiplier ? learningRate / mean : learningRate;
      each(w, gradient, (i, g) => at(w, i) - rate * g * at(factors, i));
    });
    const { weights, memory } = await train({
      rule: ruleOf("rmsprop", {
        normWithAveMultiplier,
        rms_gamma: options.gamma,
        rms_wgt_inc: options.increase,
        rms_wgt_dec: options.decrease,
        rms_wgt_max: options.maximum,
        rms_wgt_min: options.minimum,
      }),
    });
    expectClose(weights, expected);
    expectClose(memory[2] ?? [], step);
    expectClose(memory[1] ?? [], sign);
  });

  it.each([momentumPerSample, 0])("FSAdaGrad, momentum %s", async (momentum) => {
    const options = { targetAverageDenominator: 0.7, varianceTimeConstant: 50 };
    const [a, s] = [zeros(), zeros()];
    let count = 0;
    const expected = recurrence((w, gradient, n) => {
      const m = momentum ** n;
      const vm = Math.exp(-n / options.varianceTimeConstant);
      count = vm * count + (1 - vm) * n;
      const numerator = options.targetAverageDenominator * Math.sqrt(count);
      each(w, gradient, (i, g) => {
        a[i] = vm * at(a, i) + (1 - vm) * g * g;
        let scaled = at(a, i) === 0 ? g : g * Math.min(numerator / Math.sqrt(at(a, i)), 10);
        if (m > 0) scaled = s[i] = m * at(s, i) + (1 - m) * scaled;
        return at(w, i) - learningRate * scaled;
      });
    });
    const rule = ruleOf("fsadagrad", {
      fsAdagradTargetAvDenom: options.targetAverageDenominator,
      varianceTimeConstant: options.varianceTimeConstant,
    });
    const trained = await train({ rule }, { momentum });
    expectClose(trained.weights, expected);
    expectClose(trained.memory[0] ?? [], a);
    expectClose(trained.memory[1] ?? [], s);
    expect(trained.counter).toBeCloseTo(count, 14);
  });
});

describe("penalties and clipping", () => {
  it("L1 pulls weights to zero by rate · weight · samples, and holds them there", async () => {
    const l1 = 0.3;
    const expected = recurrence((w, gradient, n) =>
      each(w, gradient, (i, g) => {
        const moved = at(w, i) - learningRate * g;
        const threshold = learningRate * l1 * n;
        return Math.sign(moved) * Math.max(Math.abs(moved) - threshold, 0);
      }),
    );
    expectClose((await train({ l1Weight: l1 }, { momentum: 0 })).weights, expected);
  });

  it("L2 adds weight · samples · w to the gradient, after clipping", async () => {
    const [l2, limit] = [0.2, 0.6];
    const expected = recurrence((w, gradient, n) =>
      each(w, gradient, (i, g) => {
        const clipped = Math.max(-limit * n, Math.min(limit * n, g));
        return at(w, i) - learningRate * (clipped + l2 * n * at(w, i));
      }),
    );
    const options = { l2Weight: l2, clippingThresholdPerSample: limit };
    expectClose((await train(options, { momentum: 0 })).weights, expected);
  });

  it("clips by the norm of the whole gradient", async () => {
    const limit = 0.9;
    const expected = recurrence((w, gradient, n) => {
      const norm = Math.hypot(...gradient);
      const factor = norm > limit * n ? (limit * n) / norm : 1;
      each(w, gradient, (i, g) => at(w, i) - learningRate * factor * g);
    });
    const options = { clippingThresholdPerSample: limit, clippingWithTruncation: false };
    expectClose((await train(options, { momentum: 0 })).weights, expected);
  });
});

describe("the registry of rules", () => {
  it("is what the options choose from", () => {
    const chosen = (["none", "adagrad", "rmsprop", "fsadagrad"] as const).flatMap((gradientUpdate) =>
      [false, true].map((useNesterov) =>
        updateRuleFor(gradientUpdate, optionSource({ useNAG: useNesterov })),
      ),
    );
    expect(new Set(chosen)).toEqual(new Set(updateRules));
  });
});
