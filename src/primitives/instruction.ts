import type { Parameters } from "./parameters.js";

/** Index into a plan's buffers. */
export type BufferId = number;
/** Index into a plan's dynamic axes. */
export type AxisId = number;

/**
 * How the numbers of a value lie in memory.
 * `dense`: all of them. `sparse`: per column of its dynamic axis the non-zero ones with their rows (a text reader's
 * `index:value` pairs). `touched`: a matrix of which only some columns can be other than zero, together with their list
 * (the gradient of a matrix that was multiplied with sparse data).
 */
export type Storage = "dense" | "sparse" | "touched";

/**
 * A buffer as an instruction sees it. Memory is column-major: the first dimension is contiguous and the columns of the
 * dynamic axis come last (row-major `[columns][d_k]…[d_1]`). `dims` may regroup the buffer's own dimensions; the element
 * count stays.
 *
 * A dynamic axis has rows (parallel sequences) x steps; column = step · rows + row. Columns that belong to no sequence are
 * gaps. They are computed like all others, with numbers that mean nothing; only what contracts an axis looks where they are.
 */
export interface Operand {
  readonly buffer: BufferId;
  readonly dims: readonly number[];
  /** The dynamic axis along which the buffer holds `dims` once per column; null: just once. */
  readonly axis: AxisId | null;
  readonly storage: Storage;
}

export type Kind = keyof Parameters;

/** One step of work on buffers: `writes` = kind(reads; parameters). The meaning of each kind stands in `signatures`. */
export type Instruction = {
  readonly [K in Kind]: {
    readonly kind: K;
    readonly reads: readonly Operand[];
    readonly writes: Operand;
    readonly parameters: Parameters[K];
  };
}[Kind];

/** An instruction of one kind. */
export type InstructionOf<K extends Kind> = Extract<Instruction, { readonly kind: K }>;
