import type { ElementType } from "../../../src/numerics/values.js";
import type { Plan } from "../../../src/plan/plan.js";
import * as e from "../../../src/primitives/expression.js";
import type { Kind, Operand } from "../../../src/primitives/instruction.js";
import type { Parameters } from "../../../src/primitives/parameters.js";
import { geometry } from "../../support/geometry.js";
import { fed, matrix, PlanBuilder, singleFrames } from "../../support/plan-builder.js";

const entry = "gradients";

/** Writes whole training steps by hand: forward, backward and momentum update in the entry `gradients`. */
class TrainingBuilder {
  readonly builder: PlanBuilder;
  readonly features: Operand;
  private readonly samples: Operand;

  constructor(elementType: ElementType, featureDims: readonly number[]) {
    this.builder = new PlanBuilder(elementType);
    this.features = this.builder.input("features", featureDims);
    this.samples = this.builder.temporary([1], false);
    this.emit("count", [this.features], this.samples, { what: "samples" });
  }

  map(expression: e.Expression, inputs: readonly Operand[], dims = inputs[0]!.dims): Operand {
    const output = this.builder.temporary(
      dims,
      inputs.some((input) => input.axis !== null),
    );
    this.emit("map", inputs, output, { expression });
    return output;
  }

  sum(input: Operand, dims: readonly number[], perSample: boolean): Operand {
    const output = this.builder.temporary(dims, perSample);
    this.emit("reduce", [input], output, { operation: "sum", scale: 1, gaps: "skipped" });
    return output;
  }

  emit<K extends Kind>(kind: K, reads: readonly Operand[], writes: Operand, parameters: Parameters[K]): void {
    this.builder.emit(kind, reads, writes, parameters, entry);
  }

  /** momentum: v = m·v − rate·(1−m)·gradient/samples; w += v. */
  update(parameter: Operand, gradient: Operand, name: string): void {
    const velocity = this.builder.state(`${name}.momentum`, parameter.dims);
    const step = e.multiply(
      e.multiply(e.scalar("rate"), e.subtract(e.constant(1), e.scalar("momentum"))),
      e.divide(e.argument(1), e.argument(2)),
    );
    const reads = [velocity, { ...gradient, dims: parameter.dims }, this.samples];
    const expression = e.subtract(e.multiply(e.scalar("momentum"), e.argument(0)), step);
    this.emit("map", reads, velocity, { expression });
    this.emit("map", [parameter, velocity], parameter, { expression: e.add(e.argument(0), e.argument(1)) });
  }
}

const [x0, x1, x2] = [e.argument(0), e.argument(1), e.argument(2)];

/**
 * The auto-encoder of CNTK's 07 sample: convolution 5x5, ReLU, max pooling, unpooling, transposed convolution, root mean
 * square error, on `size x size` images; states W1, b1, W2, b2.
 */
