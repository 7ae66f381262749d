import {
  average,
  type CriterionSum,
  dropoutLines,
  epochHeader,
  epochLine,
  miniEpochLine,
  rateBelowMinimumLine,
  rateVanishedLine,
} from "../log/training-lines.js";
import { type Minibatch, realSamples } from "../minibatch/index.js";
import type { Reader } from "../readers/reader.js";
import type { Session } from "../session.js";
import type { CriterionAccumulator } from "./criteria.js";
import { Display, EpochSizeEstimate } from "./display.js";
import { Interruption, interrupted } from "./interruption.js";
import { MinibatchTuning } from "./minibatch-tuning.js";
import { NormalizationConstants } from "./normalization-constants.js";
import type { ParallelTraining } from "./parallel-training.js";
import { notANumber, RateControl, type RateState } from "./rate-control.js";
import { RateSearch } from "./rate-search.js";
import type { SgdOptions } from "./sgd-options.js";
import type { EpochState, Resumed } from "./state.js";
import type { Trainer } from "./trainer.js";
import type { UnrollWarnings } from "./unroll-warnings.js";

/** What a training does around its epochs. */
export interface EpochHooks {
  /** Before the first minibatch, when the log already announces it: are the network's inputs in the data? */
  checkInputs(): void;
  /** Cross validation after an epoch, if there are validation data: the criteria's averages. */
  validate?(epoch: number, minibatchSize: number): Promise<readonly CriterionSum[]>;
  /** Writes checkpoint and model after an epoch; called before the interruption check, so that an epoch always lands whole. */
  saveEpoch(epoch: number, state: EpochState): Promise<void>;
  /** Puts model and books of an earlier epoch in place; throws CntkError `checkpoint-missing` where they are gone. */
  restoreEpoch(epoch: number): Promise<Resumed>;
  /** Removes what epochs have left that were undone, those behind `epoch`, and writes the checkpoint of `epoch` anew. */
  revokeTo(epoch: number, undone: number, state: EpochState): Promise<void>;
  /** Writes the present model as the final one, before the last epoch. */
  saveFinalModel(): Promise<void>;
  /** The file of the model after an epoch. */
  modelAfter(epoch: number): string;
}

export interface EpochsRequest {
  readonly session: Pick<Session, "log" | "signal" | "onProgress">;
  readonly trainer: Trainer;
  readonly options: SgdOptions;
  readonly parallel: ParallelTraining;
  readonly reader: Reader;
  readonly hooks: EpochHooks;
  readonly unrolled: UnrollWarnings;
  /** First epoch to run (0-based), and what the checkpoint before it says. */
  readonly startEpoch: number;
  readonly resumed: Resumed | undefined;
}

/** Runs the epochs of a training (SGDLib/SGD.cpp, TrainOrAdaptModel). */
export function runEpochs(request: EpochsRequest): Promise<void> {
  return new Epochs(request).run();
}

/** A pass over an epoch's data, or over the beginning of it. */
interface Pass {
  readonly epoch: number;
  readonly learningRate: number;
  readonly minibatchSize: number;
  /** Words before each line of the log. */
  readonly label?: string;
  /** No minibatch is begun behind so many samples. */
  readonly mostSamples?: number;
}

/** A training between its first epoch and its last. */
class Epochs {
  private readonly epochSize: EpochSizeEstimate;
  private readonly control: RateControl;
  private readonly search: RateSearch;
  private readonly tuning: MinibatchTuning;
  private readonly normalization: NormalizationConstants;
  private totalSamplesSeen: number;
  private previousDropout = 0;
  /** Sequences side by side in the last minibatch delivered. */
  private parallelSequences = 1;
  private hasRun = false;

  constructor(private readonly request: EpochsRequest) {
    const { options, startEpoch, resumed, session } = request;
    const { autoAdjust, minibatchSizes } = options;
    const firstSize = minibatchSizes.at(startEpoch);
    const firstRate = Math.fround(0.5 / firstSize);
    this.epochSize = new EpochSizeEstimate(options.epochSize);
    this.control = new RateControl(
      autoAdjust,
      options.explicitRates,
      startEpoch,
      firstRate,
      session.log,
      resumed,
    );
    this.search = new RateSearch(options, startEpoch, session.log, resumed);
    this.tuning = new MinibatchTuning(options, resumed?.minibatchSize ?? firstSize, session.log);
    this.normalization = new NormalizationConstants(options, session.log);
    this.totalSamplesSeen = resumed?.totalSamplesSeen ?? 0;
  }

