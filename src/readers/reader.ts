/** A sparse minibatch in compressed-column form: column c holds values[offsets[c] … offsets[c+1]) at rows[…]. */
export interface SparseColumns {
  readonly values: Float32Array | Float64Array;
  readonly rows: Int32Array;
  readonly offsets: Int32Array;
}

export interface StreamDescription {
  readonly name: string;
  /** Elements of one sample. */
  readonly dimension: number;
  readonly storage: "dense" | "sparse";
}

/** How the sequences of a minibatch lie in its columns: column of (row s, time t) = t·rows + s. */
export interface MinibatchLayout {
  /** Parallel sequences (rows). */
  readonly rows: number;
  /** Time steps. */
  readonly steps: number;
  /** One entry per sequence: where it starts and how long it is. */
  readonly sequences: readonly {
    readonly row: number;
    readonly begin: number;
    readonly length: number;
    readonly id: number;
  }[];
}

export interface StreamMinibatch {
  /** Elements of one sample. */
  readonly dimension: number;
  readonly layout: MinibatchLayout;
  /** Dense: dimension · rows · steps values, column-major, gaps zero. */
  readonly dense?: Float32Array | Float64Array;
  readonly sparse?: SparseColumns;
}

export interface Minibatch {
  readonly streams: ReadonlyMap<string, StreamMinibatch>;
  /** The longest stream's columns: parallel sequences · time steps, gaps included (CNTK's actualMBSize). */
  readonly columns: number;
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
