import {
  add,
  argument,
  binary,
  constant,
  divide,
  multiply,
  select,
  subtract,
  unary,
} from "../primitives/expression.js";
import { scaledStep } from "./adagrad.js";
import type { UpdateRule, UpdateRuleEntry } from "./update-rule.js";

/** The floor under the root, a float in CNTK. */
const floor = constant(Math.fround(1e-6));
const firstStep = 0.02;

export interface RmsPropOptions {
  readonly gamma: number;
  readonly increase: number;
  readonly decrease: number;
  readonly maximum: number;
  readonly minimum: number;
  /** Divide the rate by the average multiplier. */
  readonly normWithAveMultiplier: boolean;
}

export function rmsPropRule(options: RmsPropOptions): UpdateRule {
  const { gamma, increase, decrease, maximum, minimum } = options;
  return {
    entry: rmsProp,
    options: { ...options },
    memory: ["variance", "sign", "step"],
    update(context) {
      const { build, gradient, memory } = context;
      const [variance, sign, step] = memory;
      if (!variance || !sign || !step) throw new Error("RMSProp remembers three numbers");
      const [g, v] = [argument(0), argument(1)];
      // A step of 0 marks the first call: steps never get below the minimum afterwards.
      const isFirst = (of: number) => binary("equal", argument(of), constant(0));
      const squared = multiply(g, g);
      const nextVariance = build.map(
        add(
          multiply(constant(gamma), select(isFirst(2), squared, v)),
          multiply(subtract(constant(1), constant(gamma)), squared),
        ),
        [gradient, variance, step],
      );
      const nextSign = build.map(unary("sign", g), [gradient]);
      const known = select(isFirst(2), constant(firstStep), argument(2));
      const agrees = binary("greater", multiply(argument(0), argument(1)), constant(0));
      const nextStep = build.map(
        select(
          agrees,
          binary("minimum", multiply(known, constant(increase)), constant(maximum)),
          binary("maximum", multiply(known, constant(decrease)), constant(minimum)),
        ),
        [sign, nextSign, step],
      );
      const factor = build.map(divide(argument(0), unary("squareRoot", add(argument(1), floor))), [
        nextStep,
        nextVariance,
      ]);
      const scaled = build.map(multiply(argument(0), argument(1)), [gradient, factor]);
      return {
        memory: [nextVariance, nextSign, nextStep],
        gradient: scaled,
        weights: scaledStep(context, scaled, options.normWithAveMultiplier ? factor : null),
      };
    },
    touched: { function: "RmsProp", line: 1837 },
  };
}

export const rmsProp: UpdateRuleEntry = {
  name: "RMSProp",
  doc:
    "v = γ·v + (1 − γ)·g²; a weight's step grows while the sign of its gradient stays and shrinks when it does not; " +
    "f = step/√v;  w = w − (rate / mean(f)) · f·g",
  source: "Source/Math/CPUMatrixImpl.h, RmsProp",
  words: ["rmsprop"],
  rule: (options) =>
    rmsPropRule({
      gamma: options.number("rms_gamma", 0.99),
      increase: options.number("rms_wgt_inc", 1.2),
      decrease: options.number("rms_wgt_dec", 0.75),
      maximum: options.number("rms_wgt_max", 10),
      minimum: options.number("rms_wgt_min", 0.1),
      normWithAveMultiplier: options.boolean("normWithAveMultiplier", true),
    }),
};
