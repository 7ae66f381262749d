import type { Minibatch } from "../minibatch/minibatch.js";

export interface StreamDescription {
  readonly name: string;
  /** Elements of one sample. */
  readonly dimension: number;
  readonly storage: "dense" | "sparse";
}

export interface EpochRequest {
  /** 0-based. */
  readonly epoch: number;
  readonly minibatchSize: number;
  /** Samples per epoch; 0 = one sweep over the data. */
  readonly epochSize: number;
}

/** Delivers minibatches in CNTK's order. */
export interface Reader {
  readonly streams: readonly StreamDescription[];
  /** Samples of one sweep over the data, where the reader knows. */
  readonly sweepSamples?: number;
  startEpoch(request: EpochRequest): void;
  /** The next minibatch, or undefined at the end of the epoch. */
  next(): Minibatch | undefined;
  close(): void;
}
