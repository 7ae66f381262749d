import { formatFixed, formatGeneral } from "../numerics/number-format.js";
import { number } from "./numbers.js";

/** A criterion's sum over a number of samples. */
export interface CriterionSum {
  readonly name: string;
  readonly sum: number;
  readonly count: number;
  /** Print the perplexity behind it on final lines (cross-entropy nodes). */
  readonly perplexity?: boolean;
}

/** Average per sample; 0 when there are no samples. */
export function average(criterion: CriterionSum): number {
  return criterion.count > 0 ? criterion.sum / criterion.count : 0;
}

/** `rmse = 0.33039278 * 64`; names ending in `s` print as percentages (SGDLib/Criterion.h). */
export function criterionText(criterion: CriterionSum): string {
  const value = average(criterion);
  const text = criterion.name.endsWith("s") ? `${number(2, 3, 100 * value)}%` : number(0, 8, value);
  return `${criterion.name} = ${text} * ${criterion.count}`;
}

export interface MinibatchLine {
  /** Words before the line, of a short training. */
  readonly label?: string | undefined;
  /** 1-based. */
  readonly epoch: number;
  readonly epochs: number;
  readonly first: number;
  readonly last: number;
  /** Minibatches of an epoch as far as known; undefined = no percentage (first epoch with epochSize=0). */
  readonly minibatchesPerEpoch: number | undefined;
  readonly criteria: readonly CriterionSum[];
  readonly seconds: number;
  readonly samples: number;
}

/** ` Epoch[ 1 of 3]-Minibatch[   1-   1, 0.11%]: rmse = … * 64; time = 0.0316s; samplesPerSecond = 2026.2` (SGD.cpp). */
export function minibatchLine(line: MinibatchLine): string {
  let range = `${String(line.first).padStart(4)}-${String(line.last).padStart(4)}`;
  if (line.minibatchesPerEpoch !== undefined) {
    const shown = line.last - line.first + 1;
    const digits = Math.max(Math.ceil(Math.log10(line.minibatchesPerEpoch / shown)) - 2, 2);
    // Where the first epoch had no samples at all, nothing is ever done of it.
    const share = line.minibatchesPerEpoch === 0 ? 0 : (100 * line.last) / line.minibatchesPerEpoch;
    range += `, ${formatFixed(share, digits).padStart(2)}%`;
  }
  const criteria = line.criteria.map((criterion) => `${criterionText(criterion)}; `).join("");
  const rate = line.samples / line.seconds;
  return (
    `${line.label ?? ""} Epoch[${String(line.epoch).padStart(2)} of ${line.epochs}]-Minibatch[${range}]: ${criteria}` +
    `time = ${number(0, 4, line.seconds)}s; samplesPerSecond = ${formatFixed(rate, 1)}\n`
  );
}

/** The header of an epoch; rates as `%f`, the time constant in samples. */
export function epochHeader(
  epoch: number,
  learningRate: number,
  effectiveMomentum: number,
  momentumTimeConstant: number,
): string {
  return (
    `Starting Epoch ${epoch}: learning rate per sample = ${formatFixed(learningRate, 6)}  ` +
    `effective momentum = ${formatFixed(effectiveMomentum, 6)}  ` +
    `momentum as time constant = ${formatFixed(momentumTimeConstant, 1)} samples\n`
  );
}

export interface EpochLine {
  readonly epoch: number;
  readonly epochs: number;
  readonly criteria: readonly CriterionSum[];
  readonly totalSamplesSeen: number;
  readonly learningRatePerSample: number;
  readonly seconds: number;
}

/** `Finished Epoch[ 1 of 3]: [Training] rmse = …; totalSamplesSeen = …`. */
export function epochLine(line: EpochLine): string {
  const criteria = line.criteria.map((criterion) => `${criterionText(criterion)}; `).join("");
  return (
    `Finished Epoch[${String(line.epoch).padStart(2)} of ${line.epochs}]: [Training] ${criteria}` +
    `totalSamplesSeen = ${line.totalSamplesSeen}; ` +
    `learningRatePerSample = ${formatGeneral(line.learningRatePerSample, 8)}; ` +
    `epochTime=${formatGeneral(line.seconds, 6)}s\n`
  );
}

/** `rmse = 0.2 * 10000; ce = 0.1 * 10000`, with perplexities on final lines. */
export function criteriaText(criteria: readonly CriterionSum[], final: boolean): string {
  return criteria
    .map((criterion) =>
      final && criterion.perplexity
        ? `${criterionText(criterion)}; perplexity = ${formatFixed(Math.exp(average(criterion)), 8)}`
        : criterionText(criterion),
    )
    .join("; ");
}

/** `Minibatch[1-10]: …` and, with `final`, `Final Results: Minibatch[1-10]: …` (SimpleEvaluator.h). */
export function evaluationLine(
  first: number,
  last: number,
  criteria: readonly CriterionSum[],
  final: boolean,
): string {
  return `${final ? "Final Results: " : ""}Minibatch[${first}-${last}]: ${criteriaText(criteria, final)}\n`;
}

/** `Finished Epoch[ 1 of 3]: [Validate] ce = …; err = …` after the cross validation of an epoch. */
export function validationLine(epoch: number, epochs: number, criteria: readonly CriterionSum[]): string {
  return `Finished Epoch[${String(epoch).padStart(2)} of ${epochs}]: [Validate] ${criteriaText(criteria, false)}\n`;
}