export function autoEncoderPlan(elementType: ElementType, size = 28, maps = 1, window = 4): Plan {
  const t = new TrainingBuilder(elementType, [size, size, 1]);
  const b = t.builder;
  const emit = t.emit.bind(t);
  const { features } = t;
  const w1 = b.state("W1", [5, 5, 1, maps]);
  const b1 = b.state("b1", [1, 1, maps], 0);
  const w2 = b.state("W2", [5, 5, 1, maps]);
  const b2 = b.state("b2", [1, 1, 1], 0);
  const conv = geometry({
    input: [size, size, 1],
    kernel: [5, 5, 1],
    lower: [2, 2, 0],
    upper: [2, 2, 0],
    maps: [1, 1, maps],
  });
  const pool = geometry({
    input: [size, size, maps],
    kernel: [window, window, 1],
    stride: [window, window, 1],
  });
  const max = { mode: "max", includePad: false, geometry: pool } as const;

  const x = t.map(e.multiply(x0, e.constant(1 / 256)), [features]);
  const c = b.temporary([size, size, maps]);
  emit("convolution", [w1, x], c, { geometry: conv });
  const r = t.map(e.unary("rectify", e.add(x0, x1)), [c, b1]);
  const p = b.temporary(pool.output);
  emit("pool", [r], p, max);
  const u = b.temporary([size, size, maps]);
  emit("maxUnpool", [p, r], u, { geometry: pool });
  const d = b.temporary([size, size, 1]);
  emit("convolutionInputGradient", [w2, u], d, { geometry: conv });
  const difference = t.map(e.subtract(e.add(x0, x1), x2), [d, b2, x]);
  const squares = t.sum(t.map(e.multiply(x0, x0), [difference]), [1], true);
  const cells = size * size;
  const rmse = t.map(e.unary("squareRoot", e.divide(x0, e.constant(cells))), [squares]);
  b.output("rmse", t.sum(rmse, [1], false), entry);

  const dz = t.map(
    e.divide(x0, e.multiply(e.constant(cells), x1)),
    [difference, { ...rmse, dims: [1, 1, 1] }],
    difference.dims,
  );
  const dw2 = b.temporary(w2.dims, false);
  emit("convolutionWeightGradient", [dz, u], dw2, { geometry: conv });
  const du = b.temporary([size, size, maps]);
  emit("convolution", [w2, dz], du, { geometry: conv });
  const dp = b.temporary(pool.output);
  emit("pool", [du], dp, max);
  const dr = b.temporary([size, size, maps]);
  emit("poolGradient", [dp, r, p], dr, max);
  const dc = t.map(e.select(e.binary("greater", x1, e.constant(0)), x0, e.constant(0)), [dr, r]);
  const dw1 = b.temporary(w1.dims, false);
  emit("convolutionWeightGradient", [x, dc], dw1, { geometry: conv });
  t.update(w1, dw1, "W1");
  t.update(b1, t.sum(dc, [1, 1, maps], false), "b1");
  t.update(w2, dw2, "W2");
  t.update(b2, t.sum(dz, [1, 1, 1], false), "b2");
  return b.plan();
}

/**
 * The classifier of CNTK's 02 sample: convolution 5x5 with 16 maps, ReLU, max pooling 2x2, dense 64 with ReLU, dense 10,
 * cross entropy; optionally dropout behind the first dense layer (03). States W1 … W3, b1 … b3.
 */
