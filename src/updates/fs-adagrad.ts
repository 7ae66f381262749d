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
} from "../primitives/expression.js";
import { perRate } from "./scalars.js";
import type { UpdateRule } from "./update-rule.js";

const largestFactor = constant(10);

export const fsAdaGrad: UpdateRule = {
  name: "FSAdaGrad",
  doc: "a = v·a + (1 − v)·g²;  g' = g · min(A/√a, 10);  s = m·s + (1 − m)·g';  w = w − rate·s",
  source: "Source/Math/CPUMatrixImpl.h, FSAdagrad",
  memory: ["variance", "smoothedGradient"],
  update({ build, weights, gradient, memory, multiplier }) {
    const [variance, smoothed] = memory;
    if (!variance || !smoothed) throw new Error("FSAdaGrad remembers two numbers");
    const g = argument(0);
    const nextVariance = build.map(
      add(
        multiply(scalar("varianceMomentum"), argument(1)),
        multiply(multiply(scalar("varianceGain"), g), g),
      ),
      [gradient, variance],
    );
    const factor = multiply(scalar("denominator"), divide(constant(1), unary("squareRoot", argument(1))));
    const scaled = build.map(
      select(
        binary("equal", argument(1), constant(0)),
        g,
        multiply(g, binary("minimum", factor, largestFactor)),
      ),
      [gradient, nextVariance],
    );
    const momentum = scalar("momentum");
    const hasMomentum = binary("greater", momentum, constant(0));
    const blended = add(multiply(momentum, argument(1)), multiply(scalar("gain"), argument(0)));
    // Without momentum the old smoothed gradient stays as it is.
    const nextSmoothed = build.map(select(hasMomentum, blended, argument(1)), [scaled, smoothed]);
    const step = build.map(select(hasMomentum, argument(1), argument(0)), [scaled, nextSmoothed]);
    const moved = subtract(argument(0), multiply(argument(1), scalar(perRate("rate", multiplier))));
    return {
      memory: [nextVariance, nextSmoothed],
      gradient,
      weights: build.map(moved, [weights, step]),
    };
  },
};
