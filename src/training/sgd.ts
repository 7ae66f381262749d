import type { Executable } from "../backends/backend.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { RunLog } from "../log/run-log.js";
import { average, type CriterionSum, epochHeader, epochLine, minibatchLine } from "../log/training-lines.js";
import type { NetworkNode } from "../network/network.js";
import { formatGeneral } from "../numerics/number-format.js";
import type { ElementType } from "../numerics/values.js";
import type { Minibatch } from "../minibatch/index.js";
import type { Reader } from "../readers/reader.js";
import { CriterionAccumulator } from "./criteria.js";
import { feed, realSamples } from "./feed.js";
import { Interruption, interrupted } from "./interruption.js";
import type { ProgressListener } from "./progress.js";
import { type SgdOptions, wholeSweep } from "./sgd-options.js";

/** A compiled training step and what its names mean. */
export interface TrainingProgram {
  readonly executable: Executable;
  readonly elementType: ElementType;
  /** Nodes fed by the reader. */
  readonly inputs: readonly NetworkNode[];
  readonly criterion: NetworkNode;
  /** Evaluation nodes that are not the criterion, in the log's order. */
  readonly evaluations: readonly NetworkNode[];
  /** The criterion keeps its samples apart (it has a dynamic axis): SGD sums it, and gaps do not count. */
  readonly criterionHasLayout: boolean;
  /** Random engines of the dropout nodes, in the criterion's evaluation order. */
  readonly engines: readonly string[];
  /** Scalars of the update entry for one minibatch of `samples` columns. */
  updateScalars(facts: {
    learningRate: number;
    momentumPerSample: number;
    samples: number;
  }): Record<string, number>;
}

/** What a training knows at the end of an epoch, for its checkpoint. */
export interface EpochState {
  /** 0-based. */
  readonly epoch: number;
  readonly totalSamplesSeen: number;
  readonly learningRatePerSample: number;
  readonly minibatchSize: number;
  /** What controls the learning rate: the criterion's average over the epoch, or over the validation data. */
  readonly criterion: number;
}

export interface TrainingHooks {
  /** Before the first minibatch, when the log already announces it: are the network's inputs in the data? */
  checkInputs?(): void;
  /** Writes checkpoint and model after an epoch; called before the interruption check, so that an epoch always lands whole. */
  saveEpoch(state: EpochState): Promise<void>;
  /** Cross validation after an epoch, if the command has a cvReader: the criterion's average. */
  validate?(epoch: number, minibatchSize: number): Promise<number | undefined>;
}

export interface TrainingRun {
  readonly program: TrainingProgram;
  readonly options: SgdOptions;
  readonly reader: Reader;
  readonly log: RunLog;
  readonly hooks: TrainingHooks;
  /** First epoch to run (0-based) and the samples seen before it. */
  readonly startEpoch: number;
  readonly totalSamplesSeen: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

/**
 * Runs the epochs of a training (SGDLib/SGD.cpp, TrainOrAdaptModel and TrainOneEpoch).
 * Returns false when the learning rate fell below its minimum before the last epoch.
 */
export async function train(run: TrainingRun): Promise<boolean> {
  const { options, program, log } = run;
  const loop = new EpochLoop(run);
  let previousDropout = 0;
  for (let epoch = run.startEpoch; epoch < options.maxEpochs; epoch++) {
    const dropoutRate = options.dropoutRates.at(epoch);
    if (dropoutRate !== previousDropout) {
      log.stamped(`Setting dropout rate to ${formatGeneral(dropoutRate, 8)}.\n`);
      if (program.engines.length === 0 && dropoutRate > 0) {
        log.stamped(
          "WARNING: Attempting to set dropout rate, but there is no dropout node in the network.\n",
        );
      }
      previousDropout = dropoutRate;
    }
    await seedEngines(program, epoch);
    const learningRate = options.learningRate(epoch);
    if (learningRate < options.minLearningRatePerSample) {
      log.stamped(
        `Learn Rate Per Sample for Epoch[${epoch + 1}] = ${formatGeneral(learningRate, 8)} is less than ` +
          `minLearningRatePerSample ${formatGeneral(options.minLearningRatePerSample, 8)}. Training complete.\n`,
      );
      return false;
    }
    const state = await loop.runEpoch(epoch, learningRate, dropoutRate);
    const validated = await run.hooks.validate?.(epoch, state.minibatchSize);
    await run.hooks.saveEpoch({ ...state, criterion: validated ?? state.criterion });
    if (run.signal?.aborted && epoch + 1 < options.maxEpochs) throw interrupted();
  }
  return true;
}

/** Every random node begins an epoch with an engine of its own (ComputationNetwork.cpp, SetIRngUserSeed). */
async function seedEngines(program: TrainingProgram, epoch: number): Promise<void> {
  if (program.engines.length === 0) return;
  const states = program.engines.map(
    (name, index) => [name, Float64Array.of(epoch * program.engines.length + index, 0)] as const,
  );
  await program.executable.writeState(new Map(states));
}

/** The minibatch loop; lives through all epochs because a few numbers of the log do. */
class EpochLoop {
  private totalSamplesSeen: number;
  /** Samples per epoch as far as the percentages know it. */
  private knownEpochSize: number;

  constructor(private readonly run: TrainingRun) {
    this.totalSamplesSeen = run.totalSamplesSeen;
    this.knownEpochSize = run.options.epochSize || wholeSweep;
  }