export function classifierPlan(elementType: ElementType, withDropout = false): Plan {
  const t = new TrainingBuilder(elementType, [28, 28, 1]);
  const b = t.builder;
  const emit = t.emit.bind(t);
  const { features } = t;
  const labels = b.input("labels", [10]);
  const w1 = b.state("W1", [5, 5, 1, 16]);
  const b1 = b.state("b1", [1, 1, 16], 0);
  const w2 = b.state("W2", [64, 14, 14, 16]);
  const b2 = b.state("b2", [64], 0);
  const w3 = b.state("W3", [10, 64]);
  const b3 = b.state("b3", [10], 0);
  const conv = geometry({
    input: [28, 28, 1],
    kernel: [5, 5, 1],
    lower: [2, 2, 0],
    upper: [2, 2, 0],
    maps: [1, 1, 16],
  });
  const pool = geometry({ input: [28, 28, 16], kernel: [2, 2, 1], stride: [2, 2, 1] });
  const max = { mode: "max", includePad: false, geometry: pool } as const;
  const column = (operand: Operand): Operand => ({
    ...operand,
    dims: [operand.dims.reduce((product, dim) => product * dim, 1), 1],
  });
  const matmul = (a: Operand, c: Operand, output: Operand, transposeA = false, transposeB = false) => {
    const to = output.axis !== null ? column(output) : matrix(output);
    emit("matmul", [a, c], to, { transposeA, transposeB });
    return output;
  };

  const x = t.map(e.multiply(x0, e.constant(1 / 256)), [features]);
  const c = b.temporary([28, 28, 16]);
  emit("convolution", [w1, x], c, { geometry: conv });
  const r = t.map(e.unary("rectify", e.add(x0, x1)), [c, b1]);
  const p = b.temporary([14, 14, 16]);
  emit("pool", [r], p, max);
  const h = matmul(matrix(w2), column(p), b.temporary([64]));
  let hr = t.map(e.unary("rectify", e.add(x0, x1)), [h, b2]);
  let mask: Operand | undefined;
  const beforeDropout = hr;
  if (withDropout) {
    mask = b.temporary([64]);
    emit("dropoutMask", [hr], mask, { engine: b.engine("dropout"), rate: "dropoutRate" });
    hr = t.map(e.multiply(x0, x1), [hr, mask]);
  }
  const o = matmul(matrix(w3), column(hr), b.temporary([10]));
  const z = t.map(e.add(x0, x1), [o, b3]);
  const logSum = b.temporary([1]);
  emit("reduce", [z], logSum, { operation: "logSum", scale: 1, gaps: "skipped" });
  const zy = t.sum(t.map(e.multiply(x0, x1), [z, labels]), [1], true);
  b.output("ce", t.sum(t.map(e.subtract(x0, x1), [logSum, zy]), [1], false), entry);

  const dz = t.map(e.subtract(e.unary("exponential", e.subtract(x0, x1)), x2), [z, logSum, labels]);
  const dw3 = matmul(matrix(dz, 10), column(hr), b.temporary(w3.dims, false), false, true);
  let dhr = matmul(matrix(w3), column(dz), b.temporary([64]), true);
  if (mask) dhr = t.map(e.multiply(x0, x1), [dhr, mask]);
  const dh = t.map(e.select(e.binary("greater", x1, e.constant(0)), x0, e.constant(0)), [dhr, beforeDropout]);
  const dw2 = matmul(matrix(dh, 64), column(p), b.temporary(w2.dims, false), false, true);
  const dp = matmul(matrix(w2), column(dh), b.temporary([14, 14, 16]), true);
  const dr = b.temporary([28, 28, 16]);
  emit("poolGradient", [dp, r, p], dr, max);
  const dc = t.map(e.select(e.binary("greater", x1, e.constant(0)), x0, e.constant(0)), [dr, r]);
  const dw1 = b.temporary(w1.dims, false);
  emit("convolutionWeightGradient", [x, dc], dw1, { geometry: conv });
  t.update(w1, dw1, "W1");
  t.update(b1, t.sum(dc, [1, 1, 16], false), "b1");
  t.update(w2, dw2, "W2");
  t.update(b2, t.sum(dh, [64], false), "b2");
  t.update(w3, dw3, "W3");
  t.update(b3, t.sum(dz, [10], false), "b3");
  return b.plan();
}

/** Numbers of [0, 1) that look random; the same seed gives the same numbers. */
export function uniform(count: number, seed: number): Float32Array {
  let state = Math.imul(seed, 747796405) + 2891336453;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  });
}

/** Initial weights of either network: uniform in ±scale. */
export function initialStates(names: Readonly<Record<string, readonly number[]>>): Map<string, Float32Array> {
  return new Map(
    Object.entries(names).map(([name, [count = 0, scale = 1]], i) => [
      name,
      uniform(count, i + 1).map((u) => (u - 0.5) * 2 * scale),
    ]),
  );
}

export const autoEncoderStates = (maps = 1) => initialStates({ W1: [25 * maps, 0.35], W2: [25 * maps, 0.1] });
export const classifierStates = () =>
  initialStates({ W1: [400, 0.3], W2: [64 * 3136, 0.05], W3: [640, 0.3] });

/** One minibatch of made-up images (integers 0 … 255, many of them 0) and labels. */
export function minibatch(samples: number, seed: number, size = 28) {
  const features = uniform(samples * size * size, seed).map((u) => (u < 0.7 ? 0 : Math.floor(u * 256)));
  const labels = new Float32Array(samples * 10);
  uniform(samples, seed + 1).forEach((u, i) => (labels[i * 10 + Math.floor(u * 10)] = 1));
  return fed("float", { "*": singleFrames(samples) }, { features: [...features], labels: [...labels] });
}
