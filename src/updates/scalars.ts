import type { UpdateOptions } from "./update-rule.js";

/** What the training loop knows of a minibatch. */
export interface UpdateFacts {
  /** Rate of the epoch, per sample, before a parameter's own multiplier. */
  readonly learningRate: number;
  readonly momentumPerSample: number;
  /** Samples of the minibatch that count for momentum, clipping and penalties (padded, unless the criterion has an axis). */
  readonly samples: number;
  readonly parameters: readonly ScaledParameter[];
  readonly options: UpdateOptions;
  readonly elementType: "float" | "double";
}

export interface ScaledParameter {
  /** learningRateMultiplier. */
  readonly multiplier: number;
  /** FSAdaGrad's number of samples seen, fading; the checkpoint keeps it. */
  readonly counter: { value: number };
}

/** Name of a run-time number that depends on a parameter's learningRateMultiplier. */
export function perRate(name: string, multiplier: number): string {
  return multiplier === 1 ? name : `${name}*${multiplier}`;
}

/**
 * The run-time numbers of entry `update` for one minibatch. They are computed in double and rounded where CNTK casts:
 *
 * - `momentum`: m = momentumPerSample ^ samples; `gain`: 1 − m
 * - `rate`: the rate times the multiplier; `step`: gain · rate, in the element type; `stepOverMomentum`: step / m
 * - `l1`, `l2`, `clip`: weight or threshold times the samples (`l1` also times the rate)
 * - `varianceMomentum`, `varianceGain`, `denominator`: FSAdaGrad
 *
 * `rate`, `step`, `stepOverMomentum` and `l1` come once per learningRateMultiplier, named by `perRate`.
 * Calling it advances the counters of FSAdaGrad, so call it once per update.
 * Source: SGDLib/SGD.cpp, UpdateWeights; Math/Matrix.cpp.
 */
export function updateScalars(facts: UpdateFacts): Record<string, number> {
  const { samples, options, parameters } = facts;
  const round = facts.elementType === "float" ? Math.fround : (x: number) => x;
  const momentum = round(Math.pow(facts.momentumPerSample, samples));
  // CNTK subtracts in double, then casts.
  const gain = round(1 - momentum);
  const scalars: Record<string, number> = { momentum, gain, l2: round(options.l2Weight * samples) };
  if (Number.isFinite(options.clippingThresholdPerSample)) {
    scalars["clip"] = round(options.clippingThresholdPerSample * samples);
  }
  for (const multiplier of new Set(parameters.map((parameter) => parameter.multiplier))) {
    // The multiplier is a float in CNTK.
    const rate = facts.learningRate * Math.fround(multiplier);
    const step = round(gain * round(rate));
    scalars[perRate("rate", multiplier)] = round(rate);
    scalars[perRate("step", multiplier)] = step;
    scalars[perRate("stepOverMomentum", multiplier)] = momentum === 0 ? 0 : round(step / momentum);
    scalars[perRate("l1", multiplier)] = round(rate * options.l1Weight * samples);
  }
  if (options.gradientUpdate === "fsadagrad") addDenominator(scalars, facts, round);
  return scalars;
}

/** FSAdaGrad aims at a given average denominator: the more samples it has seen, the larger its numerator. */
function addDenominator(
  scalars: Record<string, number>,
  { samples, options, parameters }: UpdateFacts,
  round: (x: number) => number,
): void {
  const { targetAverageDenominator = 1, varianceTimeConstant = 2 * 3600 * 100 } = options.fsAdaGrad ?? {};
  const varianceMomentum = Math.exp((-1 * samples) / varianceTimeConstant);
  for (const { counter } of parameters) {
    counter.value = varianceMomentum * counter.value + (1 - varianceMomentum) * samples;
  }
  // All parameters have seen the same samples.
  const count = parameters[0]?.counter.value ?? 0;
  scalars["varianceMomentum"] = round(varianceMomentum);
  scalars["varianceGain"] = round(1 - round(varianceMomentum));
  scalars["denominator"] = round(targetAverageDenominator * Math.sqrt(count));
}
