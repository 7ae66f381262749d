import { describe, expect, it } from "vitest";
import { trainingGraph, updateScalars } from "../../src/updates/index.js";
import type { UpdateOptions } from "../../src/updates/index.js";
import { plainOptions as plain } from "../support/update-options.js";
import { compileGraph, minibatch, shapedFromBrainScript } from "../support/run-graph.js";

interface Training {
  readonly members: string;
  readonly data: readonly { readonly x: readonly number[]; readonly t: readonly number[] }[];
  readonly minibatchSize: number;
  readonly learningRate: number;
  readonly momentumPerMinibatch?: number;
  readonly options?: Partial<UpdateOptions>;
}

/** One epoch over the data in order; returns the values of the parameters and the trained uses. */
async function train(training: Training, parameters: readonly string[]) {
  const options = { ...plain, ...training.options };
  const shaped = shapedFromBrainScript(`
    Lit (dims, values) = ParameterTensor {dims, init = 'fromLiteral', initFromLiteral = values}
    x = Input {(2)}
    t = Input {(2)}
    ${training.members}
    criterionNodes = (ce)`);
  const [criterion] = shaped.network.groups.criterion;
  if (!criterion) throw new Error("no criterion");
  const { graph, parameters: trained } = trainingGraph(shaped, { criterion, outputs: [criterion], options });
  const executable = await compileGraph(shaped, graph);
  // CNTK keeps schedules as floats.
  const learningRate = Math.fround(training.learningRate);
  const momentum = Math.fround(training.momentumPerMinibatch ?? 0);
  const momentumPerSample = momentum === 0 ? 0 : Math.pow(momentum, 1 / training.minibatchSize);
  for (let at = 0; at < training.data.length; at += training.minibatchSize) {
    const rows = training.data.slice(at, at + training.minibatchSize);
    const data = minibatch({ x: rows.map((row) => row.x), t: rows.map((row) => row.t) });
    await executable.run("gradients", data);
    const facts = { learningRate, momentumPerSample, samples: rows.length };
    const scalars = updateScalars({ ...facts, parameters: trained, options, elementType: "double" });
    await executable.run("update", data, scalars);
  }
  const values = await executable.readState(parameters);
  return {
    uses: trained.map(({ node }) => node.name),
    values: parameters.map((name) => Array.from(values.get(name) ?? [])),
  };
}

function row(line: string): { x: number[]; t: number[] } {
  const [, x = "", t = ""] = /\|x (.*) \|t (.*)/.exec(line) ?? [];
  return { x: x.split(" ").map(Number), t: t.split(" ").map(Number) };
}

/** CNTK wrote 15 digits behind the point. */
function expectEqualTo15(actual: readonly number[], expected: readonly number[]) {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, index) => expect(Math.abs((actual[index] ?? NaN) - value)).toBeLessThan(2e-15));
}

