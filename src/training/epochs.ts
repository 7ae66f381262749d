import {
  average,
  type CriterionSum,
  dropoutLines,
  epochHeader,
  epochLine,
  rateBelowMinimumLine,
  rateVanishedLine,
} from "../log/training-lines.js";
import type { Reader } from "../readers/reader.js";
import type { Session } from "../session.js";
import { Display, EpochSizeEstimate } from "./display.js";
import { Interruption, interrupted } from "./interruption.js";
import type { ParallelTraining } from "./parallel-training.js";
import { noSums } from "./criteria.js";
import { shareOfMinibatch } from "../minibatch/index.js";
import { notANumber, RateControl, type RateState } from "./rate-control.js";
import type { SgdOptions } from "./sgd-options.js";
import type { Teamwork } from "./teamwork.js";
import type { EpochState, Resumed } from "./state.js";
import type { Trainer } from "./trainer.js";
import type { UnrollWarnings } from "./unroll-warnings.js";

/** What goes on from one epoch to the next, beside the trainer's state. */
interface Continued {
  readonly epochSize: EpochSizeEstimate;
  /** Sequences side by side in the last minibatch delivered. */
  parallelSequences: number;
}

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
  readonly hooks: EpochHooks;
  /** The processes of a parallel epoch read apart from each other. */
  readonly distributedReading: boolean;
  readonly unrolled: UnrollWarnings;
  /** First epoch to run (0-based), and what the checkpoint before it says. */
  readonly startEpoch: number;
  readonly resumed: Resumed | undefined;
}

/** Runs the epochs of a training (SGDLib/SGD.cpp, TrainOrAdaptModel). */
export async function runEpochs(request: EpochsRequest): Promise<void> {
  const { options, trainer, session, parallel, hooks, startEpoch, resumed } = request;
  const { rateControl, explicitRates } = options;
  const { log } = session;
  const continued: Continued = {
    epochSize: new EpochSizeEstimate(options.epochSize),
    parallelSequences: 1,
  };
  const control = new RateControl(rateControl, explicitRates, startEpoch, log, resumed);
  let totalSamplesSeen = resumed?.totalSamplesSeen ?? 0;
  let previousDropout = 0;
  for (let epoch = startEpoch, runs = 0; epoch < options.maxEpochs; epoch++, runs++) {
    if (runs > 0) parallel.announce(log, epoch, options.traceLevel, true);
    const dropoutRate = options.dropoutRates.at(epoch);
    if (dropoutRate !== previousDropout) {
      for (const line of dropoutLines(dropoutRate, trainer.drawsRandomNumbers)) log.stamped(line);
      previousDropout = dropoutRate;
    }
    const { rank } = parallel.active(epoch) ? session.communicator : { rank: 0 };
    await trainer.beginEpoch(rank * options.maxEpochs + epoch);
    const learningRate = control.rateFor(epoch, () =>
      options.learningRate(epoch, continued.parallelSequences),
    );
    if (learningRate < options.minLearningRatePerSample) {
      log.stamped(rateBelowMinimumLine(epoch + 1, learningRate, options.minLearningRatePerSample));
      if (rateControl.adjustsAfterEpoch) await hooks.saveFinalModel();
      return;
    }
    const { totals, seconds } = await runEpoch(request, epoch, learningRate, continued, runs === 0);
    const [criterion, firstEvaluation] = totals;
    totalSamplesSeen += criterion?.count ?? 0;
    log.stamped(
      epochLine({
        epoch: epoch + 1,
        epochs: options.maxEpochs,
        criteria: totals,
        totalSamplesSeen,
        learningRatePerSample: learningRate,
        seconds,
      }),
    );
    const minibatchSize = options.minibatchSizes.at(epoch);
    const validated = await hooks.validate?.(epoch, minibatchSize);
    const controlling =
      options.validationControlsRate && validated ? validated : [criterion, firstEvaluation];
    const watched = (options.evaluationControlsRate && controlling[1]) || controlling[0];
    const restore = async (earlier: number): Promise<RateState> => {
      const books = await hooks.restoreEpoch(earlier);
      ({ totalSamplesSeen } = books);
      return books;
    };
    const modelOf = (earlier: number): string => hooks.modelAfter(earlier);
    const decision = await control.afterEpoch(epoch, watched ? average(watched) : 0, modelOf, restore);
    if (decision === "finished") {
      await hooks.saveFinalModel();
      log.stamped("Finished training and saved final model\n\n");
      return;
    }
    const state: EpochState = { ...control.state, totalSamplesSeen, minibatchSize };
    if (decision === "rolled back") {
      epoch -= rateControl.interval;
      await hooks.revokeTo(epoch, rateControl.interval, state);
    } else {
      await hooks.saveEpoch(epoch, state);
    }
    if (control.state.learningRatePerSample < 1e-12) {
      log.stamped(rateVanishedLine(control.state.learningRatePerSample));
    }
    if (session.signal?.aborted && epoch + 1 < options.maxEpochs) throw interrupted();
  }
}

