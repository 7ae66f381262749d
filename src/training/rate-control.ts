import { CntkError } from "../diagnostics/diagnostic.js";
import type { RunLog } from "../log/run-log.js";
import { rateAdjustedLine, rollBackLine } from "../log/training-lines.js";
import type { AutoAdjustOptions } from "./auto-adjust.js";

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
   * @param firstRate what holds before any rate was listed or found
   * @param resumed what a checkpoint says
   */
  constructor(
    private readonly options: Pick<AutoAdjustOptions, "rates" | "rateControl">,
    private readonly explicitEpochs: number,
    startEpoch: number,
    firstRate: number,
    private readonly log: RunLog,
    resumed?: RateState,
  ) {
    // Without its checkpoint an earlier epoch has no rate, and counts as if its criterion had been 0 (TryLoadCheckPointInfo).
    const isLost = startEpoch > 0;
    this.rate = resumed?.learningRatePerSample ?? (isLost ? NaN : firstRate);
    this.previous = resumed?.previousCriterion ?? (isLost ? 0 : Infinity);
    this.notCounted = startEpoch % options.rateControl.interval;
    if (this.adjusts && !resumed && explicitEpochs <= startEpoch) {
      throw new CntkError({
        code: "learning-rates",
        message:
          'When using "AdjustAfterEpoch", there must either exist a checkpoint file, ' +
          "or an explicit learning rate must be specified in config for the starting epoch.",
        hint: "for example learningRatesPerSample = 0.001",
      });
    }
  }

  private get adjusts(): boolean {
    return this.options.rates === "adjusted after epochs";
  }

  /** Does the schedule say the rate of an epoch? */
  isListed(epoch: number): boolean {
    return this.options.rates === "scheduled" || epoch < this.explicitEpochs;
  }

  /** Takes the rate that an epoch is to have. */
  use(rate: number): void {
    this.rate = rate;
  }

  get state(): RateState {
    return { learningRatePerSample: this.rate, previousCriterion: this.previous };
  }

  /** The number of an epoch within its interval, from 1 to the interval. */
  positionOf(epoch: number): number {
    return (epoch % this.options.rateControl.interval) + 1;
  }

  /** Does an epoch end an interval? */
  private decides(epoch: number): boolean {
    return this.positionOf(epoch) === this.options.rateControl.interval;
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
    const { interval, loadBestModel } = this.options.rateControl;
    this.count(epoch, criterion);
    const decides = this.decides(epoch);
    const { average } = this;
    let rolledBack = false;
    if (this.adjusts && this.explicitEpochs <= epoch && decides) {
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
    const { continueReduce, reduceUpTo, decreaseFactor, increaseAbove, increaseFactor } =
      this.options.rateControl;
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
