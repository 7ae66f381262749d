import type { NetworkNode } from "../network/network.js";
import {
  add,
  argument,
  binary,
  constant,
  multiply,
  scalar,
  select,
  subtract,
} from "../primitives/expression.js";
import { mapTouched } from "./touched.js";
import {
  eachRate,
  perRate,
  type UpdateContext,
  type UpdateNumbers,
  type UpdateRule,
  type UpdateRuleEntry,
} from "./update-rule.js";

const [first, second] = [argument(0), argument(1)];
const momentum = scalar("momentum");
const isPlain = binary("equal", momentum, constant(0));

/** `step` is gain · rate in the element type, `stepOverMomentum` step / m. */
export function momentumScalars(numbers: UpdateNumbers): Record<string, number> {
  const { momentum: m, gain, round } = numbers;
  const step = (rate: number): number => round(gain * round(rate));
  return {
    ...eachRate("step", numbers, step),
    ...eachRate("stepOverMomentum", numbers, (rate) => (m === 0 ? 0 : round(step(rate) / m))),
  };
}

/**
 * s = m·s + c·g with c = (1 − m)·rate. CNTK rounds as it computes: (s + (c/m)·g) first, then times m; c·g alone where m is 0
 * (CPUMatrix::ScaleAndAdd).
 */
export function smoothedGradient({ build, gradient, memory, multiplier }: UpdateContext): NetworkNode {
  const step = scalar(perRate("step", multiplier));
  const stepOverMomentum = scalar(perRate("stepOverMomentum", multiplier));
  const expression = select(
    isPlain,
    multiply(step, second),
    multiply(momentum, add(first, multiply(stepOverMomentum, second))),
  );
  return build.map(expression, [...memory, gradient]);
}

/** Of a touched gradient: what becomes of the gradient matrix, and the columns of the memory that change. */
export interface TouchedMomentum {
  readonly gradient: NetworkNode;
  readonly memory: NetworkNode;
}

/**
 * s = m·s + (1 − m)·g in the touched columns; the gradient becomes s. The rate stays outside of s, unlike in the dense rule.
 * Without momentum neither changes (CPUSparseMatrix.cpp, NormalGrad).
 */
export function touchedMomentum({ build, gradient, memory: [s] }: UpdateContext): TouchedMomentum {
  if (!s) throw new Error("momentum remembers one number");
  const smoothed = add(multiply(scalar("gain"), first), multiply(momentum, second));
  const next = mapTouched(build, select(isPlain, first, smoothed), [gradient, s]);
  return { gradient: next, memory: mapTouched(build, select(isPlain, second, first), [next, s]) };
}

const rule: UpdateRule = {
  get entry() {
    return momentumSgd;
  },
  options: {},
  memory: ["smoothedGradient"],
  scalars: momentumScalars,
  update(context) {
    const next = smoothedGradient(context);
    return {
      memory: [next],
      weights: context.build.map(subtract(first, second), [context.weights, next]),
      gradient: context.gradient,
    };
  },
  touched(context) {
    const { build, weights, multiplier } = context;
    const { gradient, memory } = touchedMomentum(context);
    const moved = subtract(second, multiply(scalar(perRate("rate", multiplier)), first));
    return { memory: [memory], weights: mapTouched(build, moved, [gradient, weights]), gradient };
  },
};

export const momentumSgd: UpdateRuleEntry = {
  name: "momentum SGD",
  doc:
    "s = m·s + (1 − m)·rate·g;  w = w − s.  A sparse gradient changes its columns only: " +
    "s = m·s + (1 − m)·g;  w = w − rate·s",
  source: "Source/Math/Matrix.cpp, MomentumSGDUpdate",
  words: ["", "none", "normal", "simple"],
  rule: () => rule,
};
