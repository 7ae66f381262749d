import type { NodeGroup } from "../network/network.js";
import type { ElementType } from "../numerics/values.js";

/** A whole number of 64 bits: a bigint only where a double cannot hold it. */
export type Whole = number | bigint;

/** A field of a node, as the format sheet names it. */
export type FieldValue =
  Whole | boolean | string | readonly number[] | readonly boolean[] | readonly SliceRange[];

/** One axis of a Slice: from `begin`, `length` steps (which may be zero or negative when counted from the end). */
export interface SliceRange {
  readonly begin: Whole;
  readonly length: Whole;
  /** Counted from 1. */
  readonly axis: number;
}

/** A dense matrix, column-major. */
export interface ModelMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array | Float64Array;
}

export interface ModelNode {
  readonly precision: ElementType;
  /** CNTK's operation name. */
  readonly operation: string;
  readonly name: string;
  /** Names of the inputs, in the order of the operation's arguments. */
  readonly inputs: readonly string[];
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** Values of a LearnableParameter, Mean or InvStdDev. */
  readonly values?: ModelMatrix;
}

/** A model file as plain data. */
export interface ModelFile {
  /** Version of the file it was read from; 26 is what is written. */
  readonly version: number;
  /** In the order of the file: by name, whatever the case. */
  readonly nodes: readonly ModelNode[];
  /** Names of the nodes of each group. */
  readonly groups: Readonly<Record<NodeGroup, readonly string[]>>;
}

/** The version that CNTK 2.0 writes, and the newest that can be read. */
export const currentModelVersion = 26;
