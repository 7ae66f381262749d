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
import { perRate } from "./scalars.js";
import type { UpdateContext, UpdateRule } from "./update-rule.js";

/** The floor under the root, a float in CNTK. */
const floor = constant(Math.fround(1e-16));

export const adaGrad: UpdateRule = {
  name: "AdaGrad",
  doc: "a = a + g²;  w = w − (rate / mean(1/√a)) · g/√a  (the mean only with normWithAveMultiplier)",
  source: "Source/Math/CPUMatrixImpl.h, Adagrad",
  memory: ["squares"],
  update({ build, weights, gradient, memory, multiplier, options }) {
    const sums = build.map(add(argument(0), multiply(argument(1), argument(1))), [...memory, gradient]);
    const root = build.map(unary("squareRoot", add(argument(0), floor)), [sums]);
    const scaled = build.map(divide(argument(0), argument(1)), [gradient, root]);
    const inverse = build.map(divide(constant(1), argument(0)), [root]);
    const context = { build, weights, multiplier, options };
    return { memory: [sums], gradient: scaled, weights: scaledStep(context, scaled, inverse) };
  },
};

/** w − (rate / mean of the multipliers) · g, or w − rate · g where normWithAveMultiplier is off. */
export function scaledStep(
  {
    build,
    weights,
    multiplier,
    options,
  }: Pick<UpdateContext, "build" | "weights" | "multiplier" | "options">,
  gradient: NetworkNode,
  multipliers: NetworkNode,
): NetworkNode {
  const rate = scalar(perRate("rate", multiplier));
  const [w, g] = [argument(0), argument(1)];
  if (options.normWithAveMultiplier === false)
    return build.map(subtract(w, multiply(rate, g)), [weights, gradient]);
  const count = elementCount(build.facts(multipliers).shape);
  const total = build.reduceTo(build.reshape(multipliers, [count]), [1], null);
  const average = build.map(divide(argument(0), constant(count)), [total]);
  return build.map(subtract(w, multiply(divide(rate, argument(2)), g)), [weights, gradient, average]);
}
