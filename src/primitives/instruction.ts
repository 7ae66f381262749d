import type { Expression } from "./expression.js";

/** Index into a plan's buffers. */
export type BufferId = number;

/**
 * A buffer as an instruction sees it. Memory is column-major: the first dimension is contiguous, samples come last
 * (row-major `[N][d_k]…[d_1]`). `dims` may regroup the buffer's own dimensions, the element count stays.
 */
export interface Operand {
  readonly buffer: BufferId;
  readonly dims: readonly number[];
  /** One value per sample of the minibatch: the buffer holds N times the elements of `dims`. */
  readonly perSample: boolean;
}

/**
 * A matrix as matmul sees it, column-major `rows x columns`; with `perSample` it has `columns · N` columns
 * (the samples are contiguous behind each other).
 */
export interface MatrixOperand {
  readonly buffer: BufferId;
  readonly rows: number;
  readonly columns: number;
  readonly perSample: boolean;
}

/**
 * Geometry of a convolution or pooling, all arrays of the input's rank (Source/Math/ConvolveGeometry.h).
 * Along axis i the windows are numbered 0 … windows[i]−1 and window w covers input cells
 * start[i] + w·stride[i] + (0 … kernel[i]−1); cells outside the input are skipped.
 * The output has windows[i]·maps[i] cells on axis i: cell = window + windows[i]·map.
 */
export interface Geometry {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly kernel: readonly number[];
  readonly windows: readonly number[];
  /** Number of output maps per axis (1 but for the channel axis, as a rule). */
  readonly maps: readonly number[];
  readonly stride: readonly number[];
  /** First input cell of window 0: minus the lower padding; may be positive (auto-padding with large strides). */
  readonly start: readonly number[];
  /** false on an axis: every window position along it has kernel weights of its own. */
  readonly sharing: readonly boolean[];
  /**
   * Per window (first axis fastest) the window whose taps it uses: a tap counts if it lies inside the input there, and is
   * then taken at this window's place in memory, if that is inside the sample; −1 = all taps. Absent: every window its own.
   * CNTK mixes up windows where an explicit padding exceeds half the kernel; only the reference backend follows it.
   */
  readonly tapsOf?: readonly number[];
}

export type ReduceInstructionOperation = "sum" | "max" | "min" | "product" | "logSum" | "argmax" | "argmin";

/** The closed vocabulary of kernels: all that a backend has to know. */
export type Instruction =
  /** output = expression(inputs), inputs broadcast: missing trailing dims count as 1, a dim of 1 stretches. */
  | {
      readonly kind: "elementwise";
      readonly expression: Expression;
      readonly inputs: readonly Operand[];
      readonly output: Operand;
    }
  /**
   * Reduces the axes where output.dims is 1 and input.dims is not (and the samples, if input.perSample and not
   * output.perSample), in double; then rounds, then multiplies by `scale`. Neighbouring reduced axes count as one; where
   * kept axes lie between, the reference backend rounds a sum's inner totals too, as CNTK does. argmax/argmin give the flat index
   * (0-based, lowest among equals) within the reduced axes.
   */
  | {
      readonly kind: "reduce";
      readonly operation: ReduceInstructionOperation;
      readonly input: Operand;
      readonly output: Operand;
      readonly scale: number;
    }
  /** output = op(a) · op(b), where op transposes if asked; sums run over rows/columns incl. samples where they are contracted. */
  | {
      readonly kind: "matmul";
      readonly a: MatrixOperand;
      readonly b: MatrixOperand;
      readonly output: MatrixOperand;
      readonly transposeA: boolean;
      readonly transposeB: boolean;
    }
  /**
   * output[window + windows·map] = Σ kernel[tap, map]·input[start + window·stride + tap] (cross-correlation).
   * Weights memory: runs of one kernel each (kernel cells, first axis fastest). The number of the run that belongs to an
   * output cell counts, axis by axis with the first axis fastest, the window position if the axis is not shared, then the
   * map if the axis has several (ConvolveGeometry's MpRowIwht). With all axes shared: kernel cells, then maps.
   */
  | {
      readonly kind: "convolution";
      readonly geometry: Geometry;
      readonly weights: Operand;
      readonly input: Operand;
      readonly output: Operand;
    }
  /** The adjoint with respect to the input: scatters outputGradient through the kernel; also a transposed convolution. */
  | {
      readonly kind: "convolutionInputGradient";
      readonly geometry: Geometry;
      readonly weights: Operand;
      readonly outputGradient: Operand;
      readonly output: Operand;
    }
  /** The adjoint with respect to the kernel, summed over the samples. */
  | {
      readonly kind: "convolutionWeightGradient";
      readonly geometry: Geometry;
      readonly input: Operand;
      readonly outputGradient: Operand;
      readonly output: Operand;
    }
  /** Max or average over each window; average divides by the cells inside the input, or with includePad by the kernel size. */
  | {
      readonly kind: "pool";
      readonly mode: "max" | "average";
      readonly includePad: boolean;
      readonly geometry: Geometry;
      readonly input: Operand;
      readonly output: Operand;
    }
  /** max: the whole gradient goes to the first cell of the window (first axis fastest) whose value is ≥ the maximum. */
  | {
      readonly kind: "poolGradient";
      readonly mode: "max" | "average";
      readonly includePad: boolean;
      readonly geometry: Geometry;
      /** The pooled input and the pooling's output; only for max. */
      readonly input?: Operand;
      readonly pooled?: Operand;
      readonly outputGradient: Operand;
      readonly output: Operand;
    }
  /** Writes each pooled value to the first maximum of its window in `poolInput`, zero elsewhere; later windows overwrite. */
  | {
      readonly kind: "maxUnpool";
      readonly geometry: Geometry;
      readonly pooled: Operand;
      readonly poolInput: Operand;
      readonly output: Operand;
    }
  /**
   * Dropout mask: per element (column-major over all samples) u ≤ rate ? 0 : 1/(1−rate), u uniform in [0,1) from the
   * plan's engine `engine` (a 64-bit Mersenne Twister); at rate 0 all ones and no draws. `rate` is a scalar's name.
   */
  | { readonly kind: "dropoutMask"; readonly engine: string; readonly rate: string; readonly output: Operand }
  /**
   * Axis i of the output is axis `axes[i]` of the input, a permutation of the sample's axes; samples stay last.
   * output.dims[i] = input.dims[axes[i]].
   */
  | {
      readonly kind: "transpose";
      readonly axes: readonly number[];
      readonly input: Operand;
      readonly output: Operand;
    }
  /** Same elements, other shape. */
  | { readonly kind: "copy"; readonly input: Operand; readonly output: Operand };

export type InstructionKind = Instruction["kind"];
