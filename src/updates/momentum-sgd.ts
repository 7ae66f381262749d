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
import { perRate } from "./scalars.js";
import type { UpdateContext, UpdateRule } from "./update-rule.js";

const weights = argument(0);
const smoothed = argument(1);
const momentum = scalar("momentum");

/**
 * s = m·s + c·g with c = (1 − m)·rate. CNTK rounds as it computes: (s + (c/m)·g) first, then times m; c·g alone where m is 0
 * (CPUMatrix::ScaleAndAdd).
 */
export function smoothedGradient({ build, gradient, memory, multiplier }: UpdateContext): NetworkNode {
  const [s, g] = [argument(0), argument(1)];
  const step = scalar(perRate("step", multiplier));
  const stepOverMomentum = scalar(perRate("stepOverMomentum", multiplier));
  const expression = select(
    binary("equal", momentum, constant(0)),
    multiply(step, g),
    multiply(momentum, add(s, multiply(stepOverMomentum, g))),
  );
  return build.map(expression, [...memory, gradient]);
}

export const momentumSgd: UpdateRule = {
  name: "momentum SGD",
  doc: "s = m·s + (1 − m)·rate·g;  w = w − s",
  source: "Source/Math/Matrix.cpp, MomentumSGDUpdate",
  memory: ["smoothedGradient"],
  update(context) {
    const next = smoothedGradient(context);
    return {
      memory: [next],
      weights: context.build.map(subtract(weights, smoothed), [context.weights, next]),
      gradient: context.gradient,
    };
  },
};

export const nesterovSgd: UpdateRule = {
  name: "Nesterov momentum SGD",
  doc: "s = m·s + (1 − m)·rate·g;  w = w − m·s − (1 − m)·rate·g",
  source: "Source/Math/Matrix.cpp, NesterovAcceleratedMomentumSGDUpdate",
  memory: ["smoothedGradient"],
  update(context) {
    const next = smoothedGradient(context);
    const step = scalar(perRate("step", context.multiplier));
    const moved = subtract(subtract(weights, multiply(momentum, smoothed)), multiply(step, argument(2)));
    return {
      memory: [next],
      weights: context.build.map(moved, [context.weights, next, context.gradient]),
      gradient: context.gradient,
    };
  },
};
