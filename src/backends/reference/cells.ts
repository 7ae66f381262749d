import type { Values } from "../../numerics/values.js";
import type { Operand } from "../../primitives/instruction.js";
import type { KernelRun } from "../host/kernel.js";

/** The coordinates of a cell, one per axis. */
export type Place = readonly number[];

export function countOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** All places of a box, first axis fastest. */
export function placesOf(dims: readonly number[]): Place[] {
  return Array.from({ length: countOf(dims) }, (_, index) => {
    let rest = index;
    return dims.map((dim) => {
      const coordinate = rest % dim;
      rest = Math.floor(rest / dim);
      return coordinate;
    });
  });
}

/** The number of a place's cell, first axis fastest; an axis of length 1 (or a missing one) is stretched. */
export function cellAt(dims: readonly number[], place: Place): number {
  let cell = 0;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const dim = dims[axis] ?? 1;
    cell = cell * dim + (dim === 1 ? 0 : (place[axis] ?? 0));
  }
  return cell;
}

/** Where column `column` of an operand's piece begins; a value without dynamic axis is the same for all columns. */
export function columnStart({ dims, axis }: Operand, column: number): number {
  return axis === null ? 0 : column * countOf(dims);
}

/** Columns of the piece that are no gaps. */
export function sampleColumns(run: KernelRun, { axis }: Operand): number[] {
  const gaps = run.gaps(axis);
  return allColumns(run, axis).filter((column) => gaps === null || gaps[column] === 0);
}

export function allColumns(run: KernelRun, axis: Operand["axis"]): number[] {
  return Array.from({ length: run.columns(axis) }, (_, column) => column);
}

/** The number at a place of memory, which must be there. */
export function numberAt(values: Values, index: number): number {
  const value = values[index];
  if (value === undefined) throw new Error(`there is no number at ${index}`);
  return value;
}
