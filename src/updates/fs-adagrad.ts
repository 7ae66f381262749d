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
import { perRate, type UpdateRule, type UpdateRuleEntry } from "./update-rule.js";

const largestFactor = constant(10);

export interface FsAdaGradOptions {
  readonly targetAverageDenominator: number;
  /** Time constant of the variance, in samples. */
  readonly varianceTimeConstant: number;
}

export function fsAdaGradRule(options: FsAdaGradOptions): UpdateRule {
  const { targetAverageDenominator, varianceTimeConstant } = options;
  const varianceMomentum = (samples: number): number => Math.exp((-1 * samples) / varianceTimeConstant);
  return {
    entry: fsAdaGrad,
    options: { ...options },
    memory: ["variance", "smoothedGradient"],
    /** Samples seen, fading: the more there are, the larger the numerator, so that the denominator is on average as wanted. */
    countAfter: (count, samples) =>
      varianceMomentum(samples) * count + (1 - varianceMomentum(samples)) * samples,
    scalars({ samples, count, round }) {
      const momentum = round(varianceMomentum(samples));
      return {
        varianceMomentum: momentum,
        varianceGain: round(1 - momentum),
        denominator: round(targetAverageDenominator * Math.sqrt(count)),
      };
    },
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
    touched: { function: "FSAdagradUpdate", line: 1778 },
  };
}

export const fsAdaGrad: UpdateRuleEntry = {
  name: "FSAdaGrad",
  doc: "a = v·a + (1 − v)·g²;  g' = g · min(A/√a, 10);  s = m·s + (1 − m)·g';  w = w − rate·s",
  source: "Source/Math/CPUMatrixImpl.h, FSAdagrad",
  words: ["fsadagrad"],
  rule: (options) =>
    fsAdaGradRule({
      targetAverageDenominator: options.number("fsAdagradTargetAvDenom", 1),
      varianceTimeConstant: options.size("varianceTimeConstant", 2 * 3600 * 100),
    }),
};
