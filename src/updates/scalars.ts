import { penaltyScalars } from "./penalties.js";
import { eachRate, type UpdateNumbers, type UpdateOptions } from "./update-rule.js";

/** What the training loop knows of a minibatch. */
export interface UpdateFacts {
  /** Rate of the epoch, per sample, before a parameter's own multiplier. */
  readonly learningRate: number;
  readonly momentumPerSample: number;
  /** Samples of the minibatch that count for momentum, clipping and penalties (padded, unless the criterion has an axis). */
  readonly samples: number;
  /** The trained parameters; each multiplies the rate by its own learningRateMultiplier. */
  readonly parameters: readonly { readonly multiplier: number }[];
  readonly options: UpdateOptions;
  readonly elementType: "float" | "double";
  /** What the rule's `countAfter` gave for this minibatch; 0 for rules that do not count. */
  readonly count?: number;
}

/**
 * The run-time numbers of entry `update` for one minibatch. They are computed in double and rounded where CNTK casts:
 * `momentum` m = momentumPerSample ^ samples, `gain` 1 − m, `rate` the rate times the multiplier (once per
 * learningRateMultiplier, named by `perRate`); then those of the penalties and those of the rule.
 * Source: SGDLib/SGD.cpp, UpdateWeights; Math/Matrix.cpp.
 */
export function updateScalars(facts: UpdateFacts): Record<string, number> {
  const { samples, options, count = 0 } = facts;
  const round = facts.elementType === "float" ? Math.fround : (x: number) => x;
  const momentum = round(Math.pow(facts.momentumPerSample, samples));
  // CNTK subtracts in double, then casts.
  const gain = round(1 - momentum);
  // The multiplier is a float in CNTK.
  const rates = new Map(
    facts.parameters.map(({ multiplier }) => [multiplier, facts.learningRate * Math.fround(multiplier)]),
  );
  const numbers: UpdateNumbers = { samples, momentum, gain, rates, count, round };
  return {
    momentum,
    gain,
    ...eachRate("rate", numbers, round),
    ...penaltyScalars(numbers, options),
    ...options.rule.scalars?.(numbers),
  };
}
