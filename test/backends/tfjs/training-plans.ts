import type { ElementType } from "../../../src/numerics/values.js";
import type { Plan } from "../../../src/plan/plan.js";
import {
  add,
  argument,
  binary,
  constant,
  divide,
  multiply,
  scalar,
  select,
  subtract,
  unary,
  type Expression,
} from "../../../src/primitives/expression.js";
import type { Operand } from "../../../src/primitives/instruction.js";
import { geometry } from "../../support/geometry.js";
import { matrix, PlanBuilder } from "../../support/plan-builder.js";

/** Writes whole training steps by hand: forward, backward and momentum update in the entry `accumulate`. */
class TrainingBuilder {
  readonly builder: PlanBuilder;

  constructor(elementType: ElementType) {
    this.builder = new PlanBuilder(elementType);
  }

  map(expression: Expression, inputs: readonly Operand[], dims = inputs[0]!.dims): Operand {
    const output = this.builder.temporary(
      dims,
      inputs.some((input) => input.perSample),
    );
    this.builder.emit({ kind: "elementwise", expression, inputs, output }, "accumulate");
    return output;
  }

  sum(input: Operand, dims: readonly number[], perSample: boolean): Operand {
    const output = this.builder.temporary(dims, perSample);
    this.builder.emit({ kind: "reduce", operation: "sum", input, output, scale: 1 }, "accumulate");
    return output;
  }

  /** momentum: v = m·v − rate·(1−m)·gradient/samples; w += v. */
  update(parameter: Operand, gradient: Operand, name: string): void {
    const velocity = this.builder.state(`${name}.momentum`, parameter.dims);
    const step = multiply(
      multiply(scalar("rate"), subtract(constant(1), scalar("momentum"))),
      divide(argument(1), scalar("samples")),
    );
    this.builder.emit(
      {
        kind: "elementwise",
        expression: subtract(multiply(scalar("momentum"), argument(0)), step),
        inputs: [velocity, { ...gradient, dims: parameter.dims }],
        output: velocity,
      },
      "accumulate",
    );
    this.builder.emit(
      {
        kind: "elementwise",
        expression: add(argument(0), argument(1)),
        inputs: [parameter, velocity],
        output: parameter,
      },
      "accumulate",
    );
  }
}

const [x0, x1, x2] = [argument(0), argument(1), argument(2)];

/**
 * The auto-encoder of CNTK's 07 sample: convolution 5x5, ReLU, max pooling, unpooling, transposed convolution, root mean
 * square error, on `size x size` images; states W1, b1, W2, b2.
 */
