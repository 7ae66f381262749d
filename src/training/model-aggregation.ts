import { formatFixed } from "../numerics/number-format.js";
import type { Values } from "../numerics/values.js";
import type { CriterionSum } from "../log/training-lines.js";
import type { MinibatchSums } from "./criteria.js";
import { alone, type SharedMinibatch, type Teamwork, type TeamworkRequest } from "./teamwork.js";

/** Changes the parameters where the processes meet; `share` is this process's part of all samples since the last time. */
export interface ModelMerger {
  merge(parameters: readonly Values[], share: number): Promise<void>;
  /** Does the update rule begin anew then? */
  readonly resetsMemory: boolean;
}

export interface ModelAggregationOptions {
  /** Samples of a process between two meetings. */
  readonly blockSize: number;
  /** Every so many meetings the log says how fast the work goes; 0 = never (`syncPerfStats`). */
  readonly reportEvery: number;
}

/**
 * Every process trains by itself, and from time to time the models are made one: where each has seen a block of samples, as
 * long as none has come to the end of its data, and once at the end of the epoch (SGDLib/MASGD.h).
 */
export class ModelAggregation implements Teamwork {
  private samples = 0;
  /** Has some process no data left? */
  private somebodyEnded = false;
  private readonly report: MeetingReport;
  private readonly plain: Teamwork;

  constructor(
    private readonly request: TeamworkRequest,
    private readonly options: ModelAggregationOptions,
    private readonly merger: ModelMerger,
  ) {
    this.plain = alone(request.nothing);
    this.report = new MeetingReport(request, options.reportEvery);
  }

  share(own: MinibatchSums | undefined): Promise<SharedMinibatch> {
    return this.plain.share(own);
  }

  async afterUpdate(samples: number): Promise<void> {
    this.samples += samples;
    if (this.samples < this.options.blockSize) return;
    const started = performance.now();
    if (!(await this.allArriveAt("a block"))) return;
    this.report.met(started);
    await this.merge();
  }

  async end(criteria: readonly CriterionSum[]): Promise<readonly CriterionSum[]> {
    const { communicator } = this.request;
    const started = performance.now();
    await this.allArriveAt("the end");
    this.report.met(started);
    await this.merge();
    await communicator.barrier();
    const told = Float64Array.from(criteria.flatMap(({ sum, count }) => [sum, count]));
    const all = await communicator.gather(told);
    const sum = (at: number): number => all.reduce((total, values) => total + (values[at] ?? 0), 0);
    return criteria.map((criterion, i) => ({ ...criterion, sum: sum(2 * i), count: sum(2 * i + 1) }));
  }

  /**
   * Tells the others where this process is, and hears it of them: true if all are at a block. Once somebody has come to the
   * end, which all learn in the same exchange, nobody asks any more.
   */
  private async allArriveAt(place: "a block" | "the end"): Promise<boolean> {
    if (this.somebodyEnded) return false;
    const all = await this.request.communicator.gather(Float64Array.of(place === "the end" ? 1 : 0));
    this.somebodyEnded = all.some(([ended]) => ended === 1);
    return !this.somebodyEnded;
  }

  private async merge(): Promise<void> {
    const { communicator, trainer } = this.request;
    const own = this.samples;
    const started = performance.now();
    const counts = await communicator.gather(Float64Array.of(own));
    const total = counts.reduce((sum, [count = 0]) => sum + count, 0);
    // CNTK's factor is a float.
    const share = Math.fround(total > 0 ? own / total : 1 / communicator.size);
    await trainer.changeParameters((parameters) => this.merger.merge(parameters, share));
    if (this.merger.resetsMemory) await trainer.resetMemory();
    this.report.merged(own, total > 0 ? total : own * communicator.size, started);
    this.samples = 0;
  }
}

/** CNTK's lines about an epoch's meetings. */
class MeetingReport {
  private meetings = 0;
  private waited = 0;
  private merges = 0;
  private own = 0;
  private total = 0;
  private lastReport = performance.now();

  constructor(
    private readonly request: TeamworkRequest,
    private readonly every: number,
  ) {}

  met(started: number): void {
    const seconds = (performance.now() - started) / 1000;
    this.meetings++;
    this.waited += seconds;
    const average = formatFixed(this.waited / this.meetings, 2);
    this.request.log.write(
      `\t\t(model aggregation stats): ${this.meetings}-th sync point was hit, introducing a ${formatFixed(seconds, 2)}-seconds latency this time; ` +
        `accumulated time on sync point = ${formatFixed(this.waited, 2)} seconds , average latency = ${average} seconds\n`,
    );
  }

  merged(own: number, total: number, started: number): void {
    this.merges++;
    this.own += own;
    this.total += total;
    if (this.every === 0 || (this.merges > 5 && this.merges % this.every !== 0)) return;
    const now = performance.now();
    const since = (now - this.lastReport) / 1000;
    const { size } = this.request.communicator;
    const rate = since > 0 ? this.total / (since * 1000) : 0;
    const prefix = `\t\t(model aggregation stats) ${this.merges}-th sync: `;
    this.request.log.write(
      `${prefix}${formatFixed(since, 2).padStart(8)} seconds since last report (${formatFixed((now - started) / 1000, 2)} seconds on comm.); ` +
        `${this.total} samples processed by ${size} workers (${this.own} by me);\n` +
        `${prefix}totalThroughput = ${formatFixed(rate, 2)}k samplesPerSecond , throughputPerWorker = ${formatFixed(rate / size, 2)}k samplesPerSecond\n`,
    );
    this.lastReport = now;
    this.own = 0;
    this.total = 0;
  }
}
