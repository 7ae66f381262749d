import type { RunLog } from "../log/run-log.js";
import { type CriterionSum, minibatchLine } from "../log/training-lines.js";
import type { ProgressListener } from "../session.js";
import type { CriterionAccumulator } from "./criteria.js";
import { type SgdOptions, wholeSweep } from "./sgd-options.js";

/**
 * How many samples an epoch has, as far as the log's percentages know it: epochSize, or what the lines of the first epoch
 * told (SGD.cpp, m_maxComputedEpochSize). Lives through all epochs.
 */
export class EpochSizeEstimate {
  private samples: number;

  constructor(private readonly epochSize: number) {
    this.samples = epochSize || wholeSweep;
  }

  /** The size to compute percentages from; undefined while lines show none. */
  known(epoch: number): number | undefined {
    return epoch > 0 || (this.epochSize > 0 && this.epochSize < 2 ** 31) ? this.samples : undefined;
  }

  /** A line of the first epoch was due after `minibatches`, `shownMinibatches` of them with `shownSamples` since the last one. */
  learn(minibatches: number, shownSamples: number, shownMinibatches: number): void {
    this.samples = Math.floor((minibatches * shownSamples) / shownMinibatches);
  }

  /** For a progress bar. */
  get forProgress(): number | undefined {
    return this.samples < wholeSweep ? this.samples : undefined;
  }
}

export interface DisplayRequest {
  readonly options: SgdOptions;
  readonly log: RunLog;
  /** 0-based. */
  readonly epoch: number;
  readonly minibatchSize: number;
  /** Words before each line. */
  readonly label?: string | undefined;
  readonly epochSize: EpochSizeEstimate;
  readonly accumulator: CriterionAccumulator;
  readonly onProgress?: ProgressListener;
}

/** Counts the minibatches of an epoch, tells the progress bar, and knows when a line is due. */
export class Display {
  private minibatches = 0;
  private lastShown = 0;
  private samples = 0;
  private samplesSinceShown = 0;
  private shownTotals: CriterionSum[] = [];
  private timer = performance.now();
  private readonly started = performance.now();

  constructor(private readonly request: DisplayRequest) {}

  /** Takes note of a minibatch. */
  count(samples: number): void {
    const { options, epoch, epochSize } = this.request;
    this.minibatches++;
    this.samples += samples;
    this.samplesSinceShown += samples;
    this.request.onProgress?.({
      phase: "train",
      epoch: epoch + 1,
      epochs: options.maxEpochs,
      samples: this.samples,
      totalSamples: epochSize.forProgress,
      seconds: (performance.now() - this.started) / 1000,
    });
  }

  /** Is a line due after the minibatch counted last? */
  get isDue(): boolean {
    const { firstMinibatchesToShow, minibatchesToShow } = this.request.options;
    return (
      this.minibatches <= firstMinibatchesToShow ||
      (minibatchesToShow > 0 && this.minibatches % minibatchesToShow === 0)
    );
  }

  /** Prints the line, or with traceLevel 0 only does what comes with it; returns the criteria since the last one. */
  show(): readonly CriterionSum[] {
    const { options, log, epoch, minibatchSize, label, epochSize, accumulator } = this.request;
    const known = epochSize.known(epoch);
    if (known === undefined) {
      epochSize.learn(this.minibatches, this.samplesSinceShown, this.minibatches - this.lastShown);
    }
    const criteria = accumulator.read(this.shownTotals);
    if (options.traceLevel > 0) {
      const line = minibatchLine({
        label,
        epoch: epoch + 1,
        epochs: options.maxEpochs,
        first: this.lastShown + 1,
        last: this.minibatches,
        minibatchesPerEpoch: known === undefined ? undefined : known / minibatchSize,
        criteria,
        seconds: (performance.now() - this.timer) / 1000,
        samples: criteria[0]?.count ?? 0,
      });
      log.stamped(line);
    }
    this.shownTotals = accumulator.read();
    this.lastShown = this.minibatches;
    this.samplesSinceShown = 0;
    this.timer = performance.now();
    return criteria;
  }
}