describe("a training step, against parameters that CNTK 2.0 (CPU build, double) wrote after training", () => {
  it("updates a parameter with two users twice", async () => {
    const { uses, values } = await train(
      {
        members: "p = Lit ((2), '-1.153\n0.826')\n ce = SumElements (x .* p + t .* p)",
        data: ["|x -0.949 0.658 |t -0.64 -1.048", "|x -0.682 -1.221 |t -1.291 1.122"].map(row),
        minibatchSize: 2,
        learningRate: 1,
      },
      ["p"],
    );
    expect(uses).toEqual(["p", "p"]);
    expectEqualTo15(values[0] ?? [], [5.971, 1.804]);
  });

  it("keeps a smoothed gradient for each use", async () => {
    const { values } = await train(
      {
        members: "p = Lit ((2), '-0.9\n-1.251')\n ce = SumElements (Tanh (x .* p) + t .* p)",
        data: [
          "|x 1.11 0.491 |t 1.056 -1.175",
          "|x 0.466 0.301 |t -0.094 -0.733",
          "|x -1.443 0.685 |t -0.239 -0.876",
          "|x -1.461 -0.12 |t 1.334 -1.413",
          "|x -0.481 -1.311 |t -0.34 0.895",
          "|x 0.345 1.371 |t 0.959 0.465",
        ].map(row),
        minibatchSize: 2,
        learningRate: 0.1,
        momentumPerMinibatch: 0.5,
      },
      ["p"],
    );
    expectEqualTo15(values[0] ?? [], [-1.370307171874998, -0.856314849042789]);
  });

  it("clips what was clipped before, at the second use", async () => {
    const { values } = await train(
      {
        members: "p = Lit ((2), '0.386\n-0.161')\n ce = SumElements (Tanh (x .* p) + t .* p)",
        data: [
          "|x 1.218 1.145 |t -0.041 -1.23",
          "|x 0.299 -0.008 |t -1.428 -1.339",
          "|x 0.485 -0.62 |t 0.785 0.709",
          "|x -0.515 -1.45 |t -0.223 -1.395",
        ].map(row),
        minibatchSize: 2,
        learningRate: 0.1,
        options: { clippingThresholdPerSample: 0.2 },
      },
      ["p"],
    );
    expectEqualTo15(values[0] ?? [], [0.343990810047429, -0.000999997615814]);
  });

  it("adds the L2 penalty again at the second use, with the weights of the first", async () => {
    const { values } = await train(
      {
        members: "p = Lit ((2), '0.686\n0.907')\n ce = SumElements (Tanh (x .* p) + t .* p)",
        data: [
          "|x 0.161 -0.932 |t 0.325 0.063",
          "|x 0.437 -0.992 |t 1.228 1.29",
          "|x -1.218 0.797 |t 1.412 -0.265",
          "|x 0.777 1.282 |t -1.027 1.33",
        ].map(row),
        minibatchSize: 2,
        learningRate: 0.1,
        options: { l2Weight: 0.25 },
      },
      ["p"],
    );
    expectEqualTo15(values[0] ?? [], [0.150844670113859, 0.15036358613184]);
  });

  it("honours learning rate multipliers; 0 leaves a parameter out of the list", async () => {
    const { uses, values } = await train(
      {
        members: `
          p1 = ParameterTensor {(2), initValue = 0.5, learningRateMultiplier = 0.25}
          p2 = ParameterTensor {(2), initValue = 0.5, learningRateMultiplier = 0}
          ce = SumElements (Tanh (x .* p1) + t .* p2)`,
        data: [
          "|x -0.393 0.479 |t -0.95 -0.85",
          "|x -0.892 1.009 |t -0.285 -1.15",
          "|x 1.16 -0.628 |t 0.186 0.659",
        ].map(row),
        minibatchSize: 3,
        learningRate: 0.1,
      },
      ["p1"],
    );
    expect(uses).toEqual(["p1"]);
    expectEqualTo15(values[0] ?? [], [0.506769745276297, 0.483179342342418]);
  });

  it("updates a layer that is applied twice", async () => {
    const [weights, bias] = ["m1.arrayOfFunctions[0].W", "m1.arrayOfFunctions[0].b"];
    const { uses, values } = await train(
      {
        members: "m1 = DenseLayer {2, activation = Tanh}\n ce = SquareError (m1 (x), m1 (t))",
        data: [
          "|x 0.042 1.055 |t 0.326 -1.388",
          "|x -0.347 0.98 |t 0.454 1.079",
          "|x -1.423 -1.122 |t 1.441 1.308",
        ].map(row),
        minibatchSize: 3,
        learningRate: 0.1,
      },
      [weights, bias],
    );
    expect(uses).toEqual([weights, weights, bias, bias]);
    expectEqualTo15(
      values[0] ?? [],
      [-0.296549184047679, -0.871561025641734, 0.236334792033802, -0.748724434313079],
    );
    expectEqualTo15(values[1] ?? [], [-0.065622464855408, -0.026495617961135]);
  });
});
