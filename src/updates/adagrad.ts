import type { NetworkNode } from "../network/network.js";
import { elementCount } from "../network/network.js";
import {
  add,
  argument,
  constant,
  divide,
  multiply,
  scalar,
  subtract,
  unary,
} from "../primitives/expression.js";
import { mapTouched, reduceTouched } from "./touched.js";
import { perRate, type UpdateContext, type UpdateRule, type UpdateRuleEntry } from "./update-rule.js";

/** The floor under the root, a float in CNTK. */
const floor = constant(Math.fround(1e-16));
const [first, second, third] = [argument(0), argument(1), argument(2)];
const grown = add(first, multiply(second, second));
const inverse = divide(constant(1), first);

export interface AdaGradOptions {
  /** Divide the rate by the average multiplier. */
  readonly normWithAveMultiplier: boolean;
}

export function adaGradRule(options: AdaGradOptions): UpdateRule {
  return {
    entry: adaGrad,
    options: { ...options },
    memory: ["squares"],
    update(context) {
      const { build, gradient, memory } = context;
      const sums = build.map(grown, [...memory, gradient]);
      const root = build.map(unary("squareRoot", add(first, floor)), [sums]);
      const scaled = build.map(divide(first, second), [gradient, root]);
      const multipliers = options.normWithAveMultiplier ? build.map(inverse, [root]) : null;
      return { memory: [sums], gradient: scaled, weights: scaledStep(context, scaled, multipliers) };
    },
    /** The mean is that of the touched columns. */
    touched({ build, weights, gradient, memory: [squares], multiplier }) {
      if (!squares) throw new Error("AdaGrad remembers one number");
      const sums = mapTouched(build, add(second, multiply(first, first)), [gradient, squares]);
      const root = mapTouched(build, unary("squareRoot", add(first, floor)), [sums]);
      const scaled = mapTouched(build, divide(first, second), [gradient, root]);
      const rate = scalar(perRate("rate", multiplier));
      const average = options.normWithAveMultiplier
        ? [reduceTouched(build, "mean", mapTouched(build, inverse, [root]))]
        : [];
      const factor = options.normWithAveMultiplier ? divide(rate, third) : rate;
      const moved = subtract(second, multiply(factor, first));
      return {
        memory: [sums],
        gradient: scaled,
        weights: mapTouched(build, moved, [scaled, weights, ...average]),
      };
    },
  };
}

export const adaGrad: UpdateRuleEntry = {
  name: "AdaGrad",
  doc:
    "a = a + g²;  w = w − (rate / mean(1/√a)) · g/√a  (the mean only with normWithAveMultiplier).  " +
    "A sparse gradient: the same in its columns, the mean over them",
  source: "Source/Math/CPUMatrixImpl.h, Adagrad; CPUSparseMatrix.cpp, Adagrad",
  words: ["adagrad"],
  rule: (options) => adaGradRule({ normWithAveMultiplier: options.boolean("normWithAveMultiplier", true) }),
};

/** w − (rate / mean of the multipliers) · g, or w − rate · g where there are none. */
export function scaledStep(
  { build, weights, multiplier }: Pick<UpdateContext, "build" | "weights" | "multiplier">,
  gradient: NetworkNode,
  multipliers: NetworkNode | null,
): NetworkNode {
  const rate = scalar(perRate("rate", multiplier));
  if (!multipliers) return build.map(subtract(first, multiply(rate, second)), [weights, gradient]);
  const count = elementCount(build.facts(multipliers).shape);
  const total = build.reduceTo(build.reshape(multipliers, [count]), [1], null);
  const average = build.map(divide(first, constant(count)), [total]);
  return build.map(subtract(first, multiply(divide(rate, third), second)), [weights, gradient, average]);
}
