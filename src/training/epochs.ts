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
import { type Minibatch, realSamples, shareOfMinibatch } from "../minibatch/index.js";
import type { Reader } from "../readers/reader.js";
import type { Session } from "../session.js";
import { type MinibatchSums, noSums } from "./criteria.js";
import { Display, EpochSizeEstimate } from "./display.js";
import { Interruption, interrupted } from "./interruption.js";
import { MinibatchTuning } from "./minibatch-tuning.js";
import { NormalizationConstants } from "./normalization-constants.js";
import type { ParallelTraining } from "./parallel-training.js";
import { notANumber, RateControl, type RateState } from "./rate-control.js";
import { RateSearch } from "./rate-search.js";
import type { SgdOptions } from "./sgd-options.js";
import type { EpochState, Resumed } from "./state.js";
import type { Teamwork } from "./teamwork.js";
import { UncomputedGradients } from "./uncomputed-gradients.js";
import type { TrainingCurves } from "./tensorboard.js";
import type { Rates, Trainer } from "./trainer.js";
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
  readonly session: Pick<Session, "log" | "signal" | "onProgress" | "communicator">;
  readonly trainer: Trainer;
  readonly options: SgdOptions;
  readonly parallel: ParallelTraining;
  readonly reader: Reader;
  /** Where processes share an epoch, each reads its own part of the data. */
  readonly distributedReading: boolean;
  readonly hooks: EpochHooks;
  readonly unrolled: UnrollWarnings;
  /** Written beside the log, where it is asked for. */
  readonly curves: TrainingCurves | undefined;
  /** First epoch to run (0-based), and what the checkpoint before it says. */
  readonly startEpoch: number;
  readonly resumed: Resumed | undefined;
}

