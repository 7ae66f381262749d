import { adaGrad } from "./adagrad.js";
import { fsAdaGrad } from "./fs-adagrad.js";
import { momentumSgd } from "./momentum-sgd.js";
import { nesterovSgd } from "./nesterov-sgd.js";
import { rmsProp } from "./rms-prop.js";
import type { OptionSource, UpdateRuleEntry } from "./update-rule.js";

/** All update rules. To add one: its file, and its line here. */
export const updateRules: readonly UpdateRuleEntry[] = [
  nesterovSgd,
  momentumSgd,
  adaGrad,
  rmsProp,
  fsAdaGrad,
];

/**
 * The rule that a word of gradUpdateType (in any case) asks for together with the other options; undefined for an unknown
 * word (SGD.cpp, ParseGradUpdateType and UpdateWeights).
 */
export function updateRuleFor(word: string, options: OptionSource): UpdateRuleEntry | undefined {
  const wanted = word.toLowerCase();
  return updateRules.find(
    ({ words, isMeant }) => words.includes(wanted) && (isMeant === undefined || isMeant(options)),
  );
}