  async run(): Promise<void> {
    const { options, session, startEpoch, parallel } = this.request;
    const { log, signal } = session;
    for (let epoch = startEpoch; epoch < options.maxEpochs; epoch++) {
      if (epoch > startEpoch || this.hasRun) parallel.announce(log, epoch, options.traceLevel, true);
      const next = await this.epoch(epoch);
      if (next === undefined) return;
      epoch = next;
      const { learningRatePerSample } = this.control.state;
      if (learningRatePerSample < 1e-12) log.stamped(rateVanishedLine(learningRatePerSample));
      if (signal?.aborted && epoch + 1 < options.maxEpochs) throw interrupted();
    }
  }

  /** Returns the epoch whose model is in place then; undefined when the training is done. */
  private async epoch(epoch: number): Promise<number | undefined> {
    const { options, trainer, hooks, session } = this.request;
    const { log } = session;
    this.announceDropout(epoch);
    await trainer.beginEpoch(epoch);
    await this.normalization.beginEpoch(epoch, trainer);
    const learningRate = await this.chooseRate(epoch);
    if (learningRate < options.minLearningRatePerSample) {
      log.stamped(rateBelowMinimumLine(epoch + 1, learningRate, options.minLearningRatePerSample));
      if (options.autoAdjust.rates !== "scheduled") await hooks.saveFinalModel();
      return undefined;
    }
    const minibatchSize = await this.chooseMinibatchSize(epoch, learningRate);
    if (options.traceLevel > 0) {
      const momentumPerSample = options.momentumPerSample(epoch, this.parallelSequences);
      const effective = Math.pow(momentumPerSample, minibatchSize);
      const timeConstant = momentumPerSample === 0 ? 0 : -1 / Math.log(momentumPerSample);
      log.write("\n");
      log.stamped(epochHeader(epoch + 1, learningRate, effective, timeConstant));
    }
    const { totals, seconds } = await this.pass({ epoch, learningRate, minibatchSize });
    this.totalSamplesSeen += totals[0]?.count ?? 0;
    const { totalSamplesSeen } = this;
    const finished = { epoch: epoch + 1, epochs: options.maxEpochs, criteria: totals, totalSamplesSeen };
    log.stamped(epochLine({ ...finished, learningRatePerSample: learningRate, seconds }));
    return this.conclude(epoch, minibatchSize, totals);
  }

  private announceDropout(epoch: number): void {
    const { options, trainer, session } = this.request;
    const rate = options.dropoutRates.at(epoch);
    if (rate === this.previousDropout) return;
    for (const line of dropoutLines(rate, trainer.drawsRandomNumbers)) session.log.stamped(line);
    this.previousDropout = rate;
  }

  private async chooseRate(epoch: number): Promise<number> {
    const { options, hooks } = this.request;
    const { control, search } = this;
    if (control.isListed(epoch)) control.use(options.learningRate(epoch, this.parallelSequences));
    else if (options.autoAdjust.rates === "searched before epochs") {
      const trials = {
        baseModel: () => hooks.restoreEpoch(epoch - 1),
        trial: (rate: number, label: string) =>
          this.trial({ epoch, learningRate: rate, minibatchSize: options.minibatchSizes.at(epoch), label }),
      };
      control.use(await search.rateFor(epoch, control.state.learningRatePerSample, trials));
    }
    search.passed();
    return control.state.learningRatePerSample;
  }

  private async chooseMinibatchSize(epoch: number, learningRate: number): Promise<number> {
    const { options } = this.request;
    if (!this.tuning.chooses(epoch)) return options.minibatchSizes.at(epoch);
    const scheduled = (at: number): number =>
      options.explicitRates > 0 ? options.learningRate(at, this.parallelSequences) : NaN;
    const change = (scheduled(epoch) / scheduled(0)) * this.search.lastChange;
    return this.tuning.sizeFor(epoch, change, (minibatchSize, label) =>
      this.trial({ epoch, learningRate, minibatchSize, label }),
    );
  }

  /** Trains on a part of the data to see what comes of it, and undoes it (SGD.cpp, TrainOneMiniEpochAndReloadModel). */
  private async trial(pass: Pass & { readonly label: string }): Promise<CriterionSum> {
    const { options, hooks, session } = this.request;
    const { epoch, label } = pass;
    const mostSamples = searchedSamples(options, epoch);
    const { totals } = await this.pass({ ...pass, label: `  ${label}:`, mostSamples });
    session.log.stamped(miniEpochLine(epoch + 1, totals, pass.learningRate, pass.minibatchSize));
    await hooks.restoreEpoch(epoch - 1);
    return totals[0] ?? { name: "", sum: 0, count: 0 };
  }

