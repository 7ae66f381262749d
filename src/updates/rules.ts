import { adaGrad } from "./adagrad.js";
import { fsAdaGrad } from "./fs-adagrad.js";
import { momentumSgd, nesterovSgd } from "./momentum-sgd.js";
import { rmsProp } from "./rms-prop.js";
import type { UpdateOptions, UpdateRule } from "./update-rule.js";

/** All update rules, in order of increasing complexity. */
export const updateRules: readonly UpdateRule[] = [momentumSgd, nesterovSgd, adaGrad, rmsProp, fsAdaGrad];

/** The rule that the SGD options ask for (SGD.cpp, UpdateWeights). */
export function updateRuleFor(options: UpdateOptions): UpdateRule {
  switch (options.gradientUpdate) {
    case "none":
      return options.useNesterov ? nesterovSgd : momentumSgd;
    case "adagrad":
      return adaGrad;
    case "rmsprop":
      return rmsProp;
    case "fsadagrad":
      return fsAdaGrad;
    default:
      return options.gradientUpdate satisfies never;
  }
}
