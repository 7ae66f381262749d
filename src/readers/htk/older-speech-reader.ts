import type { Minibatch } from "../../minibatch/index.js";
import type { DataReader } from "../data-reader.js";
import { type EpochRequest, type Reader, samplesOfEpoch, type StreamDescription } from "../reader.js";
import type { OlderSpeechLog } from "./older-log.js";

/** CNTK's older reader of speech: tells of every epoch, or of every file that is to be written again. */
export class OlderSpeechReader implements Reader {
  readonly streams: readonly StreamDescription[];
  readonly readsParts: boolean;
  readonly isOlder: boolean;
  readonly firstParallelSequences: number;
  private minibatches = 0;
  /** The first minibatch of an epoch, which is read before the epoch begins. */
  private first: Promise<Minibatch | undefined> | undefined;

  constructor(
    private readonly reader: DataReader,
    private readonly log: OlderSpeechLog,
    /** Every minibatch is a file. */
    private readonly wholeFiles: boolean,
  ) {
    this.streams = reader.streams;
    this.readsParts = reader.readsParts;
    this.isOlder = reader.isOlder;
    this.firstParallelSequences = reader.firstParallelSequences;
  }

  get sweepSamples(): number {
    return this.reader.sweepSamples;
  }

  async start(request: EpochRequest): Promise<void> {
    this.minibatches = 0;
    this.first = undefined;
    await this.reader.start(request);
    if (this.wholeFiles) return;
    const { epoch, epochSize } = request;
    const size = samplesOfEpoch(epochSize, this.sweepSamples);
    const first = epoch * size;
    this.log.epochBegins(epoch, { first, end: first + size, start: this.reader.position }, request);
    this.first = this.reader.next();
    await this.first;
  }

  async next(): Promise<Minibatch | undefined> {
    const minibatch = await (this.first ?? this.reader.next());
    this.first = undefined;
    if (minibatch && this.wholeFiles) this.log.filesRead(this.minibatches++);
    return minibatch;
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}
