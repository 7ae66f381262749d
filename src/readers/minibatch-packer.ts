import { CntkError } from "../diagnostics/diagnostic.js";
import type { MinibatchLayout } from "./reader.js";

/** Where a sequence lies in a minibatch. */
type Placement = MinibatchLayout["sequences"][number];

/**
 * Lays sequences of the given lengths out side by side: rows as wide as the longest one, each sequence in the first row with
 * room for it, behind what is there. The `id` of a sequence is its index in the minibatch.
 * Source: Source/Common/Include/Sequences.h, InitAsPackedSequences.
 */
export function packSequences(lengths: ArrayLike<number>): MinibatchLayout {
  const count = lengths.length;
  let steps = 0;
  let shortest = Infinity;
  for (let i = 0; i < count; i++) {
    steps = Math.max(steps, lengths[i] as number);
    shortest = Math.min(shortest, lengths[i] as number);
  }
  const filled: number[] = [];
  const sequences: Placement[] = [];
  // Rows before this one have no room even for the shortest sequence.
  let firstOpen = 0;
  for (let id = 0; id < count; id++) {
    const length = lengths[id] as number;
    while (firstOpen < filled.length && (filled[firstOpen] as number) + shortest > steps) firstOpen++;
    let row = firstOpen;
    while (row < filled.length && (filled[row] as number) + length > steps) row++;
    if (row === filled.length) filled.push(0);
    const begin = filled[row] as number;
    sequences.push({ row, begin, length, id });
    filled[row] = begin + length;
  }
  return { rows: filled.length, steps, sequences };
}

/**
 * The layout of frame mode: one time step, one row for each sample. Throws CntkError `sequence-in-frame-mode` for a longer
 * sequence.
 * Source: Source/Readers/ReaderLib/FramePacker.cpp.
 */
export function packFrames(lengths: ArrayLike<number>): MinibatchLayout {
  for (let i = 0; i < lengths.length; i++) {
    if ((lengths[i] as number) <= 1) continue;
    throw new CntkError({
      code: "sequence-in-frame-mode",
      message: `Detected a non-frame sequence of size ${lengths[i]} in frame mode.`,
      hint: "leave out frameMode, or give every line of the data a number of its own",
    });
  }
  return packSequences(lengths);
}
