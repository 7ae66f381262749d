import { CntkError } from "../../diagnostics/diagnostic.js";
import { columnCount, visibleSteps } from "../../minibatch/layout.js";
import type { AxisLayout, SequencePlacement } from "../../minibatch/minibatch.js";

/** The sequences of a layout by their number. */
export function sequencesByNumber(layout: AxisLayout): ReadonlyMap<number, SequencePlacement> {
  return new Map(layout.sequences.map((placement) => [placement.sequence, placement]));
}

/**
 * The column of a sequence's frame, counted from the sequence's beginning.
 * @throws CntkError `frame-outside-minibatch` where the minibatch holds no such frame (Sequences.h, GetColumnIndex).
 */
export function columnOfFrame(
  layout: AxisLayout,
  { row, begin, length }: SequencePlacement,
  frame: number,
): number {
  if (!(frame >= 0 && frame < length)) {
    throw new CntkError({
      code: "frame-outside-sequence",
      message: "GetColumnIndex: t out of sequence bounds.",
      hint: `frame ${frame} of a sequence of ${length} frames`,
    });
  }
  const step = begin + frame;
  if (step < 0 || step >= layout.steps) {
    throw new CntkError({
      code: "frame-outside-minibatch",
      message:
        "GetColumnIndex: Attempted to access a time step that is accessing a portion of a sequence that is not included in current minibatch.",
      hint: "truncated sequences cannot be used here",
    });
  }
  return step * layout.rows + row;
}

/** In a table of columns: nothing is taken from anywhere. */
export const nowhere = -1;

/** Per column of a layout the number of its sequence's place in `layout.sequences`; `nowhere` in gaps. */
export function sequenceOfColumn(layout: AxisLayout): Int32Array {
  const table = new Int32Array(columnCount(layout)).fill(nowhere);
  layout.sequences.forEach((placement, index) => {
    const { first, end } = visibleSteps(layout, placement);
    for (let step = first; step < end; step++) table[step * layout.rows + placement.row] = index;
  });
  return table;
}

/** Remembers what a function of one or two layouts gave for the layouts it met last: layouts are new with every minibatch. */
export function perLayout<R>(make: (a: AxisLayout, b: AxisLayout) => R): (a: AxisLayout, b: AxisLayout) => R {
  let last: { readonly a: AxisLayout; readonly b: AxisLayout; readonly result: R } | undefined;
  return (a, b) => {
    if (last?.a !== a || last.b !== b) last = { a, b, result: make(a, b) };
    return last.result;
  };
}
