import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import type { RunLog } from "../log/run-log.js";
import { rateAdjustedLine, rollBackLine } from "../log/training-lines.js";
import { notAvailable } from "./refused-options.js";

/** The part of an AutoAdjust section that controls the learning rate (SGDLib/SGD.cpp, SGDParams). */
export interface RateControlOptions {
  /** `autoAdjustLR = adjustAfterEpoch`; else the schedule says every rate. */
  readonly adjustsAfterEpoch: boolean;
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

/**
 * Reads an AutoAdjust section, or what holds without one; `span` is where the section is named. Searching for rates and adapting minibatch sizes are refused.
 * @throws CntkError with CNTK's message for values that it refuses.
 */
export function readRateControl(
  adjust: ConfigSection | undefined,
  span: Span | undefined,
): RateControlOptions {
  const word = adjust?.string("autoAdjustLR", "none").toLowerCase() ?? "none";
  if (!/^(|none|false|searchbeforeepoch|beforeepoch|before|adjustafterepoch|afterepoch|after)$/.test(word)) {
    throw new CntkError({
      code: "learning-rate-search",
      message:
        "autoAdjustLR: Invalid learning rate search type. Valid values are (none | searchBeforeEpoch | adjustAfterEpoch)",
      span,
    });
  }
  const decreaseFactor = adjust?.number("learnRateDecreaseFactor", 0.618) ?? 0.618;
  const increaseFactor = adjust?.number("learnRateIncreaseFactor", 1.382) ?? 1.382;
  if (decreaseFactor > 1 || increaseFactor < 1) {
    throw new CntkError({
      code: "learning-rate-factor",
      message: "learnRateIncreaseFactor must be >= 1 and learnRateDecreaseFactor must be <= 1.",
      span: adjust?.keySpan(decreaseFactor > 1 ? "learnRateDecreaseFactor" : "learnRateIncreaseFactor"),
    });
  }
  if (adjust && /before/.test(word)) {
    notAvailable(adjust, "autoAdjustLR", `autoAdjustLR = ${adjust.string("autoAdjustLR")}`);
  }
  if (adjust?.boolean("autoAdjustMinibatch", false)) notAvailable(adjust, "autoAdjustMinibatch");
  return {
    adjustsAfterEpoch: /after/.test(word),
    interval: Math.max(1, adjust?.size("learnRateAdjustInterval", 1) ?? 1),
    reduceUpTo: adjust?.number("reduceLearnRateIfImproveLessThan", 0) ?? 0,
    decreaseFactor,
    increaseAbove: adjust?.number("increaseLearnRateIfImproveMoreThan", Infinity) ?? Infinity,
    increaseFactor,
    continueReduce: adjust?.boolean("continueReduce", false) ?? false,
    loadBestModel: adjust?.boolean("loadBestModel", true) ?? true,
  };
}

/** CNTK's error for a training that has run away. */
export function notANumber(): CntkError {
  return new CntkError({
    code: "criterion-nan",
    message: "The training criterion is not a number (NAN).",
    hint: "a smaller learning rate, or input data of a smaller scale, often helps",
  });
}

/** What controls the rate beside the options: what a checkpoint keeps of it. */
export interface RateState {
  readonly learningRatePerSample: number;
  /** The criterion of the last decision; infinite before the first. */
  readonly previousCriterion: number;
}

/** What an epoch's criterion led to. */
export type RateDecision =
  /** Go on with the next epoch. */
  | "continue"
  /** Repeat the epochs since the last decision, whose model is in place again. */
  | "rolled back"
  /** The training is done; the present model is the final one. */
  | "finished";

/**
 * Controls the learning rate by the criterion at the end of epochs: lowers it where the improvement is small, raises it
 * where it is large, goes back to an earlier model where there is none. It keeps its books in trainings with a fixed
 * schedule too, since checkpoints hold them. Source: SGDLib/SGD.cpp, TrainOrAdaptModel.
 */
export class RateControl {
  private rate: number;
  private previous: number;
  /** Running mean of the criterion since the last decision. */
  private average = Infinity;
  /** Epochs of the first interval that an earlier run has had. */
  private notCounted: number;
  private reduced = false;

