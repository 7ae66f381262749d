/** Criteria at a point of a training. */
export interface LoggedPoint {
  /** In epochs: 1.5 is in the middle of the second one, 2 its end. */
  readonly at: number;
  /** By criterion of the training; null where the log has no number. */
  readonly values: readonly (number | null)[];
  readonly samplesPerSecond?: number;
}

/** What a log tells of one training. */
export interface LoggedTraining {
  /** Names of the criteria, in the order of the log. */
  readonly criteria: readonly string[];
  /** Criteria that are told in percent. */
  readonly percentages: readonly string[];
  readonly minibatches: readonly LoggedPoint[];
  readonly epochs: readonly LoggedPoint[];
  readonly validations: readonly LoggedPoint[];
  /** Learning rate per sample, by epoch. */
  readonly learningRates: readonly (readonly [epoch: number, rate: number])[];
}

type Kind = "minibatch" | "Training" | "Validate";

interface Line {
  readonly kind: Kind;
  /** 1-based. */
  readonly epoch: number;
  /** `ce = 0.1 * 64; …`. */
  readonly text: string;
}

/** A process's name and a time may stand in front. Searches' lines, which have a word there, are of no training. */
const prefix = String.raw`^(?:MPI Rank (\d+): )?(?:\d+\/\d+\/\d+ \d+:\d+:\d+: )?`;
const minibatchPattern = new RegExp(
  String.raw`${prefix} ?Epoch\[ *(\d+) of \d+\]-Minibatch\[[^\]]*\]: (.*)$`,
);
const epochPattern = new RegExp(
  String.raw`${prefix}Finished Epoch\[ *(\d+) of \d+\]: (?:\[(Training|Validate)\] )?(.*)$`,
);
/** `ce = 0.1 * 64`, `errs = 12.5% * 64`, `time = 0.1s`, `epochTime=4.08s`. */
const entryPattern =
  /^\s*(\S.*?) ?= ?(-?(?:\d[\d.]*(?:e[+-]?\d+)?|nan|inf)(?:\(ind\))?)([%s]?)(?: \* (\d+))?$/i;

/** Numbers of a line that are no criteria. */
const others = new Set([
  "time",
  "TotalTime",
  "samplesPerSecond",
  "SamplesSeen",
  "totalSamplesSeen",
  "learningRatePerSample",
  "AvgLearningRatePerSample",
  "epochTime",
  "EpochTime",
]);

/** A training while its lines are read. */
class Reading {
  readonly criteria: string[] = [];
  readonly percentages = new Set<string>();
  readonly minibatches: { epoch: number; samples: number; point: Omit<LoggedPoint, "at"> }[] = [];
  readonly epochs: LoggedPoint[] = [];
  readonly validations: LoggedPoint[] = [];
  readonly learningRates: (readonly [number, number])[] = [];
  /** Samples of each epoch, as its last line tells. */
  readonly samplesOf = new Map<number, number>();
  lastEpoch = 0;
  isFinished = false;

  add({ kind, epoch, text }: Line): void {
    const values: (number | null)[] = [];
    const numbers = new Map<string, number>();
    let samples = 0;
    for (const entry of text.split(";")) {
      const [, name = "", value = "", percent = "", count] = entryPattern.exec(entry) ?? [];
      if (name === "") continue;
      const number = Number(value);
      numbers.set(name, number);
      if (others.has(name) || name === "perplexity") continue;
      if (count !== undefined) samples = Number(count);
      values[this.indexOf(name, percent)] = Number.isFinite(number) ? number : null;
    }
    // Older logs tell the samples apart.
    samples ||= numbers.get("SamplesSeen") ?? 0;
    this.lastEpoch = epoch;
    const complete = Array.from(values, (value) => value ?? null);
    if (kind === "minibatch") {
      const rate = numbers.get("samplesPerSecond");
      const point = { values: complete, ...(rate === undefined ? {} : { samplesPerSecond: rate }) };
      this.minibatches.push({ epoch, samples, point });
    } else if (kind === "Validate") this.validations.push({ at: epoch, values: complete });
    else {
      this.epochs.push({ at: epoch, values: complete });
      this.samplesOf.set(epoch, samples);
      const rate = numbers.get("learningRatePerSample") ?? numbers.get("AvgLearningRatePerSample");
      if (rate !== undefined) this.learningRates.push([epoch, rate]);
    }
    this.isFinished = kind !== "minibatch";
  }

  private indexOf(name: string, percent: string): number {
    if (percent === "%") this.percentages.add(name);
    const known = this.criteria.indexOf(name);
    return known >= 0 ? known : this.criteria.push(name) - 1;
  }

  /** Does a line of this epoch belong to another training? */
  endsBefore({ kind, epoch }: Line): boolean {
    return epoch < this.lastEpoch || (kind === "minibatch" && epoch === this.lastEpoch && this.isFinished);
  }

  result(): LoggedTraining {
    const { criteria, epochs, validations, learningRates } = this;
    const percentages = [...this.percentages];
    return { criteria, percentages, minibatches: this.placed(), epochs, validations, learningRates };
  }

  /** Minibatches stand in their epoch by the samples up to them. */
  private placed(): LoggedPoint[] {
    const seen = new Map<number, number>();
    const usual = Math.max(0, ...this.samplesOf.values());
    const total = new Map<number, number>();
    for (const { epoch, samples } of this.minibatches) total.set(epoch, (total.get(epoch) ?? 0) + samples);
    return this.minibatches.map(({ epoch, samples, point }) => {
      const before = (seen.get(epoch) ?? 0) + samples;
      seen.set(epoch, before);
      const whole = Math.max(this.samplesOf.get(epoch) ?? usual, total.get(epoch) ?? 0);
      return { at: epoch - 1 + (whole > 0 ? before / whole : 1), ...point };
    });
  }
}

/**
 * The trainings that a log tells of, CNTK's or ours: lines of minibatches, epochs and validations, with or without times and
 * ranks (of several processes the first one counts). A training begins where the count of epochs does.
 */
export function readTrainings(log: string): LoggedTraining[] {
  const trainings: Reading[] = [];
  let process: string | undefined;
  for (const text of log.split("\n")) {
    if (!text.includes("Epoch[")) continue;
    const found = lineOf(text.trimEnd());
    if (!found) continue;
    process ??= found.process;
    if (found.process !== process) continue;
    let training = trainings.at(-1);
    if (!training || training.endsBefore(found.line)) trainings.push((training = new Reading()));
    training.add(found.line);
  }
  return trainings.map((training) => training.result());
}

function lineOf(text: string): { readonly process: string; readonly line: Line } | undefined {
  const minibatch = minibatchPattern.exec(text);
  if (minibatch) {
    const [, process = "", epoch = "", rest = ""] = minibatch;
    return { process, line: { kind: "minibatch", epoch: Number(epoch), text: rest } };
  }
  const end = epochPattern.exec(text);
  if (!end) return undefined;
  const [, process = "", epoch = "", part = "Training", rest = ""] = end;
  return {
    process,
    line: { kind: part === "Validate" ? part : "Training", epoch: Number(epoch), text: rest },
  };
}