  /** Minibatches one after another (SGD.cpp, TrainOneEpoch): the criteria summed over all of them. */
  private async pass(
    pass: Pass,
  ): Promise<{ readonly totals: readonly CriterionSum[]; readonly seconds: number }> {
    const { session, trainer, options, parallel, reader, hooks } = this.request;
    const { log, signal, onProgress } = session;
    const { epoch, minibatchSize, mostSamples = Infinity } = pass;
    options.requireSize(minibatchSize);
    const pieces = options.pieces.needed(minibatchSize, this.parallelSequences);
    if (options.traceLevel > 0) {
      const modifiers = parallel.loopModifiers(epoch) + options.pieces.modifiers(pieces);
      log.write("\n");
      log.stamped(`Starting minibatch loop${modifiers}.\n`);
    }
    if (!this.hasRun) hooks.checkInputs();
    this.hasRun = true;
    const part = parallel.partOf(epoch);
    await reader.start({ epoch, minibatchSize, epochSize: options.epochSize, ...part });
    const accumulator = trainer.accumulator(parallel.active(epoch));
    const { epochSize } = this;
    const { label } = pass;
    const display = new Display({
      options,
      log,
      epoch,
      minibatchSize,
      label,
      epochSize,
      accumulator,
      onProgress,
    });
    const interruption = new Interruption(signal);
    const started = performance.now();
    const afterMinibatch = (samples: number): void => {
      display.count(samples);
      if (display.isDue) requireNumber(display.show()[0]);
    };
    let read = 0;
    for (let minibatch = await reader.next(); minibatch; minibatch = await reader.next()) {
      // CNTK stops short trainings behind the data that they may use; what was read ahead is dropped.
      if (read > mostSamples) break;
      read += realSamples(minibatch) * part.workers;
      afterMinibatch(await this.step(pass, minibatch, pieces, accumulator));
      await interruption.check();
    }
    // Processes that read apart from each other learn only from an empty minibatch that all of them are done.
    if (parallel.active(epoch) && parallel.distributedReading) afterMinibatch(0);
    return { totals: accumulator.read(), seconds: (performance.now() - started) / 1000 };
  }

  private async step(
    { epoch, learningRate }: Pass,
    minibatch: Minibatch,
    pieces: number,
    accumulator: CriterionAccumulator,
  ): Promise<number> {
    const { session, trainer, options, unrolled } = this.request;
    this.parallelSequences = trainer.parallelSequences(minibatch);
    session.log.write(unrolled.lines(minibatch));
    const rates = {
      // CNTK neither updates nor propagates back when the rate is close to its minimum.
      learningRate: learningRate > options.minLearningRatePerSample * 0.01 ? learningRate : 0,
      momentumPerSample: options.momentumPerSample(epoch, this.parallelSequences),
      dropoutRate: options.dropoutRates.at(epoch),
    };
    const { gradientCheckDigits } = options;
    if (gradientCheckDigits !== undefined) {
      await trainer.checkGradients(minibatch, rates, gradientCheckDigits, session.log);
    }
    return trainer.step(minibatch, rates, accumulator, pieces);
  }

  /** What follows from an epoch's criteria: another rate, a way back, the end; and its files. */
  private async conclude(
    epoch: number,
    minibatchSize: number,
    totals: readonly CriterionSum[],
  ): Promise<number | undefined> {
    const { options, hooks, session } = this.request;
    const { autoAdjust } = options;
    const validated = await hooks.validate?.(epoch, options.minibatchSizes.at(epoch));
    const controlling = autoAdjust.validationControlsRate && validated ? validated : totals;
    const watched = (autoAdjust.evaluationControlsRate && controlling[1]) || controlling[0];
    const restore = async (earlier: number): Promise<RateState> => {
      const books = await hooks.restoreEpoch(earlier);
      this.totalSamplesSeen = books.totalSamplesSeen;
      this.tuning.goBackTo(books.minibatchSize ?? options.minibatchSizes.at(earlier));
      return books;
    };
    const modelOf = (earlier: number): string => hooks.modelAfter(earlier);
    const decision = await this.control.afterEpoch(epoch, watched ? average(watched) : 0, modelOf, restore);
    if (decision === "finished") {
      await hooks.saveFinalModel();
      session.log.stamped("Finished training and saved final model\n\n");
      return undefined;
    }
    const state: EpochState = {
      ...this.control.state,
      totalSamplesSeen: this.totalSamplesSeen,
      minibatchSize,
    };
    if (decision !== "rolled back") {
      await hooks.saveEpoch(epoch, state);
      return epoch;
    }
    const { interval } = autoAdjust.rateControl;
    await hooks.revokeTo(epoch - interval, interval, state);
    return epoch - interval;
  }
}

/** Samples of a short training: never more than an epoch has. */
export function searchedSamples({ autoAdjust, epochSize }: SgdOptions, epoch: number): number {
  const samples = autoAdjust.searchSamples.at(epoch);
  return epochSize > 0 ? Math.min(samples, epochSize) : samples;
}

function requireNumber(criterion: CriterionSum | undefined): void {
  if (criterion && Number.isNaN(average(criterion))) throw notANumber();
}