  /**
   * @param explicitEpochs epochs whose rates are listed
   * @param resumed what a checkpoint says
   */
  constructor(
    private readonly options: RateControlOptions,
    private readonly explicitEpochs: number,
    startEpoch: number,
    private readonly log: RunLog,
    resumed?: RateState,
  ) {
    this.rate = resumed?.learningRatePerSample ?? 0;
    this.previous = resumed?.previousCriterion ?? Infinity;
    this.notCounted = startEpoch % options.interval;
    if (options.adjustsAfterEpoch && !resumed && explicitEpochs <= startEpoch) {
      throw new CntkError({
        code: "learning-rates",
        message:
          'When using "AdjustAfterEpoch", there must either exist a checkpoint file, ' +
          "or an explicit learning rate must be specified in config for the starting epoch.",
        hint: "for example learningRatesPerSample = 0.001",
      });
    }
  }

  /** The rate of an epoch; `scheduled` is asked where it is listed. */
  rateFor(epoch: number, scheduled: () => number): number {
    if (!this.options.adjustsAfterEpoch || epoch < this.explicitEpochs) this.rate = scheduled();
    return this.rate;
  }

  get state(): RateState {
    return { learningRatePerSample: this.rate, previousCriterion: this.previous };
  }

  /** The number of an epoch within its interval, from 1 to the interval. */
  positionOf(epoch: number): number {
    return (epoch % this.options.interval) + 1;
  }

  /** Does an epoch end an interval? */
  private decides(epoch: number): boolean {
    return this.positionOf(epoch) === this.options.interval;
  }

  /**
   * Takes the criterion of an epoch and changes the rate. `restore` puts the model of an earlier epoch in place and tells
   * its books; the name of its file is for the log.
   * @throws CntkError `criterion-nan` where nothing can be done about it.
   */
  async afterEpoch(
    epoch: number,
    criterion: number,
    modelOf: (epoch: number) => string,
    restore: (epoch: number) => Promise<RateState>,
  ): Promise<RateDecision> {
    const { interval, adjustsAfterEpoch, loadBestModel } = this.options;
    this.count(epoch, criterion);
    const decides = this.decides(epoch);
    const { average } = this;
    let rolledBack = false;
    if (adjustsAfterEpoch && this.explicitEpochs <= epoch && decides) {
      const worse = Number.isNaN(average) || (this.previous - average < 0 && Number.isFinite(this.previous));
      if (worse && loadBestModel) {
        this.log.stamped(rollBackLine(modelOf(epoch - interval)));
        const books = await restore(epoch - interval);
        this.rate = books.learningRatePerSample;
        this.previous = books.previousCriterion;
        rolledBack = true;
      }
      if (this.adjust(average) === "finished") return "finished";
    } else if (Number.isNaN(average)) {
      throw notANumber();
    }
    if (rolledBack) return "rolled back";
    if (decides) {
      this.previous = average;
      this.notCounted = 0;
    }
    return "continue";
  }

  private count(epoch: number, criterion: number): void {
    if (this.average === Infinity) {
      this.average = criterion;
      return;
    }
    const epochs = this.positionOf(epoch) - this.notCounted;
    this.average = ((epochs - 1) * this.average + criterion) / epochs;
  }

  private adjust(average: number): "finished" | undefined {
    const { continueReduce, reduceUpTo, decreaseFactor, increaseAbove, increaseFactor } = this.options;
    const { previous } = this;
    const known = previous !== Infinity;
    const small = Number.isNaN(average) || (known && previous - average <= reduceUpTo * previous);
    if (continueReduce && small) {
      if (this.reduced) return "finished";
      this.reduced = true;
    }
    if (continueReduce ? this.reduced : small) {
      this.rate *= decreaseFactor;
      this.log.stamped(rateAdjustedLine("reduced", this.rate));
    } else if (!continueReduce && known && previous - average > increaseAbove * previous) {
      this.rate *= increaseFactor;
      this.log.stamped(rateAdjustedLine("increased", this.rate));
    }
    return undefined;
  }
}