  async runEpoch(epoch: number, learningRate: number, dropoutRate: number): Promise<EpochState> {
    const { options, program, reader, log } = this.run;
    const minibatchSize = options.minibatchSizes.at(epoch);
    const momentumPerSample = options.momentumPerSample(epoch);
    if (options.traceLevel > 0) this.printHeader(epoch, learningRate, momentumPerSample, minibatchSize);
    if (epoch === this.run.startEpoch) this.run.hooks.checkInputs?.();
    await reader.start({ epoch, minibatchSize, epochSize: options.epochSize, rank: 0, workers: 1 });
    const accumulator = new CriterionAccumulator(
      [program.criterion, ...program.evaluations],
      program.elementType,
      false,
    );
    const display = new Display(this.run, epoch, minibatchSize, accumulator);
    const interruption = new Interruption(this.run.signal);
    const started = performance.now();
    for (let minibatch = await reader.next(); minibatch; minibatch = await reader.next()) {
      await this.step(minibatch, accumulator, learningRate, momentumPerSample, dropoutRate);
      this.knownEpochSize = display.shown(realSamples(minibatch), this.knownEpochSize);
      await interruption.check();
    }
    const totals = accumulator.read();
    this.totalSamplesSeen += totals[0]?.count ?? 0;
    const criterion = criterionOf(totals);
    log.stamped(
      epochLine({
        epoch: epoch + 1,
        epochs: options.maxEpochs,
        criteria: totals,
        totalSamplesSeen: this.totalSamplesSeen,
        learningRatePerSample: learningRate,
        seconds: (performance.now() - started) / 1000,
      }),
    );
    return { epoch, totalSamplesSeen: this.totalSamplesSeen, learningRatePerSample: learningRate, minibatchSize, criterion }; // prettier-ignore
  }

  private printHeader(
    epoch: number,
    learningRate: number,
    momentumPerSample: number,
    minibatchSize: number,
  ): void {
    const { log } = this.run;
    const effective = momentumPerSample === 0 ? 0 : Math.pow(momentumPerSample, minibatchSize);
    const timeConstant = momentumPerSample === 0 ? 0 : -1 / Math.log(momentumPerSample);
    log.write("\n");
    log.stamped(epochHeader(epoch + 1, learningRate, effective, timeConstant));
    log.write("\n");
    log.stamped(`Starting minibatch loop${this.run.options.loopModifiers}.\n`);
  }

  private async step(
    minibatch: Minibatch,
    accumulator: CriterionAccumulator,
    learningRate: number,
    momentumPerSample: number,
    dropoutRate: number,
  ): Promise<void> {
    const { options, program } = this.run;
    const { executable } = program;
    const data = feed(minibatch, program.inputs, program.elementType);
    const values = await executable.run("accumulate", data, { dropoutRate });
    accumulator.add(values, realSamples(minibatch));
    // CNTK neither updates nor propagates back when the rate is close to its minimum.
    if (learningRate <= options.minLearningRatePerSample * 0.01) return;
    const samples = program.criterionHasLayout ? data.samples : minibatch.columns;
    await executable.run("update", data, program.updateScalars({ learningRate, momentumPerSample, samples }));
  }
}

function criterionOf(totals: readonly CriterionSum[]): number {
  const first = totals[0];
  const criterion = first ? average(first) : 0;
  if (Number.isNaN(criterion)) {
    throw new CntkError({
      code: "criterion-nan",
      message: "The training criterion is not a number (NAN).",
      hint: "a smaller learning rate, or input data of a smaller scale, often helps",
    });
  }
  return criterion;
}

/** Decides when a minibatch line is due and prints it. */
class Display {
  private minibatches = 0;
  private lastShown = 0;
  private samplesSinceShown = 0;
  private shownTotals: CriterionSum[] = [];
  private timer = performance.now();
  private readonly epochTimer = performance.now();
  private epochSamples = 0;

  constructor(
    private readonly run: TrainingRun,
    private readonly epoch: number,
    private readonly minibatchSize: number,
    private readonly accumulator: CriterionAccumulator,
  ) {}

  /** After each minibatch of `samples` samples; takes and returns the epoch size as known so far. */
  shown(samples: number, knownEpochSize: number): number {
    const { options, log } = this.run;
    this.minibatches++;
    this.samplesSinceShown += samples;
    this.epochSamples += samples;
    this.run.onProgress?.({
      phase: "train",
      epoch: this.epoch + 1,
      epochs: options.maxEpochs,
      samples: this.epochSamples,
      totalSamples: knownEpochSize < wholeSweep ? knownEpochSize : undefined,
      seconds: (performance.now() - this.epochTimer) / 1000,
    });
    const due =
      this.minibatches <= options.firstMinibatchesToShow ||
      (options.minibatchesToShow > 0 && this.minibatches % options.minibatchesToShow === 0);
    if (!due) return knownEpochSize;
    let known = knownEpochSize;
    const sizeIsKnown = this.epoch > 0 || (options.epochSize > 0 && options.epochSize < 2 ** 31);
    const shownMinibatches = this.minibatches - this.lastShown;
    if (!sizeIsKnown) known = Math.floor((this.minibatches * this.samplesSinceShown) / shownMinibatches);
    const seconds = (performance.now() - this.timer) / 1000;
    const criteria = this.accumulator.read(this.shownTotals);
    if (options.traceLevel > 0) {
      log.stamped(
        minibatchLine({
          epoch: this.epoch + 1,
          epochs: options.maxEpochs,
          first: this.lastShown + 1,
          last: this.minibatches,
          minibatchesPerEpoch: sizeIsKnown ? known / this.minibatchSize : undefined,
          criteria,
          seconds,
          samples: criteria[0]?.count ?? 0,
        }),
      );
    }
    this.shownTotals = this.accumulator.read();
    criterionOf(criteria);
    this.lastShown = this.minibatches;
    this.samplesSinceShown = 0;
    this.timer = performance.now();
    return known;
  }
}
