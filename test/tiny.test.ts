import { describe, expect, it } from "vitest";
import { referenceBackend } from "../src/backends/reference/index.js";
import { eighths } from "./support/plan-builder.js";
import { trainText } from "./support/train-text.js";

/**
 * The whole road on a toy network, in a few milliseconds: BrainScript text to trained parameters, compared with the same
 * training written out by hand.
 */
const toy = `{
  features = Input {2}
  labels = Input {2}
  h = DenseLayer {3, activation = Sigmoid} (features)
  z = LinearLayer {2} (h)
  ce = CrossEntropyWithSoftmax (labels, z)
  errs = ClassificationError (labels, z)
  featureNodes = (features) ; labelNodes = (labels)
  criterionNodes = (ce) ; evaluationNodes = (errs) ; outputNodes = (z)
}`;

/** Minibatches of different sizes; the class is 1 where the product of the features is positive. */
const minibatches = [4, 4, 2, 5, 1, 4, 6, 4, 3, 4].map((samples, index) => {
  const features = Float64Array.from(eighths(2 * samples, index + 1));
  const labels = new Float64Array(2 * samples);
  for (let n = 0; n < samples; n++) labels[2 * n + (features[2 * n]! * features[2 * n + 1]! > 0 ? 1 : 0)] = 1;
  return { samples, features, labels };
});
const learningRate = 0.1;
const momentumPerSample = 0.9;

/** 2 – 3 sigmoids – 2 softmax with momentum SGD, written with loops over single numbers. */
class ByHand {
  readonly momenta: Record<string, number[]> = {};

  constructor(readonly parameters: Record<"W1" | "b1" | "W2" | "b2", number[]>) {
    for (const [name, values] of Object.entries(parameters)) this.momenta[name] = values.map(() => 0);
  }

  /** One step; returns the sum of the cross entropies before it. */
  step({ samples, features, labels }: (typeof minibatches)[number]): number {
    const { W1, b1, W2, b2 } = this.parameters;
    const gradients = { W1: W1.map(() => 0), b1: [0, 0, 0], W2: W2.map(() => 0), b2: [0, 0] };
    let loss = 0;
    for (let n = 0; n < samples; n++) {
      const x = [features[2 * n]!, features[2 * n + 1]!];
      const t = [labels[2 * n]!, labels[2 * n + 1]!];
      const h = b1.map((b, i) => 1 / (1 + Math.exp(-(b + W1[i]! * x[0]! + W1[i + 3]! * x[1]!))));
      const z = b2.map((b, k) => b + h.reduce((sum, value, i) => sum + W2[k + 2 * i]! * value, 0));
      const total = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
      loss -= t.reduce((sum, value, k) => sum + value * (z[k]! - total), 0);
      const dz = z.map((value, k) => Math.exp(value - total) - t[k]!);
      const dh = h.map((value, i) => (W2[2 * i]! * dz[0]! + W2[2 * i + 1]! * dz[1]!) * value * (1 - value));
      dz.forEach((d, k) => {
        gradients.b2[k]! += d;
        h.forEach((value, i) => (gradients.W2[k + 2 * i]! += d * value));
      });
      dh.forEach((d, i) => {
        gradients.b1[i]! += d;
        x.forEach((value, j) => (gradients.W1[i + 3 * j]! += d * value));
      });
    }
    const m = momentumPerSample ** samples;
    for (const name of ["W1", "b1", "W2", "b2"] as const) {
      gradients[name].forEach((g, i) => {
        this.momenta[name]![i] = m * this.momenta[name]![i]! + (1 - m) * learningRate * g;
        this.parameters[name][i]! -= this.momenta[name]![i];
      });
    }
    return loss;
  }
}

describe("a toy network", () => {
  it("is trained as by hand", async () => {
    const training = await trainText(toy, referenceBackend, "double");
    const names = {
      W1: "h.arrayOfFunctions[0].W",
      b1: "h.arrayOfFunctions[0].b",
      W2: "z.W",
      b2: "z.b",
    } as const;
    const initial = (name: string) => [...(training.initial.get(name) ?? [])];
    const byHand = new ByHand({
      W1: initial(names.W1),
      b1: initial(names.b1),
      W2: initial(names.W2),
      b2: initial(names.b2),
    });
    for (const minibatch of minibatches) {
      const { samples, features, labels } = minibatch;
      const inputs = new Map([
        ["features", features],
        ["labels", labels],
      ]);
      const results = await training.step(samples, inputs, { learningRate, momentumPerSample });
      expect(results.get("ce")?.[0]).toBeCloseTo(byHand.step(minibatch), 12);
    }
    const states = await training.executable.readState(Object.values(names));
    for (const [key, name] of Object.entries(names) as ["W1" | "b1" | "W2" | "b2", string][]) {
      const trained = [...(states.get(name) ?? [])];
      expect(trained.length).toBe(byHand.parameters[key].length);
      trained.forEach((value, i) => expect(value).toBeCloseTo(byHand.parameters[key][i]!, 12));
      expect(trained).not.toEqual(initial(name));
    }
  });

  it("learns: the loss on one minibatch falls with every step", async () => {
    const training = await trainText(toy, referenceBackend, "double");
    const { samples, features, labels } = minibatches[6]!;
    const inputs = new Map([
      ["features", features],
      ["labels", labels],
    ]);
    const losses: number[] = [];
    for (let step = 0; step < 10; step++) {
      const results = await training.step(samples, inputs, { learningRate: 0.2, momentumPerSample: 0 });
      losses.push(results.get("ce")?.[0] ?? NaN);
    }
    for (let step = 1; step < losses.length; step++) expect(losses[step]).toBeLessThan(losses[step - 1]!);
  });

  it("gives the same digits twice", async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(async () => {
        const training = await trainText(toy, referenceBackend, "float");
        for (const { samples, features, labels } of minibatches) {
          const inputs = new Map([
            ["features", Float32Array.from(features)],
            ["labels", Float32Array.from(labels)],
          ]);
          await training.step(samples, inputs, { learningRate, momentumPerSample });
        }
        return (await training.executable.readState(["z.W"])).get("z.W");
      }),
    );
    expect(first).toBeInstanceOf(Float32Array);
    expect(first).toEqual(second);
  });
});
