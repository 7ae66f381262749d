import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWasmBackend } from "../../../src/backends/wasm/index.js";
import { usualLimits, type Limits } from "../../../src/backends/wasm/worth.js";
import { CntkError } from "../../../src/diagnostics/diagnostic.js";
import { newValues, type ElementType, type Values } from "../../../src/numerics/values.js";
import { argument, multiply, unary } from "../../../src/primitives/expression.js";
import { runCase } from "../../support/conformance-case.js";
import { computeTeams } from "../../support/compute-team.js";
import { eighths, PlanBuilder, runOn } from "../../support/plan-builder.js";
import { runSequenceCase } from "../../support/sequence-case.js";
import { trainText } from "../../support/train-text.js";
import { convolutionCases } from "../conformance/convolution-cases.js";
import { elementwiseCases } from "../conformance/elementwise-cases.js";
import { matmulCases } from "../conformance/matmul-cases.js";
import { poolingCases } from "../conformance/pool-cases.js";
import { reduceCases } from "../conformance/reduce-cases.js";
import { sequenceCases } from "../conformance/sequence-cases.js";

const computeTeam = computeTeams();

/** As small pieces as there can be, so that several threads meet in the smallest value. */
const tiny: Limits = { piece: 1, phase: 0, input: 0 };
/** The usual pieces, shared whatever there is to do. */
const always: Limits = { ...usualLimits, phase: 0, input: 0 };

describe("two threads that share every column", () => {
  const team = computeTeam(2);
  const backend = createWasmBackend(team, tiny);
  beforeAll(() => team.ready());
  afterAll(() => team.end());
  const cases = [...elementwiseCases, ...reduceCases, ...matmulCases, ...convolutionCases, ...poolingCases];
  for (const elementType of backend.elementTypes) {
    it.each(cases.map((test) => [test.name, test] as const))(`${elementType}: %s`, async (_, test) => {
      await runCase(backend, elementType, test);
    });
    it.each(sequenceCases.map((test) => [test.name, test] as const))(
      `${elementType}: %s`,
      async (_, test) => {
        await runSequenceCase(backend, elementType, test);
      },
    );
  }
});

const convolutional = `{
  features = Input {12:12:2} ; labels = Input {3}
  c1 = ConvolutionalLayer {5, (3:3), pad = true, activation = ReLU} (features)
  n1 = BatchNormalizationLayer {spatialRank = 2} (c1)
  p1 = MaxPoolingLayer {(2:2), stride = (2:2)} (n1)
  h1 = DenseLayer {17, activation = Tanh} (p1)
  z = LinearLayer {3} (h1)
  ce = CrossEntropyWithSoftmax (labels, z)
  criterionNodes = (ce)
}`;

/** Losses of a few steps, and all parameters after them. */
async function trained(threads: number, elementType: ElementType, limits: Limits): Promise<Values[]> {
  const team = computeTeam(threads);
  if (threads > 1) await team.ready();
  const training = await trainText(convolutional, createWasmBackend(team, limits), elementType);
  const samples = 37;
  const numbers = newValues(elementType, samples * 288);
  const labels = newValues(elementType, samples * 3);
  const results: Values[] = [];
  for (let step = 0; step < 4; step++) {
    numbers.set(eighths(numbers.length, step));
    labels.forEach((_, i) => (labels[i] = i % 3 === (Math.floor(i / 3) + step) % 3 ? 1 : 0));
    const inputs = new Map([
      ["features", numbers],
      ["labels", labels],
    ]);
    const values = await training.step(samples, inputs, { learningRate: 0.01, momentumPerSample: 0.9 });
    results.push(...values.values());
  }
  const states = await training.executable.readState([...training.initial.keys()]);
  await training.executable.dispose();
  return [...results, ...states.values()];
}

describe.each(["float", "double"] as const)("the digits of a training in %s", (elementType) => {
  it.each([tiny, always])("are the same on 1, 2, 4 and 8 threads (limits: %o)", async (limits) => {
    const wanted = await trained(1, elementType, limits);
    expect(wanted.every((values) => values.every(Number.isFinite))).toBe(true);
    for (const threads of [2, 4, 8, 2]) {
      const found = await trained(threads, elementType, limits);
      for (const [i, values] of wanted.entries()) expect(found[i]).toEqual(values);
    }
  });
});

/** y = tanh(tanh(…x)) · x for many columns: work for a while. */
function longWork() {
  const builder = new PlanBuilder("double");
  const x = builder.input("x", [64]);
  const y = builder.temporary([64]);
  let expression = argument(0);
  for (let i = 0; i < 40; i++) expression = unary("hyperbolicTangent", expression);
  builder.emit("map", [x], y, { expression: multiply(expression, argument(0)) }).output("y", y);
  return builder.plan();
}

describe("threads", () => {
  it("that end in the middle of a step are an error, and the next run has others", async () => {
    const team = computeTeam(3);
    const executable = await createWasmBackend(team, always).compile(longWork());
    const x = Array<number>(64 * 4000).fill(0.5);
    const interrupted = async () => {
      await team.ready();
      team.interrupt(100);
      return runOn(executable, "double", 4000, { x });
    };
    // They may end before the step begins, or after it.
    const lost = async (): Promise<unknown> => {
      for (let attempt = 0; attempt < 20; attempt++) {
        const problem = await interrupted().then(
          () => team.end(),
          (error: unknown) => error,
        );
        if (problem !== undefined) return problem;
      }
      return undefined;
    };
    const problem = await lost();
    expect(problem).toBeInstanceOf(CntkError);
    expect((problem as CntkError).diagnostic.code).toBe("thread-lost");
    const after = await runOn(executable, "double", 4000, { x });
    expect(after["y"]).toHaveLength(x.length);
    await executable.dispose();
  });

  it("serve several executables, and come again after the last of them is gone", async () => {
    const team = computeTeam(2);
    const backend = createWasmBackend(team, tiny);
    const x = eighths(64 * 50, 3);
    const first = await backend.compile(longWork());
    const second = await backend.compile(longWork());
    const wanted = await runOn(first, "double", 50, { x });
    expect(await runOn(second, "double", 50, { x })).toEqual(wanted);
    await first.dispose();
    expect(await runOn(second, "double", 50, { x })).toEqual(wanted);
    await second.dispose();
    const third = await backend.compile(longWork());
    expect(await runOn(third, "double", 50, { x })).toEqual(wanted);
    await third.dispose();
  });
});