/** Runs the epochs of a training; returns the last one's criteria (SGDLib/SGD.cpp, TrainOrAdaptModel). */
export function runEpochs(request: EpochsRequest): Promise<readonly CriterionSum[]> {
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

/** How the processes and the pieces of a minibatch share a pass. */
interface Sharing {
  readonly team: Teamwork;
  readonly pieces: number;
  /** Every process reads its own part; else all read the same and take their share of each minibatch. */
  readonly readsApart: boolean;
  readonly workers: number;
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
  /** Sequences side by side in the last minibatch delivered; 0 where the reader never tells. */
  private parallelSequences: number;
  private hasRun = false;
  /** The last pass ended before its data did. */
  private readsAhead = false;
  private readonly uncomputed: UncomputedGradients;
  private lastCriteria: readonly CriterionSum[] = [];

  constructor(private readonly request: EpochsRequest) {
    const { options, startEpoch, resumed, session } = request;
    const { autoAdjust, minibatchSizes } = options;
    const firstSize = minibatchSizes.at(startEpoch);
    const firstRate = Math.fround(0.5 / firstSize);
    this.parallelSequences = request.reader.firstParallelSequences ?? 1;
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
    const sizeBefore = resumed?.minibatchSize ?? minibatchSizes.at(Math.max(startEpoch - 1, 0));
    this.tuning = new MinibatchTuning(options, sizeBefore, session.log);
    this.normalization = new NormalizationConstants(options, session.log);
    this.totalSamplesSeen = resumed?.totalSamplesSeen ?? 0;
    this.uncomputed = new UncomputedGradients(request.trainer);
  }

  async run(): Promise<readonly CriterionSum[]> {
    const { options, session, startEpoch, parallel } = this.request;
    const { log, signal } = session;
    for (let epoch = startEpoch; epoch < options.maxEpochs; epoch++) {
      if (epoch > startEpoch || this.hasRun) parallel.announce(log, epoch, options.traceLevel, true);
      const next = await this.epoch(epoch);
      if (next === undefined) break;
      epoch = next;
      const { learningRatePerSample } = this.control.state;
      if (learningRatePerSample < 1e-12) log.stamped(rateVanishedLine(learningRatePerSample));
      if (signal?.aborted && epoch + 1 < options.maxEpochs) throw interrupted();
    }
    return this.lastCriteria;
  }

  /** Returns the epoch whose model is in place then; undefined when the training is done. */
  private async epoch(epoch: number): Promise<number | undefined> {
    const { options, trainer, hooks, session, parallel } = this.request;
    const { log } = session;
    this.announceDropout(epoch);
    const { rank } = parallel.active(epoch) ? session.communicator : { rank: 0 };
    await trainer.beginEpoch(epoch, rank * options.maxEpochs + epoch);
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
      const effective = Math.pow(momentumPerSample, this.countedSize(minibatchSize));
      const timeConstant = momentumPerSample === 0 ? 0 : -1 / Math.log(momentumPerSample);
      log.write("\n");
      log.stamped(epochHeader(epoch + 1, learningRate, effective, timeConstant));
    }
    const { totals, seconds } = await this.pass({ epoch, learningRate, minibatchSize });
    this.lastCriteria = totals;
    this.totalSamplesSeen += totals[0]?.count ?? 0;
    const { totalSamplesSeen } = this;
    const finished = { epoch: epoch + 1, epochs: options.maxEpochs, criteria: totals, totalSamplesSeen };
    log.stamped(epochLine({ ...finished, learningRatePerSample: learningRate, seconds }));
    this.request.curves?.epoch(epoch + 1, totals);
    return this.conclude(epoch, minibatchSize, totals);
  }

  /** Samples of a minibatch as the line of an epoch counts them (SGDLib/SGD.cpp, actualMinibatchSize). */
  private countedSize(minibatchSize: number): number {
    const { options, reader } = this.request;
    const multiplied = reader.isOlder && options.truncated && minibatchSize > 1;
    return multiplied ? minibatchSize * this.parallelSequences : minibatchSize;
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
    const { session, trainer, options, parallel, reader, hooks, distributedReading } = this.request;
    const { log } = session;
    const { epoch, minibatchSize } = pass;
    options.requireSize(minibatchSize);
    const readsApart = parallel.active(epoch) && distributedReading;
    const pieces = options.pieces.needed(minibatchSize, this.parallelSequences);
    const part = readsApart ? parallel.partOf(epoch) : { rank: 0, workers: 1 };
    // A reader that was left in the middle has begun with another minibatch, and ends that first (ReaderShim.cpp, StartEpoch).
    if (this.readsAhead) await reader.next();
    this.readsAhead = false;
    await reader.start({ epoch, minibatchSize, epochSize: options.epochSize, ...part });
    if (options.traceLevel > 0) {
      const reading = readsApart ? ", distributed reading is ENABLED" : "";
      const modifiers = parallel.loopModifiers(epoch) + reading + options.pieces.modifiers(pieces);
      log.write("\n");
      log.stamped(`Starting minibatch loop${modifiers}.\n`);
    }
    if (!this.hasRun) hooks.checkInputs();
    this.hasRun = true;
    await trainer.beginPass();
    const nothing = noSums(trainer.watched);
    const team = parallel.teamwork(epoch, { trainer, log, nothing });
    const started = performance.now();
    const criteria = await this.minibatches(pass, { team, pieces, readsApart, workers: part.workers });
    return { totals: await team.end(criteria), seconds: (performance.now() - started) / 1000 };
  }

  /** Returns the criteria that this process has summed. */
  private async minibatches(pass: Pass, sharing: Sharing): Promise<readonly CriterionSum[]> {
    const { session, trainer, options, parallel, reader, curves } = this.request;
    const { log, signal, onProgress, communicator } = session;
    const { epoch, minibatchSize, label, mostSamples = Infinity } = pass;
    const { team, readsApart, workers } = sharing;
    const accumulator = trainer.accumulator(parallel.sumsInDouble(epoch));
    const { epochSize } = this;
    const shown = { options, log, epoch, minibatchSize, label, epochSize, accumulator, onProgress };
    const display = new Display(shown);
    const drawPoint = label === undefined ? curves?.beginEpoch(accumulator) : undefined;
    const interruption = new Interruption(signal);
    const divides = parallel.active(epoch) && !readsApart;
    let position = 0;
    for (let goesOn = true; ;) {
      // CNTK stops short trainings behind the data that they may use: what it has read by then is dropped.
      const next = await reader.next();
      const read = position > mostSamples ? undefined : next;
      if (next && !read) this.readsAhead = true;
      // Processes that read apart from each other go on until all of them are done.
      if (!read && !(readsApart && goesOn)) break;
      if (read) position += realSamples(read) * workers;
      const minibatch = read && divides ? shareOfMinibatch(read, communicator.rank, communicator.size) : read;
      const rates = this.ratesFor(pass, minibatch);
      const own = minibatch && (await this.gradients(minibatch, rates, sharing.pieces));
      const { sums, anyData } = await team.share(own);
      goesOn = anyData;
      accumulator.addSums(sums);
      if (sums.samples > 0 && rates.learningRate > 0) await trainer.update(rates, sums);
      await team.afterUpdate(own?.samples ?? 0);
      display.count(sums.criteria[0]?.count ?? 0);
      if (display.isDue) requireNumber(display.show()[0]);
      drawPoint?.();
      await interruption.check();
    }
    return accumulator.read();
  }

  private ratesFor({ epoch, learningRate }: Pass, minibatch: Minibatch | undefined): Rates {
    const { session, trainer, options, unrolled } = this.request;
    if (minibatch) {
      if (this.parallelSequences > 0) this.parallelSequences = trainer.parallelSequences(minibatch);
      session.log.write(unrolled.lines(minibatch));
    }
    return {
      // CNTK neither updates nor propagates back when the rate is close to its minimum.
      learningRate: learningRate > options.minLearningRatePerSample * 0.01 ? learningRate : 0,
      momentumPerSample: options.momentumPerSample(epoch, this.parallelSequences),
      dropoutRate: options.dropoutRates.at(epoch),
    };
  }

  private async gradients(minibatch: Minibatch, rates: Rates, pieces: number): Promise<MinibatchSums> {
    const { trainer, options, session } = this.request;
    const { gradientCheckDigits } = options;
    if (gradientCheckDigits !== undefined && minibatch.columns > 0) {
      await trainer.checkGradients(minibatch, rates, gradientCheckDigits, session.log);
    }
    this.uncomputed.refuse(minibatch, pieces, rates.learningRate > 0);
    return trainer.gradients(minibatch, rates.dropoutRate, pieces);
  }

  /** What follows from an epoch's criteria: another rate, a way back, the end; and its files. */
  private async conclude(
    epoch: number,
    minibatchSize: number,
    totals: readonly CriterionSum[],
  ): Promise<number | undefined> {
    const { options, hooks, session, curves } = this.request;
    const { autoAdjust } = options;
    const validated = await hooks.validate?.(epoch, options.minibatchSizes.at(epoch));
    if (validated) curves?.validated(epoch + 1, validated);
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
