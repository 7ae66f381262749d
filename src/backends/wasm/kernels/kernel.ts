import type { ElementType } from "../../../numerics/values.js";
import type { AxisId, InstructionOf, Kind, Operand } from "../../../primitives/instruction.js";
import { lanesOf, type Lanes } from "../emit/lanes.js";
import { lengthOf, type Routine } from "../emit/function.js";

/** What a routine of the module is given when the entry calls it; all are 32-bit integers. */
export type Argument =
  /** Where the operand's piece begins. */
  | { readonly kind: "address"; readonly operand: Operand }
  /** `times` for every column of the piece along an axis (once without one). */
  | { readonly kind: "columns"; readonly axis: AxisId | null; readonly times: number }
  /** Where the piece's gap mask begins, one byte a column; 0: no gaps. */
  | { readonly kind: "gaps"; readonly axis: AxisId | null }
  | { readonly kind: "number"; readonly value: number }
  /** Where a run-time number stands, in the element type. */
  | { readonly kind: "scalar"; readonly name: string }
  /** Room to work in that no kernel relies on afterwards: `size` bytes, for each column of the axis if there is one. */
  | { readonly kind: "room"; readonly axis: AxisId | null; readonly place: number; readonly size: number }
  /** Where whole numbers stand that never change. */
  | { readonly kind: "table"; readonly numbers: readonly number[] };

/** A call of a routine: one instruction is one or several of them. */
export interface Call {
  readonly routine: Routine;
  readonly arguments: readonly Argument[];
}

/** What is known where an instruction is compiled. */
export interface WasmContext {
  readonly lanes: Lanes;
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
  private readonly routines = new Map<string, Routine>();

  constructor(elementType: ElementType) {
    this.lanes = lanesOf[elementType];
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

export const address = (operand: Operand): Argument => ({ kind: "address", operand });
export const number = (value: number): Argument => ({ kind: "number", value });
export const columns = (axis: AxisId | null, times = 1): Argument => ({ kind: "columns", axis, times });
export const gaps = (axis: AxisId | null): Argument => ({ kind: "gaps", axis });

/** Room for one of the routine's needs: `place` tells apart what one call needs at the same time. */
export const room = (place: number, size: number, axis: AxisId | null = null): Argument => ({
  kind: "room",
  place,
  size,
  axis,
});

export const table = (numbers: readonly number[]): Argument => ({ kind: "table", numbers });
