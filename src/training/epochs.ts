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
import { notANumber, RateControl, type RateState } from "./rate-control.js";
import type { SgdOptions } from "./sgd-options.js";
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
    await trainer.beginEpoch(epoch);
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
  { session, trainer, options, parallel, reader, hooks, unrolled }: EpochsRequest,
  epoch: number,
  learningRate: number,
  continued: Continued,
  isFirst: boolean,
): Promise<{ readonly totals: readonly CriterionSum[]; readonly seconds: number }> {
  const { log, signal, onProgress } = session;
  if (options.traceLevel > 0) {
    const momentumPerSample = options.momentumPerSample(epoch, continued.parallelSequences);
    const effective = Math.pow(momentumPerSample, options.minibatchSizes.at(epoch));
    const timeConstant = momentumPerSample === 0 ? 0 : -1 / Math.log(momentumPerSample);
    log.write("\n");
    log.stamped(epochHeader(epoch + 1, learningRate, effective, timeConstant));
  }
  const minibatchSize = options.minibatchSize(epoch);
  if (options.traceLevel > 0) {
    log.write("\n");
    log.stamped(`Starting minibatch loop${parallel.loopModifiers(epoch)}${options.loopModifiers(epoch)}.\n`);
  }
  if (isFirst) hooks.checkInputs();
  await reader.start({ epoch, minibatchSize, epochSize: options.epochSize, ...parallel.partOf(epoch) });
  const accumulator = trainer.accumulator(parallel.active(epoch));
  const { epochSize } = continued;
  const display = new Display({ options, log, epoch, epochSize, accumulator, onProgress });
  const interruption = new Interruption(signal);
  const started = performance.now();
  // CNTK neither updates nor propagates back when the rate is close to its minimum.
  const usedRate = learningRate > options.minLearningRatePerSample * 0.01 ? learningRate : 0;
  const afterMinibatch = (samples: number): void => {
    display.count(samples);
    if (display.isDue) requireNumber(display.show()[0]);
  };
  for (let minibatch = await reader.next(); minibatch; minibatch = await reader.next()) {
    continued.parallelSequences = trainer.parallelSequences(minibatch);
    log.write(unrolled.lines(minibatch));
    const rates = {
      learningRate: usedRate,
      momentumPerSample: options.momentumPerSample(epoch, continued.parallelSequences),
      dropoutRate: options.dropoutRates.at(epoch),
    };
    afterMinibatch(await trainer.step(minibatch, rates, accumulator));
    await interruption.check();
  }
  // Processes that read apart from each other learn only from an empty minibatch that all of them are done.
  if (parallel.active(epoch) && parallel.distributedReading) afterMinibatch(0);
  return { totals: accumulator.read(), seconds: (performance.now() - started) / 1000 };
}

function requireNumber(criterion: CriterionSum | undefined): void {
  if (criterion && Number.isNaN(average(criterion))) throw notANumber();
}
