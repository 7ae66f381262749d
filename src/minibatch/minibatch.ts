import type { Values } from "../numerics/values.js";

/**
 * Where a sequence lies in a minibatch: its frames are the steps `begin … begin + length - 1` of one row. `begin` < 0: it
 * started in an earlier minibatch; `begin + length` beyond the steps: it goes on in the next one.
 * Source: Source/Common/Include/Sequences.h, MBLayout::SequenceInfo.
 */
export interface SequencePlacement {
  /** Number of the sequence within the minibatch, from 0. */
  readonly sequence: number;
  readonly row: number;
  readonly begin: number;
  /** Frames of the whole sequence, those outside this minibatch included. */
  readonly length: number;
}

/**
 * How the sequences of a minibatch lie on a dynamic axis: `rows` parallel sequences of `steps` time steps. The column of
 * (row, step) is step · rows + row. What no sequence covers is a gap: its column exists, its values mean nothing.
 */
export interface AxisLayout {
  readonly rows: number;
  readonly steps: number;
  readonly sequences: readonly SequencePlacement[];
}

/**
 * The columns of one stream or input. Dense: dimension · rows · steps values, column after column, zero in gaps.
 * Sparse: column c holds `values[i]` at row `rows[i]`, i from `columnStarts[c]` up to `columnStarts[c + 1]`; gaps are empty.
 */
export type StreamData =
  | {
      readonly storage: "dense";
      readonly values: Values;
      /** The same numbers, for who has a place for them: they need not lie in an array of their own first. */
      readonly unpacked?: UnpackedColumns;
    }
  | {
      readonly storage: "sparse";
      readonly values: Values;
      readonly rows: Int32Array;
      readonly columnStarts: Int32Array;
    };

/** Dense columns that still lie where they were read. */
export interface UnpackedColumns {
  /** How many numbers they are. */
  readonly length: number;
  /** Writes all of them to the beginning of `target`. */
  copyTo(target: Values): void;
}

/** What a reader delivers of one stream. */
export interface StreamMinibatch {
  /** Elements of one sample. */
  readonly dimension: number;
  readonly layout: AxisLayout;
  readonly data: StreamData;
}

/** What a reader delivers. */
export interface Minibatch {
  readonly streams: ReadonlyMap<string, StreamMinibatch>;
  /** The longest stream's columns: rows · steps, gaps included (CNTK's actualMBSize). */
  readonly columns: number;
  /** Keys of the sequences as text, by the number of a sequence; only readers made of deserializers know them. */
  readonly keys?: readonly string[];
}

/** What a backend takes: layouts by name of a dynamic axis, data by name of an input. */
export interface FedMinibatch {
  readonly layouts: ReadonlyMap<string, AxisLayout>;
  readonly inputs: ReadonlyMap<string, StreamData>;
}
