import type { ConfigSection } from "../config/config-section.js";
import type { Schedule } from "../config/schedule.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";

/** What an AutoAdjust section says: who sets learning rates and minibatch sizes, and how (SGDLib/SGD.cpp, SGDParams). */
export interface AutoAdjustOptions {
  /** `autoAdjustLR`: the schedule says every rate, or what comes behind it is searched for or follows the criterion. */
  readonly rates: "scheduled" | "searched before epochs" | "adjusted after epochs";
  readonly rateControl: RateControlOptions;
  readonly search: RateSearchOptions;
  /** Absent: the schedule says every minibatch size. */
  readonly minibatchTuning?: MinibatchTuningOptions;
  /** Samples of the short trainings that searches make. */
  readonly searchSamples: Schedule;
  /** Where there are validation data, they control the learning rate. */
  readonly validationControlsRate: boolean;
  /** The first evaluation node controls the learning rate, not the criterion. */
  readonly evaluationControlsRate: boolean;
}

/** `autoAdjustLR = adjustAfterEpoch`. */
export interface RateControlOptions {
  /** Epochs between two decisions. */
  readonly interval: number;
  /** A relative improvement up to this one lowers the rate. */
  readonly reduceUpTo: number;
  readonly decreaseFactor: number;
  /** A relative improvement above this one raises it. */
  readonly increaseAbove: number;
  readonly increaseFactor: number;
  /** Once lowered, the rate is lowered every time, and too small an improvement ends the training. */
  readonly continueReduce: boolean;
  /** Go back to the last decision's model when the criterion has become worse. */
  readonly loadBestModel: boolean;
}

/** `autoAdjustLR = searchBeforeEpoch`. */
export interface RateSearchOptions {
  /** How many earlier rates are remembered: a search begins above the largest of them. */
  readonly rememberedRates: number;
  /** In so many epochs from the first one a search is finer. */
  readonly thoroughEpochs: number;
}

/** `autoAdjustMinibatch = true`. */
export interface MinibatchTuningOptions {
  /** Epochs between two searches. */
  readonly frequency: number;
  readonly largest: number;
  /** By how many percent the criterion may be worse than with the smallest size. */
  readonly errorMargin: number;
}

/**
 * Reads an AutoAdjust section, or what holds without one; `span` is where the section is named.
 * @throws CntkError with CNTK's message for values that it refuses.
 */
export function readAutoAdjust(
  adjust: ConfigSection | undefined,
  span: Span | undefined,
  minibatchSizes: Schedule,
): AutoAdjustOptions {
  const tunes = adjust?.boolean("autoAdjustMinibatch", false) ?? false;
  const minibatchTuning = readMinibatchTuning(adjust);
  return {
    rates: rateWord(adjust, span),
    rateControl: readRateControl(adjust),
    search: {
      rememberedRates: Math.max(1, adjust?.size("numPrevLearnRates", 5) ?? 5),
      thoroughEpochs: adjust?.size("numBestSearchEpoch", 1) ?? 1,
    },
    ...(tunes && { minibatchTuning }),
    searchSamples: searchSamples(adjust, minibatchSizes),
    validationControlsRate: adjust?.boolean("UseCVSetControlLRIfCVExists", true) ?? true,
    evaluationControlsRate: adjust?.boolean("UseEvalCriterionControlLR", false) ?? false,
  };
}

function readMinibatchTuning(adjust: ConfigSection | undefined): MinibatchTuningOptions {
  return {
    frequency: Math.max(1, adjust?.size("minibatchSizeTuningFrequency", 1) ?? 1),
    largest: adjust?.size("minibatchSizeTuningMax", 1048576) ?? 1048576,
    errorMargin: adjust?.size("minibatchSearchCriterionErrorMargin", 1) ?? 1,
  };
}

function rateWord(adjust: ConfigSection | undefined, span: Span | undefined): AutoAdjustOptions["rates"] {
  const word = adjust?.string("autoAdjustLR", "none").toLowerCase() ?? "none";
  if (/^(searchbeforeepoch|beforeepoch|before)$/.test(word)) return "searched before epochs";
  if (/^(adjustafterepoch|afterepoch|after)$/.test(word)) return "adjusted after epochs";
  if (/^(none|false)$/.test(word)) return "scheduled";
  throw new CntkError({
    code: "learning-rate-search",
    message:
      "autoAdjustLR: Invalid learning rate search type. Valid values are (none | searchBeforeEpoch | adjustAfterEpoch)",
    span,
  });
}

function readRateControl(adjust: ConfigSection | undefined): RateControlOptions {
  const decreaseFactor = adjust?.number("learnRateDecreaseFactor", 0.618) ?? 0.618;
  const increaseFactor = adjust?.number("learnRateIncreaseFactor", 1.382) ?? 1.382;
  if (decreaseFactor > 1 || increaseFactor < 1) {
    throw new CntkError({
      code: "learning-rate-factor",
      message: "learnRateIncreaseFactor must be >= 1 and learnRateDecreaseFactor must be <= 1.",
      span: adjust?.keySpan(decreaseFactor > 1 ? "learnRateDecreaseFactor" : "learnRateIncreaseFactor"),
    });
  }
  return {
    interval: Math.max(1, adjust?.size("learnRateAdjustInterval", 1) ?? 1),
    reduceUpTo: adjust?.number("reduceLearnRateIfImproveLessThan", 0) ?? 0,
    decreaseFactor,
    increaseAbove: adjust?.number("increaseLearnRateIfImproveMoreThan", Infinity) ?? Infinity,
    increaseFactor,
    continueReduce: adjust?.boolean("continueReduce", false) ?? false,
    loadBestModel: adjust?.boolean("loadBestModel", true) ?? true,
  };
}

/** Given in samples, or as of old in minibatches. */
function searchSamples(adjust: ConfigSection | undefined, minibatchSizes: Schedule): Schedule {
  if (adjust?.has("numMiniBatch4LRSearch")) {
    const counts = adjust.integerSchedule("numMiniBatch4LRSearch", [500]);
    return counts.map((count, epoch) => count * minibatchSizes.at(epoch));
  }
  const usual = minibatchSizes.map((size) => size * 500);
  return adjust?.integerSchedule("numSamples4Search", usual.values) ?? usual;
}
