import type { ElementType } from "../../../numerics/values.js";
import type { AxisId, InstructionOf, Kind, Operand } from "../../../primitives/instruction.js";
import { fusedFloats, lanesOf, type Lanes } from "../emit/lanes.js";
import { lengthOf, type Routine } from "../emit/function.js";
import type { PlacesOfPlan } from "../places.js";

/** What a routine of the module is given when the entry calls it; all are 32-bit integers. */
export type Argument =
  /** Where the operand's piece begins; where the call is cut into units, so many bytes further for each of them. */
  | { readonly kind: "address"; readonly operand: Operand; readonly unitStep?: number }
  /** `times` for every column of the piece along an axis (once without one). */
  | { readonly kind: "columns"; readonly axis: AxisId | null; readonly times: number }
  /** Where the piece's gap mask begins, one byte a column; 0: no gaps. */
  | { readonly kind: "gaps"; readonly axis: AxisId | null }
  | { readonly kind: "number"; readonly value: number }
  /** Where a run-time number stands, in the element type. */
  | { readonly kind: "scalar"; readonly name: string }
  /** Room to work in that no kernel relies on afterwards: `size` bytes, for each column of the axis if there is one. */
  | {
      readonly kind: "room";
      readonly axis: AxisId | null;
      readonly place: number;
      readonly size: number;
      readonly unitStep?: number;
    }
  /** Room as before, in which one call of an instruction leaves something for its next ones; one for all threads. */
  | { readonly kind: "handedOn"; readonly place: number; readonly size: number }
  /** Where whole numbers stand that never change. */
  | { readonly kind: "table"; readonly numbers: readonly number[] }
  /** How many of the call's units the piece has. */
  | { readonly kind: "units" }
  /** Where the piece leaves the sums of its columns: `sums.count` doubles, anything at first. */
  | { readonly kind: "sums" };

/**
 * A call of a routine: one instruction is one or several of them. All that a routine is told by arguments it does for a piece of
 * the columns as for all of them, so that pieces can be worked on at the same time; each thread has rooms of its own.
 */
export interface Call {
  readonly routine: Routine;
  readonly arguments: readonly Argument[];
  /**
   * The call adds up columns: it leaves the sums of its piece as doubles, and when all pieces are done, their sums are added
   * in order, rounded, multiplied by the scale and stored.
   */
  readonly sums?: Sums;
  /** The call sees no columns: it is done once, before all pieces. */
  readonly once?: boolean;
  /** The call does this many units of work that do not know each other, other than columns: elements, columns of a matrix. */
  readonly units?: Units;
  /** How many columns should stay together: what a call does once, whatever their number, should not be done too often. */
  readonly grain?: number;
  /** So much is read for every piece that only a few are made, and the others' calls make theirs by themselves. */
  readonly apart?: boolean;
}

export interface Sums {
  readonly count: number;
  readonly scale: number;
  readonly target: Operand;
  /** The result is the first `kept` of every `length` sums, `count` times; absent: all of them. */
  readonly rows?: { readonly count: number; readonly length: number; readonly kept: number };
}

export interface Units {
  readonly count: number;
  /** Multiplications of one, about; with an axis, for each of its columns. */
  readonly work: number;
  readonly along?: AxisId | null;
  /** How many should stay together. */
  readonly grain: number;
}

/** What is known where an instruction is compiled. */
export interface WasmContext {
  readonly lanes: Lanes;
  /** Which values are zero but for one cell of every window, and where; absent: nobody keeps that. */
  readonly places?: PlacesOfPlan | undefined;
  /** The routine of this key; made at the first request, shared by all instructions that need the same. */
  routine(key: string, make: () => Routine): Routine;
}

/** Compiles one kind of instruction; undefined: not this one, let the host do it. */
export type WasmCompiler<K extends Kind> = (
  instruction: InstructionOf<K>,
  context: WasmContext,
) => readonly Call[] | undefined;

export type WasmTable = { readonly [K in Kind]?: WasmCompiler<K> };

/** Routines by key, for one module. */
export class RoutineLibrary implements WasmContext {
  readonly lanes: Lanes;
  readonly places: PlacesOfPlan | undefined;
  private readonly routines = new Map<string, Routine>();

  /** `fused`: sums of products in float may round once where they otherwise round twice. */
  constructor(
    elementType: ElementType,
    fused: boolean,
    /** Makes what is known of places, by the size of a number. */
    places?: (bytes: number) => PlacesOfPlan,
  ) {
    this.lanes = fused && elementType === "float" ? fusedFloats : lanesOf[elementType];
    this.places = places?.(this.lanes.bytes);
  }

  /** Instructions of all routines, about. */
  size = 0;

  routine(key: string, make: () => Routine): Routine {
    let known = this.routines.get(key);
    if (!known) {
      known = make();
      this.size += lengthOf(known);
      this.routines.set(key, known);
    }
    return known;
  }
}

export const address = (operand: Operand, unitStep = 0): Argument => ({ kind: "address", operand, unitStep });
export const number = (value: number): Argument => ({ kind: "number", value });
export const columns = (axis: AxisId | null, times = 1): Argument => ({ kind: "columns", axis, times });
export const gaps = (axis: AxisId | null): Argument => ({ kind: "gaps", axis });

/** Room for one of the routine's needs: `place` tells apart what one call needs at the same time. */
export const room = (place: number, size: number, axis: AxisId | null = null, unitStep = 0): Argument => ({
  kind: "room",
  place,
  size,
  axis,
  unitStep,
});

/** Room in which a call leaves something for the next ones of its instruction. */
export const handedOn = (place: number, size: number): Argument => ({ kind: "handedOn", place, size });
export const table = (numbers: readonly number[]): Argument => ({ kind: "table", numbers });
export const units: Argument = { kind: "units" };
export const sums: Argument = { kind: "sums" };
