import { CntkError } from "../diagnostics/diagnostic.js";
import {
  average,
  type CriterionSum,
  dropoutLines,
  epochHeader,
  epochLine,
  rateBelowMinimumLine,
} from "../log/training-lines.js";
import type { Reader } from "../readers/reader.js";
import type { Session } from "../session.js";
import { Display, EpochSizeEstimate } from "./display.js";
import { Interruption, interrupted } from "./interruption.js";
import type { ParallelTraining } from "./parallel-training.js";
import type { SgdOptions } from "./sgd-options.js";
import type { EpochState } from "./state.js";
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
}

export interface EpochsRequest {
  readonly session: Pick<Session, "log" | "signal" | "onProgress">;
  readonly trainer: Trainer;
  readonly options: SgdOptions;
  readonly parallel: ParallelTraining;
  readonly reader: Reader;
  readonly hooks: EpochHooks;
  readonly unrolled: UnrollWarnings;
  /** First epoch to run (0-based), and the samples seen before it. */
  readonly startEpoch: number;
  readonly totalSamplesSeen: number;
}

/**
 * Runs the epochs of a training (SGDLib/SGD.cpp, TrainOrAdaptModel).
 * Returns false when the learning rate fell below its minimum before the last epoch.
 */
export async function runEpochs(request: EpochsRequest): Promise<boolean> {
  const { options, trainer, session, parallel, hooks, startEpoch } = request;
  const { log } = session;
  const continued: Continued = {
    epochSize: new EpochSizeEstimate(options.epochSize),
    parallelSequences: 1,
  };
  let { totalSamplesSeen } = request;
  let previousDropout = 0;
  for (let epoch = startEpoch; epoch < options.maxEpochs; epoch++) {
    if (epoch > startEpoch) parallel.announce(log, epoch, options.traceLevel, true);
    const dropoutRate = options.dropoutRates.at(epoch);
    if (dropoutRate !== previousDropout) {
      for (const line of dropoutLines(dropoutRate, trainer.drawsRandomNumbers)) log.stamped(line);
      previousDropout = dropoutRate;
    }
    await trainer.beginEpoch(epoch);
    const learningRate = options.learningRate(epoch, continued.parallelSequences);
    if (learningRate < options.minLearningRatePerSample) {
      log.stamped(rateBelowMinimumLine(epoch + 1, learningRate, options.minLearningRatePerSample));
      return false;
    }
    const { totals, seconds } = await runEpoch(request, epoch, learningRate, continued);
    const [criterion, firstEvaluation] = totals;
    totalSamplesSeen += criterion?.count ?? 0;
    requireNumber(criterion);
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
    const control = (options.evaluationControlsRate && controlling[1]) || controlling[0];
    await hooks.saveEpoch(epoch, {
      totalSamplesSeen,
      learningRatePerSample: learningRate,
      minibatchSize,
      criterion: control ? average(control) : 0,
    });
    if (session.signal?.aborted && epoch + 1 < options.maxEpochs) throw interrupted();
  }
  return true;
}

/** The minibatches of an epoch (SGD.cpp, TrainOneEpoch): criteria summed over all of them. */
async function runEpoch(
  { session, trainer, options, parallel, reader, hooks, unrolled, startEpoch }: EpochsRequest,
  epoch: number,
  learningRate: number,
  continued: Continued,
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
  if (epoch === startEpoch) hooks.checkInputs();
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
  if (!criterion || !Number.isNaN(average(criterion))) return;
  throw new CntkError({
    code: "criterion-nan",
    message: "The training criterion is not a number (NAN).",
    hint: "a smaller learning rate, or input data of a smaller scale, often helps",
  });
}