export function autoEncoderPlan(elementType: ElementType, size = 28, maps = 1, window = 4): Plan {
  const t = new TrainingBuilder(elementType);
  const b = t.builder;
  const emit = b.emit.bind(b);
  const features = b.input("features", [size, size, 1]);
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

  const x = t.map(multiply(x0, constant(1 / 256)), [features]);
  const c = b.temporary([size, size, maps]);
  emit({ kind: "convolution", geometry: conv, weights: w1, input: x, output: c }, "accumulate");
  const r = t.map(unary("rectify", add(x0, x1)), [c, b1]);
  const p = b.temporary(pool.output);
  emit({ kind: "pool", mode: "max", includePad: false, geometry: pool, input: r, output: p }, "accumulate");
  const u = b.temporary([size, size, maps]);
  emit({ kind: "maxUnpool", geometry: pool, pooled: p, poolInput: r, output: u }, "accumulate");
  const d = b.temporary([size, size, 1]);
  emit(
    { kind: "convolutionInputGradient", geometry: conv, weights: w2, outputGradient: u, output: d },
    "accumulate",
  );
  const difference = t.map(subtract(add(x0, x1), x2), [d, b2, x]);
  const squares = t.sum(t.map(multiply(x0, x0), [difference]), [1], true);
  const cells = size * size;
  const rmse = t.map(unary("squareRoot", divide(x0, constant(cells))), [squares]);
  b.output("rmse", t.sum(rmse, [1], false), "accumulate");

  const dz = t.map(
    divide(x0, multiply(constant(cells), x1)),
    [difference, { ...rmse, dims: [1, 1, 1] }],
    difference.dims,
  );
  const dw2 = b.temporary(w2.dims, false);
  emit(
    { kind: "convolutionWeightGradient", geometry: conv, input: dz, outputGradient: u, output: dw2 },
    "accumulate",
  );
  const du = b.temporary([size, size, maps]);
  emit({ kind: "convolution", geometry: conv, weights: w2, input: dz, output: du }, "accumulate");
  const dp = b.temporary(pool.output);
  emit({ kind: "pool", mode: "max", includePad: false, geometry: pool, input: du, output: dp }, "accumulate");
  const dr = b.temporary([size, size, maps]);
  emit(
    {
      kind: "poolGradient",
      mode: "max",
      includePad: false,
      geometry: pool,
      input: r,
      pooled: p,
      outputGradient: dp,
      output: dr,
    },
    "accumulate",
  );
  const dc = t.map(select(binary("greater", x1, constant(0)), x0, constant(0)), [dr, r]);
  const dw1 = b.temporary(w1.dims, false);
  emit(
    { kind: "convolutionWeightGradient", geometry: conv, input: x, outputGradient: dc, output: dw1 },
    "accumulate",
  );
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
  const t = new TrainingBuilder(elementType);
  const b = t.builder;
  const emit = b.emit.bind(b);
  const features = b.input("features", [28, 28, 1]);
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
  const column = (operand: Operand) => ({
    buffer: operand.buffer,
    rows: operand.dims.reduce((product, dim) => product * dim, 1),
    columns: 1,
    perSample: operand.perSample,
  });
  const matmul = (
    a: ReturnType<typeof matrix>,
    c: ReturnType<typeof matrix>,
    output: Operand,
    transposeA = false,
    transposeB = false,
  ) => {
    const to = output.perSample ? column(output) : matrix(output);
    emit({ kind: "matmul", a, b: c, output: to, transposeA, transposeB }, "accumulate");
    return output;
  };

  const x = t.map(multiply(x0, constant(1 / 256)), [features]);
  const c = b.temporary([28, 28, 16]);
  emit({ kind: "convolution", geometry: conv, weights: w1, input: x, output: c }, "accumulate");
  const r = t.map(unary("rectify", add(x0, x1)), [c, b1]);
  const p = b.temporary([14, 14, 16]);
  emit({ kind: "pool", mode: "max", includePad: false, geometry: pool, input: r, output: p }, "accumulate");
  const h = matmul(matrix(w2), column(p), b.temporary([64]));
  let hr = t.map(unary("rectify", add(x0, x1)), [h, b2]);
  let mask: Operand | undefined;
  const beforeDropout = hr;
  if (withDropout) {
    mask = b.temporary([64]);
    emit(
      { kind: "dropoutMask", engine: b.engine("dropout"), rate: "dropoutRate", output: mask },
      "accumulate",
    );
    hr = t.map(multiply(x0, x1), [hr, mask]);
  }
  const o = matmul(matrix(w3), column(hr), b.temporary([10]));
  const z = t.map(add(x0, x1), [o, b3]);
  const logSum = b.temporary([1]);
  emit({ kind: "reduce", operation: "logSum", input: z, output: logSum, scale: 1 }, "accumulate");
  const zy = t.sum(t.map(multiply(x0, x1), [z, labels]), [1], true);
  b.output("ce", t.sum(t.map(subtract(x0, x1), [logSum, zy]), [1], false), "accumulate");

  const dz = t.map(subtract(unary("exponential", subtract(x0, x1)), x2), [z, logSum, labels]);
  const dw3 = matmul(matrix(dz, 10), column(hr), b.temporary(w3.dims, false), false, true);
  let dhr = matmul(matrix(w3), column(dz), b.temporary([64]), true);
  if (mask) dhr = t.map(multiply(x0, x1), [dhr, mask]);
  const dh = t.map(select(binary("greater", x1, constant(0)), x0, constant(0)), [dhr, beforeDropout]);
  const dw2 = matmul(matrix(dh, 64), column(p), b.temporary(w2.dims, false), false, true);
  const dp = matmul(matrix(w2), column(dh), b.temporary([14, 14, 16]), true);
  const dr = b.temporary([28, 28, 16]);
  emit(
    {
      kind: "poolGradient",
      mode: "max",
      includePad: false,
      geometry: pool,
      input: r,
      pooled: p,
      outputGradient: dp,
      output: dr,
    },
    "accumulate",
  );
  const dc = t.map(select(binary("greater", x1, constant(0)), x0, constant(0)), [dr, r]);
  const dw1 = b.temporary(w1.dims, false);
  emit(
    { kind: "convolutionWeightGradient", geometry: conv, input: x, outputGradient: dc, output: dw1 },
    "accumulate",
  );
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
  return {
    samples,
    inputs: new Map([
      ["features", features],
      ["labels", labels],
    ]),
  };
}
