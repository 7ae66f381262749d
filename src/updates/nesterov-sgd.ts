import { argument, binary, constant, multiply, scalar, select, subtract } from "../primitives/expression.js";
import { momentumScalars, momentumSgd, smoothedGradient, touchedMomentum } from "./momentum-sgd.js";
import { mapTouched, whole } from "./touched.js";
import { perRate, type UpdateRule, type UpdateRuleEntry } from "./update-rule.js";

const momentum = scalar("momentum");

const rule: UpdateRule = {
  get entry() {
    return nesterovSgd;
  },
  options: {},
  memory: ["smoothedGradient"],
  scalars: momentumScalars,
  update(context) {
    const next = smoothedGradient(context);
    const step = scalar(perRate("step", context.multiplier));
    const ahead = subtract(argument(0), multiply(momentum, argument(1)));
    const moved = subtract(ahead, multiply(step, argument(2)));
    return {
      memory: [next],
      weights: context.build.map(moved, [context.weights, next, context.gradient]),
      gradient: context.gradient,
    };
  },
  /** w − m·s is taken of the whole matrix, with columns that earlier minibatches touched; w stays as it is where m is 0. */
  touched(context) {
    const { build, weights, memory, multiplier } = context;
    const [s] = memory;
    if (!s) throw new Error("Nesterov momentum remembers one number");
    const next = touchedMomentum(context);
    const smoothed = whole(build, s, next.memory);
    const ahead = build.map(subtract(argument(0), multiply(momentum, argument(1))), [weights, smoothed]);
    const step = scalar(perRate("step", multiplier));
    const moved = select(
      binary("equal", momentum, constant(0)),
      argument(1),
      subtract(argument(1), multiply(step, argument(0))),
    );
    const columns = mapTouched(build, moved, [context.gradient, ahead]);
    return { memory: [smoothed], weights: whole(build, ahead, columns), gradient: next.gradient };
  },
};

export const nesterovSgd: UpdateRuleEntry = {
  name: "Nesterov momentum SGD",
  doc:
    "s = m·s + (1 − m)·rate·g;  w = w − m·s − (1 − m)·rate·g.  A sparse gradient changes its columns of s only: " +
    "s = m·s + (1 − m)·g;  w = w − m·s everywhere, then − (1 − m)·rate·g",
  source: "Source/Math/Matrix.cpp, NesterovAcceleratedMomentumSGDUpdate",
  words: momentumSgd.words,
  isMeant: (options) => options.boolean("useNAG", false),
  rule: () => rule,
};