/** `Best epoch per criterion so far: [Validate] ce = 0.1 (Epoch 2); …`; epochs count from 1. */
export function bestEpochsLine(
  best: readonly { readonly name: string; readonly minimum: number; readonly epoch: number }[],
): string {
  const texts = best.map(
    ({ name, minimum, epoch }) => `${name} = ${formatFixed(minimum, 6)} (Epoch ${epoch})`,
  );
  return `Best epoch per criterion so far: [Validate] ${texts.join("; ")}\n`;
}

/** The copy of a best epoch's model, at the end of a training. */
export function bestModelLine(criterion: string, epoch: number, model: string, copy: string): string {
  return `Best epoch for criterion '${criterion}' is ${epoch} and model ${model} copied to ${copy}\n`;
}

/** A learning rate below its minimum ends a training. */
export function rateBelowMinimumLine(epoch: number, rate: number, minimum: number): string {
  return (
    `Learn Rate Per Sample for Epoch[${epoch}] = ${formatGeneral(rate, 8)} is less than ` +
    `minLearningRatePerSample ${formatGeneral(minimum, 8)}. Training complete.\n`
  );
}

/** `learnRatePerSample reduced to 0.05`. */
export function rateAdjustedLine(how: "reduced" | "increased", rate: number): string {
  return `learnRatePerSample ${how} to ${formatGeneral(rate, 8)}\n`;
}

/** An epoch that made the criterion worse is undone. */
export function rollBackLine(model: string): string {
  return `Loading (rolling back to) previous model with best training-criterion value: ${model}.\n`;
}

/** CNTK says that it stops here, and does not. */
export function rateVanishedLine(rate: number): string {
  return `learnRate per sample is reduced to ${formatGeneral(rate, 8)} which is below 1e-12. stop training.\n`;
}

/** What is left of undone epochs; epochs count from 1. */
export function removedEpochLine(epoch: number, after: number): string {
  return `SGD: removing model and checkpoint files for epoch ${epoch} after rollback to epoch ${after}\n`;
}

/** The dropout rate of an epoch, where it is another one than before. */
export function dropoutLines(rate: number, hasDropout: boolean): string[] {
  const set = `Setting dropout rate to ${formatGeneral(rate, 8)}.\n`;
  if (hasDropout || rate <= 0) return [set];
  return [set, "WARNING: Attempting to set dropout rate, but there is no dropout node in the network.\n"];
}

/** The criteria of a short training that a search makes. */
export function miniEpochLine(
  epoch: number,
  criteria: readonly CriterionSum[],
  learningRate: number,
  minibatchSize: number,
): string {
  const sums = criteria.map((criterion) => `${criterionText(criterion)}; `).join("");
  const rate = formatGeneral(learningRate, 8);
  return ` Finished Mini-Epoch[${epoch}]: ${sums}learningRatePerSample = ${rate}; minibatchSize = ${minibatchSize}\n`;
}

/** What a search for a learning rate has found. */
export function bestRateLine(epoch: number, rate: number, baseCriterion: number): string {
  return (
    ` SearchForBestLearnRate Epoch[${epoch}]: Best learningRatePerSample = ${formatGeneral(rate, 10)}, ` +
    `baseCriterion=${formatGeneral(baseCriterion, 10)}\n`
  );
}

const fixed8 = (value: number): string => formatFixed(value, 8);

/** The lines of a search for a minibatch size (SGD.cpp, AdaptiveMinibatchSizing and SearchForBestMinibatchSize). */
export const minibatchSearchLines = {
  adapted: (size: number): string => `Minibatch size adapted to ${size}.\n`,
  reset: (previous: number): string =>
    ` Before Epoch[2], previous minibatchSize ${previous} is considered invalid -> resetting.\n`,
  skipped: (epoch: number, kept: number): string =>
    ` AdaptiveMinibatchSearch: Search for a better minibatchSize in epoch ${epoch} skipped, keeping minibatchSize of ${kept}\n`,
  range: (epoch: number, from: number, to: number): string =>
    ` AdaptiveMinibatchSearch Epoch[${epoch}]: Evaluating minibatchSizes ${from}..${to}\n`,
  trial: (epoch: number, size: number, from: number, to: number): string =>
    ` AdaptiveMinibatchSearch Epoch[${epoch}]: Evaluating trial minibatchSize=${size} (search range: ${from}..${to})...\n`,
  base: (epoch: number, criterion: number, size: number): string =>
    ` AdaptiveMinibatchSearch Epoch[${epoch}]: Computed baseCriterion ${fixed8(criterion)} for minibatchSize=${size}\n`,
  goOn: (epoch: number, criterion: number, base: number): string =>
    ` AdaptiveMinibatchSearch Epoch[${epoch}]: Keep searching... epochCriterion = ${fixed8(criterion)} vs. baseCriterion = ${fixed8(base)}\n`,
  found: (epoch: number, size: number, criterion: number, base: number): string =>
    ` AdaptiveMinibatchSearch Epoch[${epoch}]: Search successful. New minibatchSize is ${size}. ` +
    `epochCriterion = ${fixed8(criterion)} vs baseCriterion = ${fixed8(base)}\n`,
} as const;
