import type { RunLog } from "../log/run-log.js";
import { average, type CriterionSum, minibatchSearchLines as lines } from "../log/training-lines.js";
import type { SgdOptions } from "./sgd-options.js";

/** The criterion after a short training with a minibatch size; `label` goes before its lines in the log. */
export type SizeTrial = (minibatchSize: number, label: string) => Promise<CriterionSum>;

type Options = Pick<SgdOptions, "autoAdjust" | "minibatchSizes" | "traceLevel">;

/**
 * `autoAdjustMinibatch = true`: before an epoch without a listed size, short trainings find the largest minibatch that makes
 * the criterion hardly worse than the smallest one tried. Source: SGDLib/SGD.cpp, AdaptiveMinibatchSizing.
 */
export class MinibatchTuning {
  /** @param previous the size of the epoch before; 0 = none that counts */
  constructor(
    private readonly options: Options,
    private previous: number,
    private readonly log: RunLog,
  ) {}

  /** Is the size of an epoch searched for? */
  chooses(epoch: number): boolean {
    const { autoAdjust, minibatchSizes } = this.options;
    return autoAdjust.minibatchTuning !== undefined && epoch >= minibatchSizes.length;
  }

  /** A checkpoint is in place again, with the size of its epoch. */
  goBackTo(minibatchSize: number): void {
    this.previous = minibatchSize;
  }

  /** @param rateChange the learning rate, as part of what it was in the first epoch */
  async sizeFor(epoch: number, rateChange: number, trial: SizeTrial): Promise<number> {
    const before = this.previous;
    const size = await this.choose(epoch, Math.sqrt(rateChange), trial);
    if (this.options.traceLevel < 1 && size !== (epoch < 2 ? 0 : before))
      this.log.stamped(lines.adapted(size));
    this.previous = size;
    return size;
  }

  private async choose(epoch: number, change: number, trial: SizeTrial): Promise<number> {
    const { minibatchSizes, autoAdjust } = this.options;
    const { frequency = 1, largest = 1 } = autoAdjust.minibatchTuning ?? {};
    const listed = minibatchSizes.at(epoch);
    // With a smaller rate a larger minibatch is as safe.
    let smallest = change < 1 ? Math.floor(listed / change) : listed;
    if (epoch < 2 && this.previous !== 0) {
      this.log.stamped(lines.reset(this.previous));
      this.previous = 0;
    }
    const { previous } = this;
    if (previous !== 0 && epoch + 1 > frequency && (epoch + 1) % frequency !== 0) {
      this.log.stamped(lines.skipped(epoch + 1, previous));
      return previous;
    }
    if (previous !== 0) smallest = Math.max(smallest, Math.floor(previous / 2));
    const most = previous !== 0 ? Math.min(largest, previous * 2) : largest;
    return smallest > most ? most : this.search(epoch, smallest, most, trial);
  }

  /** Tries sizes that grow by √2 while the criterion stays good enough (SearchForBestMinibatchSize). */
  private async search(epoch: number, smallest: number, most: number, trial: SizeTrial): Promise<number> {
    const { log, options } = this;
    const { errorMargin = 1 } = options.autoAdjust.minibatchTuning ?? {};
    const say = (line: string): void => {
      if (options.traceLevel > 0) log.stamped(line);
    };
    const at = epoch + 1;
    const range = [multipleOf64(smallest), multipleOf64(most)] as const;
    const factor = Math.fround(Math.sqrt(2));
    log.stamped(lines.range(at, ...range));
    let base: CriterionSum | undefined;
    let best: { readonly size: number; readonly criterion: CriterionSum } | undefined;
    const limit = Math.fround(most);
    for (let exact = Math.fround(smallest); exact <= limit; exact = Math.fround(exact * factor)) {
      const size = multipleOf64(exact);
      say(lines.trial(at, size, ...range));
      const label = base ? "AdaptiveMinibatchSearch" : "BaseAdaptiveMinibatchSearch";
      const criterion = await trial(size, label);
      if (!base) {
        base = criterion;
        say(lines.base(at, average(criterion), size));
      } else if (average(criterion) > average(base) * (1 + errorMargin / 100)) break;
      else if (Math.fround(exact * factor) <= limit) say(lines.goOn(at, average(criterion), average(base)));
      best = { size, criterion };
    }
    const { size, criterion } = best ?? { size: 0, criterion: { name: "", sum: 0, count: 0 } };
    say(lines.found(at, size, average(criterion), base ? average(base) : 0));
    return size;
  }
}

/** Rounded as CNTK does, in single precision. */
function multipleOf64(size: number): number {
  return 64 * Math.floor(Math.fround(Math.fround(size + 32) / 64));
}
