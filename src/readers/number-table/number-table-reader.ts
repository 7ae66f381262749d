import { formatFixed } from "../../numerics/number-format.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { writeWhole } from "../../files/file-access.js";
import { type Minibatch, packFrames, type StreamMinibatch } from "../../minibatch/index.js";
import { windowOrdering } from "../../numerics/c-library-random.js";
import { newValues } from "../../numerics/values.js";
import type { EpochRequest, Reader, ReaderSurroundings, StreamDescription } from "../reader.js";
import { categoriesOf, readNumberTable, type NumberTable } from "./number-table.js";
import type { NumberTableOptions, TableLabels } from "./number-table-config.js";

/** The size and order of an epoch. */
interface EpochPlan {
  readonly size: number;
  /** Samples that change places with each other; 0 = none do. */
  readonly range: number;
}

/**
 * UCIFastReader, CNTK's oldest reader: a table of numbers, a sample a line, features and label in columns of it. The order is
 * drawn with the C library's `rand`, as a CNTK built with GNU's does it. Processes take their share of every minibatch.
 * Source: Readers/UCIFastReader/UCIFastReader.cpp.
 */
export class NumberTableReader implements Reader {
  readonly readsParts = true;
  readonly isOlder = true;
  readonly streams: readonly StreamDescription[];
  readonly sweepSamples: number;
  private readonly table: NumberTable;
  private readonly categories: ReadonlyMap<string, number>;
  private request: EpochRequest = { epoch: 0, minibatchSize: 0, epochSize: 0, rank: 0, workers: 1 };
  private plan: EpochPlan = { size: 0, range: 0 };
  /** Samples that change places with each other, as the first epoch has found it out. */
  private range: number | undefined;
  /** Sample that comes next, counted from the first epoch on. */
  private position = 0;
  private wasStarted = false;
  /** A label file that is not there yet, and is made when all data have been seen. */
  private missingLabels: string | undefined;
  /** What is wrong with the data: the first minibatch tells of it. */
  private readonly problem: CntkError | undefined;
  private ordered: { readonly seed: number; readonly order: Uint32Array } | undefined;

  constructor(
    private readonly options: NumberTableOptions,
    private readonly surroundings: ReaderSurroundings,
  ) {
    const { files } = surroundings;
    const { features, labels, createsMapping } = options;
    if (!options.hasLabelSection) surroundings.log.write("Warning: labels are not specified.");
    this.tell(`Reading UCI file ${options.file}\n`);
    this.table = readNumberTable(options, files);
    this.sweepSamples = this.table.samples;
    if (this.sweepSamples === 0) {
      throw new CntkError({ code: "data-format", message: `${options.file} has no data.` });
    }
    const isCategory = labels?.type === "category";
    this.categories = isCategory ? categoriesOf(labels, this.table, files, createsMapping) : new Map();
    this.problem = this.table.problem ?? (isCategory ? this.unknownLabel(labels) : undefined);
    if (isCategory && !files.exists(labels.mappingFile)) this.missingLabels = labels.mappingFile;
    const streams: StreamDescription[] = [
      { name: features.name, dimension: features.count, storage: "dense" },
    ];
    if (labels) streams.push({ name: labels.name, dimension: this.labelDimension(labels), storage: "dense" });
    this.streams = streams;
  }

  start(request: EpochRequest): Promise<void> {
    this.request = request;
    this.plan = this.planEpoch(request);
    this.position = request.epoch * this.plan.size;
    this.ordered = undefined;
    this.tellStart();
    return Promise.resolve();
  }

  async next(): Promise<Minibatch | undefined> {
    if (this.problem) throw this.problem;
    const { minibatchSize, epoch, rank, workers } = this.request;
    const { size } = this.plan;
    const inEpoch = this.position % size;
    if (minibatchSize === 0 || Math.floor(this.position / size) !== epoch) return undefined;
    let count = Math.min(minibatchSize, this.table.samples, size - inEpoch);
    // A minibatch does not reach over the end of the data where it may be smaller.
    const { partialMinibatches } = this.options;
    if (partialMinibatches)
      count = Math.min(count, this.table.samples - (this.position % this.table.samples));
    const first = this.position;
    this.position += count;
    const [begin, end] = [rank, rank + 1].map((part) => Math.floor((count * part) / workers)) as [
      number,
      number,
    ];
    const isDropped = count < minibatchSize && !partialMinibatches;
    if (isDropped || begin === end) return undefined;
    const samples = Array.from({ length: end - begin }, (_, index) => this.sampleAt(first + begin + index));
    return this.deliver(samples);
  }

  close(): Promise<void> {
    return Promise.resolve().then(() => this.writeLabels());
  }

