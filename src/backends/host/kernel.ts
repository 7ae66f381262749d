import type { AxisLayout } from "../../minibatch/minibatch.js";
import type { ElementType, Values } from "../../numerics/values.js";
import type { AxisId, InstructionOf, Kind, Operand } from "../../primitives/instruction.js";
import type { RandomEngine } from "./random-engine.js";

/** The columns of a sparse value: column c holds `values[i]` at row `rows[i]`, i from `columnStarts[c]` up to `columnStarts[c + 1]`. */
export interface SparseColumns {
  readonly values: Values;
  readonly rows: Int32Array;
  readonly columnStarts: Int32Array;
}

/** The last frames of a value in the minibatch before: `frames` times `rows` columns. */
export interface CarriedFrames {
  readonly values: Values;
  readonly rows: number;
  readonly frames: number;
}

/** A matrix of which only some columns can be other than zero. */
export interface TouchedColumns {
  /** The whole matrix; zero outside the listed columns. */
  readonly values: Values;
  /** Elements of a column. */
  readonly height: number;
  /** How many columns are listed. */
  readonly count: number;
  /** Their numbers in the first `count` places, in no particular order. */
  readonly list: Int32Array;
  /** Forgets the listed columns and zeroes them. */
  clear(): void;
  /** Lists a column if it is not listed yet. */
  touch(column: number): void;
}

/**
 * What a kernel sees of a run. It works on a piece of its operands: all columns of a dynamic axis or, in a loop along that
 * axis, the columns of one frame. Which of the two it is concerns nobody but a kernel that reads other frames.
 */
export interface KernelRun {
  /** The numbers of the operand's piece; the array may be longer. */
  view(operand: Operand): Values;
  /** The operand's whole memory, also inside a loop. */
  whole(operand: Operand): Values;
  /** Columns of the piece along an axis; 1 without one. */
  columns(axis: AxisId | null): number;
  /** Number of the piece's first column along the axis. */
  firstColumn(axis: AxisId | null): number;
  /** One byte per column of the piece, 1 = gap; null where there are none. */
  gaps(axis: AxisId | null): Uint8Array | null;
  /** Rows, steps and sequences of the whole axis. */
  layout(axis: AxisId): AxisLayout;
  /** Gives an axis its layout in the middle of a run; views of values along it are valid only afterwards. */
  openAxis(axis: AxisId, layout: AxisLayout): void;
  /** All columns of a sparse operand. */
  sparse(operand: Operand): SparseColumns;
  touched(operand: Operand): TouchedColumns;
  /** What a `carried` buffer kept; undefined before the first minibatch. */
  carried(operand: Operand): CarriedFrames | undefined;
  /** Run-time numbers, rounded to the element type. */
  readonly scalars: Readonly<Record<string, number>>;
  /** The same numbers as given, in double. */
  readonly doubles: Readonly<Record<string, number>>;
  readonly engines: ReadonlyMap<string, RandomEngine>;
  /** Counts the steps of all runs; the turns of a loop are one step. */
  readonly step: number;
}

/** An instruction made ready: everything that does not change from run to run has been worked out. */
export type Kernel = (run: KernelRun) => void;

/** What is known where an instruction is made ready. */
export interface KernelContext {
  readonly elementType: ElementType;
  /** Does the operand keep its contents during a step (in a loop: through all its turns)? */
  isFixed(operand: Operand): boolean;
}

/** Makes one kind of instruction ready. */
export type KernelCompiler<K extends Kind> = (
  instruction: InstructionOf<K>,
  context: KernelContext,
) => Kernel;

/** One compiler per kind of instruction: a table without one does not compile. */
export type KernelTable = { readonly [K in Kind]: KernelCompiler<K> };

/** The operand at a place of an instruction's list; a missing one is a mistake of the plan. */
export function operandAt(reads: readonly Operand[], index: number): Operand {
  const operand = reads[index];
  if (!operand) throw new Error(`operand ${index + 1} is missing`);
  return operand;
}

/** A dynamic axis that the kind of instruction cannot do without. */
export function axisOf(operand: Operand): AxisId {
  if (operand.axis === null) throw new Error("the operand needs a dynamic axis");
  return operand.axis;
}
