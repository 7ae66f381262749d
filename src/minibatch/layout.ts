import { CntkError } from "../diagnostics/diagnostic.js";
import type { AxisLayout, SequencePlacement } from "./minibatch.js";

/** Columns of a layout, gaps included. */
export function columnCount(layout: AxisLayout): number {
  return layout.rows * layout.steps;
}

/** First step of a sequence inside its minibatch, and the step behind its last one. */
export function visibleSteps(
  layout: AxisLayout,
  { begin, length }: SequencePlacement,
): { readonly first: number; readonly end: number } {
  const first = Math.max(begin, 0);
  return { first, end: Math.max(first, Math.min(begin + length, layout.steps)) };
}

/** Columns of the frames of a sequence that lie in this minibatch, in order of time. */
export function columnsOf(layout: AxisLayout, placement: SequencePlacement): Int32Array {
  const { first, end } = visibleSteps(layout, placement);
  const columns = new Int32Array(end - first);
  for (let step = first; step < end; step++) columns[step - first] = step * layout.rows + placement.row;
  return columns;
}

/** Real samples of a layout: neither gaps nor what sequences hold before or behind this minibatch. */
export function sampleCount(layout: AxisLayout): number {
  let samples = 0;
  for (const placement of layout.sequences) {
    const { first, end } = visibleSteps(layout, placement);
    samples += end - first;
  }
  return samples;
}

/** Is a column of the layout no sample? */
export function hasGaps(layout: AxisLayout): boolean {
  return sampleCount(layout) < columnCount(layout);
}

const masks = new WeakMap<AxisLayout, Uint8Array>();

/** One byte a column, 1 = gap; null where there are none. The mask of a layout is made once. */
export function gapMask(layout: AxisLayout): Uint8Array | null {
  if (!hasGaps(layout)) return null;
  const known = masks.get(layout);
  if (known) return known;
  const mask = new Uint8Array(columnCount(layout)).fill(1);
  for (const placement of layout.sequences) {
    const { first, end } = visibleSteps(layout, placement);
    for (let step = first; step < end; step++) mask[step * layout.rows + placement.row] = 0;
  }
  masks.set(layout, mask);
  return mask;
}

/** Are two layouts the same, sequence by sequence? (Sequences.h, MBLayout::operator==) */
export function layoutsEqual(a: AxisLayout, b: AxisLayout): boolean {
  if (a === b) return true;
  if (a.rows !== b.rows || a.steps !== b.steps || a.sequences.length !== b.sequences.length) return false;
  return a.sequences.every((placement, index) => {
    const other = b.sequences[index];
    return (
      other !== undefined &&
      placement.sequence === other.sequence &&
      placement.row === other.row &&
      placement.begin === other.begin &&
      placement.length === other.length
    );
  });
}

/**
 * Lays sequences of the given lengths out side by side: rows as wide as the longest one, each sequence in the first row with
 * room for it, behind what is there.
 * Source: Source/Common/Include/Sequences.h, InitAsPackedSequences.
 */
export function packSequences(lengths: ArrayLike<number>): AxisLayout {
  const count = lengths.length;
  let steps = 0;
  let shortest = Infinity;
  for (let i = 0; i < count; i++) {
    steps = Math.max(steps, lengths[i] ?? 0);
    shortest = Math.min(shortest, lengths[i] ?? 0);
  }
  const filled: number[] = [];
  const sequences: SequencePlacement[] = [];
  // Rows before this one have no room even for the shortest sequence.
  let firstOpen = 0;
  for (let sequence = 0; sequence < count; sequence++) {
    const length = lengths[sequence] ?? 0;
    while (firstOpen < filled.length && (filled[firstOpen] ?? 0) + shortest > steps) firstOpen++;
    let row = firstOpen;
    while (row < filled.length && (filled[row] ?? 0) + length > steps) row++;
    if (row === filled.length) filled.push(0);
    const begin = filled[row] ?? 0;
    sequences.push({ sequence, row, begin, length });
    filled[row] = begin + length;
  }
  return { rows: filled.length, steps, sequences };
}

/**
 * The layout of frame mode: one time step, one row for each sample. Throws CntkError `sequence-in-frame-mode` for a longer
 * sequence.
 * Source: Source/Readers/ReaderLib/FramePacker.cpp.
 */
export function packFrames(lengths: ArrayLike<number>): AxisLayout {
  for (let i = 0; i < lengths.length; i++) {
    if ((lengths[i] ?? 0) <= 1) continue;
    throw new CntkError({
      code: "sequence-in-frame-mode",
      message: `Detected a non-frame sequence of size ${lengths[i]} in frame mode.`,
      hint: "leave out frameMode, or give every line of the data a number of its own",
    });
  }
  return packSequences(lengths);
}