  /** Source: StartDistributedMinibatchLoop, UpdateDataVariables. */
  private planEpoch({ epochSize, minibatchSize }: EpochRequest): EpochPlan {
    const { randomize, partialMinibatches } = this.options;
    const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;
    const isGiven = epochSize > 0;
    const given = isGiven && !partialMinibatches ? roundUp(epochSize, minibatchSize) : epochSize;
    if (given !== epochSize) {
      this.surroundings.log.write(
        `epochSize rounded up to ${given} to fit an integral number of minibatches\n`,
      );
    }
    const unit = typeof randomize === "number" ? randomize : minibatchSize;
    const { samples } = this.table;
    const size = isGiven ? given : partialMinibatches ? samples : roundUp(samples, unit);
    if (randomize === "none") return { size, range: 0 };
    this.range ??= randomize === "auto" ? (isGiven ? size : Infinity) : randomize;
    const range = Math.max(this.range, minibatchSize);
    // Of the whole data CNTK knows the size too late to ask this the first time.
    const sizeIsKnown = isGiven || this.wasStarted;
    if (range !== Infinity && ((sizeIsKnown && size % range !== 0) || range % minibatchSize !== 0)) {
      throw new CntkError({
        code: "reader-option",
        message: "randomizeRange must be an even multiple of mbSize and an integral factor of epochSize",
        hint: `minibatchSize is ${minibatchSize}, epochSize ${size}, randomize ${range}; randomize = none does without`,
      });
    }
    this.range = Math.min(range, size);
    return { size, range: this.range };
  }

  /** The sample at a place of the order. */
  private sampleAt(position: number): number {
    const { size, range } = this.plan;
    const epochBegin = position - (position % size);
    if (range === 0) return position % this.table.samples;
    const inEpoch = position % size;
    const seed = Math.floor(position / range);
    if (this.ordered?.seed !== seed) this.ordered = { seed, order: this.draw(range, seed) };
    const place = (inEpoch - (inEpoch % range) + (this.ordered.order[position % range] ?? 0)) % size;
    return (epochBegin + place) % this.table.samples;
  }

  private draw(range: number, seed: number): Uint32Array {
    const { order, retries } = windowOrdering(range, range, seed);
    const percent = formatFixed((100 * retries) / range, 1);
    this.surroundings.log.write(
      `RandomOrdering: ${retries} retries for ${range} elements (${percent}%) to ensure window condition\n`,
    );
    this.surroundings.log.write(
      `RandomOrdering: recached sequence for seed ${seed}: ${order[0]}, ${order[1]}, ...\n`,
    );
    return order;
  }

  private deliver(samples: readonly number[]): Minibatch {
    const { features, labels, elementType } = this.options;
    const layout = packFrames(samples.map(() => 1));
    const { count } = features;
    const values = newValues(elementType, samples.length * count);
    samples.forEach((sample, column) => {
      values.set(this.table.features.subarray(sample * count, (sample + 1) * count), column * count);
    });
    const streams = new Map<string, StreamMinibatch>();
    streams.set(features.name, { dimension: count, layout, data: { storage: "dense", values } });
    if (labels) {
      const dimension = this.labelDimension(labels);
      const target = newValues(elementType, samples.length * dimension);
      samples.forEach((sample, column) => {
        for (let i = 0; i < labels.count; i++) {
          const word = this.table.labels[sample * labels.count + i] ?? "";
          if (labels.type === "category") target[column * dimension + (this.categories.get(word) ?? 0)] = 1;
          else target[column * dimension + i] = Number.parseFloat(word) || 0;
        }
      });
      streams.set(labels.name, { dimension, layout, data: { storage: "dense", values: target } });
    }
    return { streams, columns: samples.length };
  }

  private labelDimension(labels: TableLabels): number {
    return Math.max(labels.dimension, this.categories.size);
  }

  private unknownLabel({ mappingFile }: TableLabels): CntkError | undefined {
    const unknown = this.table.labels.find((word) => !this.categories.has(word));
    if (unknown === undefined) return undefined;
    return new CntkError({
      code: "data-format",
      message: `label found in data not specified in label mapping file: ${unknown}`,
      hint: `'${mappingFile}' lists ${this.categories.size} labels, one a line`,
    });
  }

  /** Source: WriteLabelFile, and the blanks that File.cpp puts around words. */
  private writeLabels(): void {
    const { files, log } = this.surroundings;
    const path = this.missingLabels;
    if (path === undefined) return;
    writeWhole(files, path, (file) => {
      for (const word of this.categories.keys()) file.write(` ${word} \n`);
    });
    log.write(`label file ${path} written to disk\n`);
    this.missingLabels = undefined;
  }

  private tell(text: string): void {
    if (this.options.traceLevel > 0) this.surroundings.log.write(text);
  }

  /** Source: SetupEpoch. */
  private tellStart(): void {
    const { samples } = this.table;
    const { epoch } = this.request;
    if (!this.wasStarted) {
      this.tell(`UCIFastReader: Starting at epoch ${epoch}, counting lines to determine record count...\n`);
      if (this.missingLabels !== undefined) {
        const later =
          "NOT written to disk yet, will be written the first time the end of the entire dataset is found";
        this.surroundings.log.write(`WARNING: file ${this.missingLabels} ${later}.\n`);
      }
      this.tell(` ${samples} records found.\n`);
    }
    const record = this.position % samples;
    const { log } = this.surroundings;
    log.write(`starting epoch ${epoch + 1} at record count ${this.position}, and file position ${record}\n`);
    if (this.wasStarted || record === 0) log.write("already there from last epoch\n");
    else log.write(`reading from record 0 to ${record} to be positioned properly for epoch\n`);
    if (this.wasStarted) this.writeLabels();
    this.wasStarted = true;
  }
}
