import type { AxisLayout, UnpackedColumns } from "../../minibatch/minibatch.js";
import { newValues, type ElementType, type Values } from "../../numerics/values.js";
import type { AxisId, BufferId } from "../../primitives/instruction.js";

/** Numbers of the caller's, which may be unpacked yet. */
export interface GivenValues {
  readonly values: Values;
  readonly unpacked?: UnpackedColumns;
}

/**
 * Where the numbers of an executable live. A backend whose code sees one piece of memory only brings a heap of its own and is
 * told where every buffer is and how every axis lies.
 */
export interface Heap {
  /** An array of `length` zeros. */
  allocate(elementType: ElementType, length: number): Values;
  /** Gives back what `allocate` or `adopt` gave; nobody reads it any more. */
  release(values: Values): void;
  /** The first `length` numbers of the caller's where this executable can see them; `former` may be used again. */
  adopt(elementType: ElementType, given: GivenValues, length: number, former: Values | undefined): Values;
  /** From now on the buffer's numbers are here. */
  placed?(buffer: BufferId, values: Values): void;
  /** From now on the axis lies so; one byte a column marks the gaps, null where there are none. */
  laidOut?(axis: AxisId, layout: AxisLayout, gaps: Uint8Array | null): void;
}

/** Arrays of their own, and the caller's arrays themselves where they have the right type. */
export const javascriptHeap: Heap = {
  allocate: newValues,
  release: () => undefined,
  adopt(elementType, { values: given }) {
    if (given instanceof Float64Array === (elementType === "double")) return given;
    const converted = newValues(elementType, given.length);
    converted.set(given);
    return converted;
  },
};