/** The minibatches of an epoch (SGD.cpp, TrainOneEpoch): criteria summed over all of them. */
async function runEpoch(
  request: EpochsRequest,
  epoch: number,
  learningRate: number,
  continued: Continued,
  isFirst: boolean,
): Promise<{ readonly totals: readonly CriterionSum[]; readonly seconds: number }> {
  const { session, trainer, options, parallel, reader, hooks } = request;
  const { log } = session;
  const readsApart = parallel.active(epoch) && request.distributedReading;
  if (options.traceLevel > 0) {
    const momentumPerSample = options.momentumPerSample(epoch, continued.parallelSequences);
    const effective = Math.pow(momentumPerSample, options.minibatchSizes.at(epoch));
    const timeConstant = momentumPerSample === 0 ? 0 : -1 / Math.log(momentumPerSample);
    log.write("\n");
    log.stamped(epochHeader(epoch + 1, learningRate, effective, timeConstant));
  }
  const minibatchSize = options.minibatchSize(epoch);
  if (options.traceLevel > 0) {
    const reading = readsApart ? ", distributed reading is ENABLED" : "";
    const modifiers = parallel.loopModifiers(epoch) + reading + options.loopModifiers(epoch);
    log.write("\n");
    log.stamped(`Starting minibatch loop${modifiers}.\n`);
  }
  if (isFirst) hooks.checkInputs();
  const part = readsApart ? parallel.partOf(epoch) : { rank: 0, workers: 1 };
  await reader.start({ epoch, minibatchSize, epochSize: options.epochSize, ...part });
  const nothing = noSums(trainer.watched);
  const team = parallel.teamwork(epoch, { trainer, log, nothing });
  const started = performance.now();
  const criteria = await runMinibatches(request, { epoch, learningRate, continued, readsApart, team });
  return { totals: await team.end(criteria), seconds: (performance.now() - started) / 1000 };
}

interface EpochRun {
  readonly epoch: number;
  readonly learningRate: number;
  readonly continued: Continued;
  /** Every process reads its own part; else all read the same and take their share of each minibatch. */
  readonly readsApart: boolean;
  readonly team: Teamwork;
}

/** Returns the criteria that this process has summed. */
async function runMinibatches(
  { session, trainer, options, parallel, reader, unrolled }: EpochsRequest,
  { epoch, learningRate, continued, readsApart, team }: EpochRun,
): Promise<readonly CriterionSum[]> {
  const { log, signal, onProgress, communicator } = session;
  const accumulator = trainer.accumulator(parallel.sumsInDouble(epoch));
  const { epochSize } = continued;
  const display = new Display({ options, log, epoch, epochSize, accumulator, onProgress });
  const interruption = new Interruption(signal);
  const divides = parallel.active(epoch) && !readsApart;
  // CNTK neither updates nor propagates back when the rate is close to its minimum.
  const usedRate = learningRate > options.minLearningRatePerSample * 0.01 ? learningRate : 0;
  for (let goesOn = true; ;) {
    const read = await reader.next();
    // Processes that read apart from each other go on until all of them are done.
    if (!read && !(readsApart && goesOn)) break;
    const minibatch = read && divides ? shareOfMinibatch(read, communicator.rank, communicator.size) : read;
    if (minibatch) {
      continued.parallelSequences = trainer.parallelSequences(minibatch);
      log.write(unrolled.lines(minibatch));
    }
    const rates = {
      learningRate: usedRate,
      momentumPerSample: options.momentumPerSample(epoch, continued.parallelSequences),
      dropoutRate: options.dropoutRates.at(epoch),
    };
    const own = minibatch && (await trainer.gradients(minibatch, rates.dropoutRate));
    const { sums, anyData } = await team.share(own);
    goesOn = anyData;
    accumulator.addSums(sums);
    if (sums.samples > 0 && usedRate > 0) await trainer.update(rates, sums);
    await team.afterUpdate(own?.samples ?? 0);
    display.count(sums.criteria[0]?.count ?? 0);
    if (display.isDue) requireNumber(display.show()[0]);
    await interruption.check();
  }
  return accumulator.read();
}

function requireNumber(criterion: CriterionSum | undefined): void {
  if (criterion && Number.isNaN(average(criterion))) throw notANumber();
}
