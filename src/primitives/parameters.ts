import type { Expression } from "./expression.js";
import type { Geometry } from "./geometry.js";

export type ReduceOperation = "sum" | "max" | "min" | "product" | "logSum" | "argmax" | "argmin";

/** What each kind of instruction is told beside its operands. The kinds' meanings: signatures.ts. */
export interface Parameters {
  // Element by element, and along the axes of a sample.
  map: { readonly expression: Expression };
  reduce: {
    readonly operation: ReduceOperation;
    /** Factor of the rounded result. */
    readonly scale: number;
    /** Contracting a dynamic axis: leave gaps out (the rule), or take what stands in them (CNTK where it forgets to mask). */
    readonly gaps: "skipped" | "counted";
  };
  copy: Record<string, never>;
  transpose: { readonly axes: readonly number[] };
  slice: { readonly axis: number; readonly begin: number };
  pad: { readonly axis: number; readonly begin: number };
  concatenate: { readonly axis: number };
  iota: Record<string, never>;
  // Matrices and windows.
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  convolution: { readonly geometry: Geometry };
  convolutionInputGradient: { readonly geometry: Geometry };
  convolutionWeightGradient: { readonly geometry: Geometry };
  pool: PoolParameters;
  poolGradient: PoolParameters;
  maxUnpool: { readonly geometry: Geometry };
  regionPool: RegionParameters;
  regionPoolGradient: RegionParameters;
  // Random numbers.
  dropoutMask: {
    /** Name of the engine, one of the plan's. */
    readonly engine: string;
    /** Name of the scalar that holds the rate. */
    readonly rate: string;
  };
  drawClasses: {
    /** Name of the engine. */
    readonly engine: string;
    /** Classes of a sample, and may one be drawn twice? */
    readonly size: number;
    readonly allowDuplicates: boolean;
    readonly result: "columns" | "frequencies";
  };
  // Sequences.
  count: { readonly what: "samples" | "columns" | "sequences" };
  shift: ShiftParameters;
  shiftInitialGradient: { readonly steps: number };
  where: {
    /** May a sequence be left without a frame? (CNTK: no.) */
    readonly empty: "kept" | "refused";
  };
  packIndex: Record<string, never>;
  gather: Record<string, never>;
  scatter: Record<string, never>;
  reconcile: {
    /** Is a single frame of x repeated for all frames of its sequence? */
    readonly repeats: boolean;
  };
  reconcileGradient: Record<string, never>;
  sumSequence: Record<string, never>;
  spreadSequence: Record<string, never>;
  rotateColumns: { readonly steps: number };
  // Sparse data.
  toDense: Record<string, never>;
  mapTouched: { readonly expression: Expression };
  addTouched: Record<string, never>;
  putTouched: Record<string, never>;
  reduceTouched: { readonly operation: "sum" | "mean" };
  // Algorithms of their own.
  connectionistTemporal: ConnectionistTemporalParameters;
  editDistance: EditDistanceParameters;
  outsideTop: Record<string, never>;
  ranking: { readonly result: "lambdaRank" | "lambdas" | "firstRank" };
}

export interface PoolParameters {
  readonly mode: "max" | "average";
  /** Average over the whole window, cells outside the input counting as 0. */
  readonly includePad: boolean;
  readonly geometry: Geometry;
}

export interface RegionParameters {
  /** From the corners' pixels to cells of the feature map. */
  readonly scale: number;
  /** Cells of the grid laid over each region. */
  readonly grid: readonly [width: number, height: number];
}

export interface ShiftParameters {
  /** Frames back in time: k > 0 reads frame t − k, k < 0 reads frame t + |k|. */
  readonly steps: number;
  /**
   * Where a sequence began in an earlier minibatch, go on from what that left (a `carried` buffer is then the third operand);
   * otherwise the boundary value stands there too.
   */
  readonly carries: boolean;
}

export interface ConnectionistTemporalParameters {
  readonly result: "loss" | "posteriors";
  /** Row of the blank label. */
  readonly blank: number;
  /** Frames that an output may lag behind the labels' alignment; negative = any. */
  readonly delay: number;
}

export interface EditDistanceParameters {
  readonly substitutionPenalty: number;
  readonly deletionPenalty: number;
  readonly insertionPenalty: number;
  readonly squashInputs: boolean;
  /** Labels that do not count. */
  readonly ignored: readonly number[];
}
