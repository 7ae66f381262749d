import type { RunLog } from "../log/run-log.js";
import { average, bestRateLine, type CriterionSum } from "../log/training-lines.js";
import type { RateState } from "./rate-control.js";
import type { SgdOptions } from "./sgd-options.js";

/** What a search tries rates with. */
export interface RateTrials {
  /** Puts the model in place that the epoch begins with; its books. */
  baseModel(): Promise<RateState>;
  /** The criterion after a short training with a rate; `label` goes before its lines in the log. */
  trial(rate: number, label: string): Promise<CriterionSum>;
}

/** CNTK's golden section, as number of single and of double precision. */
const single = Math.fround(0.618);
const golden = 0.618;

/** The short form of the options that a search reads. */
type Options = Pick<SgdOptions, "autoAdjust" | "minibatchSizes" | "minLearningRatePerSample" | "epochSize">;

/**
 * `autoAdjustLR = searchBeforeEpoch`: before an epoch without a listed rate, short trainings find the largest one that does
 * no harm; in the first epochs a finer search follows. Source: SGDLib/SGD.cpp, SearchForBestLearnRate.
 */
export class RateSearch {
  private readonly earlier: number[];
  /** Has there been an epoch, or a checkpoint? */
  private initialized: boolean;
  /** The last rate that was found, compared with the one before. */
  lastChange = 1;

  constructor(
    private readonly options: Options,
    startEpoch: number,
    private readonly log: RunLog,
    resumed?: RateState,
  ) {
    this.earlier = new Array<number>(options.autoAdjust.search.rememberedRates).fill(-1);
    this.initialized = resumed !== undefined;
    if (resumed) this.remember(startEpoch, resumed.learningRatePerSample);
  }

  /** The rate of an epoch has been chosen, here or elsewhere. */
  passed(): void {
    this.initialized = true;
  }

  /** Looks for the rate of an epoch; `current` is that of the epoch before. */
  async rateFor(epoch: number, current: number, trials: RateTrials): Promise<number> {
    const rate = await this.find(epoch, trials);
    this.lastChange = rate / current;
    this.remember(epoch, rate);
    return rate;
  }

  private remember(epoch: number, rate: number): void {
    this.earlier[epoch % this.earlier.length] = rate;
  }

  private async find(epoch: number, trials: RateTrials): Promise<number> {
    const { autoAdjust, minLearningRatePerSample } = this.options;
    const { previousCriterion } = await trials.baseModel();
    const unchanged = await trials.trial(0, "BaseAdaptiveLearnRateSearch");
    const base = this.interpolated(epoch, unchanged, previousCriterion);
    const smallest = minLearningRatePerSample * Math.fround(0.3);
    let rate = this.firstRate(epoch);
    let criterion: CriterionSum;
    do {
      rate *= golden;
      criterion = await trials.trial(rate, "AdaptiveLearnRateSearch");
    } while (Number.isNaN(criterion.sum) || (average(criterion) > base && rate > smallest));
    if (epoch < autoAdjust.search.thoroughEpochs) rate = await this.refine(epoch, rate, criterion, trials);
    this.log.stamped(bestRateLine(epoch + 1, rate, base));
    return rate;
  }

  private firstRate(epoch: number): number {
    const largest = Math.max(...this.earlier);
    if (this.initialized && largest > 0) return largest / single / single;
    return Math.fround(Math.fround(1 / 8) / single) / Math.sqrt(this.options.minibatchSizes.at(epoch));
  }

  /** What the criterion has to fall below: between what it is now and what it was after the last epoch. */
  private interpolated(epoch: number, unchanged: CriterionSum, previous: number): number {
    const { autoAdjust, epochSize } = this.options;
    const now = average(unchanged);
    const before = previous === Infinity ? now : previous;
    const samples = Math.min(autoAdjust.searchSamples.at(epoch), epochSize || Infinity);
    const share = epochSize > 0 ? Math.pow(samples / epochSize, 0.5) : 0.3;
    const wanted = Math.max(share * before + (1 - share) * now, now);
    return unchanged.count > 0 ? (unchanged.count * wanted) / unchanged.count : 0;
  }

  /** Narrows the interval between a small rate and the one found, from the side with the worse criterion. */
  private async refine(
    epoch: number,
    found: number,
    criterion: CriterionSum,
    trials: RateTrials,
  ): Promise<number> {
    let left = 0.01 / this.options.minibatchSizes.at(epoch);
    let right = found;
    let atRight = criterion;
    let atLeft = await trials.trial(left, "DetailBaseAdaptiveLearnRateSearch");
    while (right > left * 1.2) {
      if (average(atRight) > average(atLeft)) {
        right *= golden;
        atRight = await trials.trial(right, "DetailRightAdaptiveLearnRateSearch");
      } else {
        left /= golden;
        atLeft = await trials.trial(left, "DetailLeftAdaptiveLearnRateSearch");
      }
    }
    return average(atLeft) < average(atRight) ? left : right;
  }
}
