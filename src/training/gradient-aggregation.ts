import { formatGeneral } from "../numerics/number-format.js";
import type { Values } from "../numerics/values.js";
import type { PendingSum } from "../communication/index.js";
import type { MinibatchSums } from "./criteria.js";
import { addSums, type SharedMinibatch, type Teamwork, type TeamworkRequest } from "./teamwork.js";

export interface AggregationOptions {
  /** Gradients up to this many bytes travel together (`packThresholdSizeInKB`). */
  readonly packUpTo: number;
  /** Every so many minibatches the log says how long the sum took; 0 = never (`syncPerfStats`). */
  readonly reportEvery: number;
}

/**
 * DataParallelSGD: gradients and criteria are summed over all processes before the update, so that all of them make the same
 * one (SGDLib/SimpleDistGradAggregator.h).
 */
export class GradientAggregation implements Teamwork {
  private iterations = 0;

  constructor(
    private readonly request: TeamworkRequest,
    private readonly options: AggregationOptions,
  ) {}

  async share(own: MinibatchSums | undefined): Promise<SharedMinibatch> {
    const { communicator, trainer, log, nothing } = this.request;
    const reports = this.reportsNow();
    const started = performance.now();
    let shared: SharedMinibatch | undefined;
    await trainer.changeGradients(async (gradients) => {
      if (!own || own.samples === 0) clear(gradients);
      const sum = communicator.startSum(gradients, this.options.packUpTo);
      shared = await addSums(communicator, own, nothing);
      await sum.finish();
    });
    if (reports) log.write(`Actual gradient aggregation time: ${secondsSince(started)}\n`);
    return shared ?? { sums: nothing, anyData: false };
  }

  afterUpdate(): Promise<void> {
    return Promise.resolve();
  }

  end: Teamwork["end"] = (criteria) => Promise.resolve(criteria);

  private reportsNow(): boolean {
    const { reportEvery } = this.options;
    return reportEvery > 0 && this.iterations++ % reportEvery === 0;
  }
}

/** What is on its way between two minibatches. */
interface InFlight {
  readonly gradients: readonly Values[];
  readonly sum: PendingSum;
  readonly own: MinibatchSums | undefined;
}

/**
 * The same with `useBufferedAsyncGradientAggregation`: while a minibatch is computed, the gradients of the one before are being
 * summed; every update is one minibatch late, and the first one has nothing.
 */
export class BufferedAggregation implements Teamwork {
  private inFlight: InFlight | undefined;
  private iterations = 0;

  constructor(
    private readonly request: TeamworkRequest,
    private readonly options: AggregationOptions,
  ) {}

  async share(own: MinibatchSums | undefined): Promise<SharedMinibatch> {
    const { communicator, trainer, nothing } = this.request;
    const isFirst = this.iterations === 0;
    const shared = await this.arrived();
    await trainer.changeGradients(async (gradients) => {
      const before = this.inFlight?.gradients;
      if (!own || own.samples === 0) clear(gradients);
      this.inFlight = undefined;
      // Nothing new is begun behind a minibatch for which nobody had data.
      if (isFirst || shared.anyData) {
        const copies = gradients.map((values) => values.slice());
        this.inFlight = { gradients: copies, sum: communicator.startSum(copies, 0), own };
      }
      gradients.forEach((values, i) => (before?.[i] ? values.set(before[i]) : values.fill(0)));
    });
    return isFirst ? { sums: nothing, anyData: true } : shared;
  }

  /** What was on its way. */
  private async arrived(): Promise<SharedMinibatch> {
    const { communicator, log, nothing } = this.request;
    const reports = this.options.reportEvery > 0 && this.iterations % this.options.reportEvery === 0;
    this.iterations++;
    if (!this.inFlight) return { sums: nothing, anyData: false };
    const started = performance.now();
    await this.inFlight.sum.finish();
    const shared = await addSums(communicator, this.inFlight.own, nothing);
    if (reports) log.write(`Async gradient aggregation wait time: ${secondsSince(started)}\n`);
    return shared;
  }

  afterUpdate(): Promise<void> {
    return Promise.resolve();
  }

  end: Teamwork["end"] = (criteria) => Promise.resolve(criteria);
}

function clear(gradients: readonly Values[]): void {
  for (const values of gradients) values.fill(0);
}

function secondsSince(started: number): string {
  return formatGeneral((performance.now() - started) / 1000, 6);
}
