import { CntkError } from "../../diagnostics/diagnostic.js";
import type { AxisLayout } from "../../minibatch/minibatch.js";

/*
 * What data of unlike sequences cannot do, in the same words on every backend.
 */

/** A sequence was left without a frame (Sequences.h, AddSequence). */
export function emptySequence(): CntkError {
  return new CntkError({
    code: "sequence-empty",
    message: "AddSequence: Sequences must be a least one frame long.",
    hint: "Where, BS.Sequences.Gather and what is made of them must keep at least one frame of every sequence",
  });
}

/** Data of two dynamic axes met whose sequences lie differently (Sequences.h, TensorSliceWithMBLayoutFor). */
export function layoutsDiffer(wanted: AxisLayout, found: AxisLayout): CntkError {
  return new CntkError({
    code: "dynamic-axes-differ",
    message: `FrameRange's dynamic axis is inconsistent with data: ${described(wanted)} vs. ${described(found)}`,
    hint: "BS.Sequences.BroadcastSequenceAs and ReconcileDynamicAxis bring data under another axis",
  });
}

function described({ rows, steps, sequences }: AxisLayout): string {
  return `{numTimeSteps:${steps}, numParallelSequences:${rows}, sequences:${sequences.length}}`;
}

/** Frames that a flag may make of each frame of a sequence, on average, before something must be wrong with the flags. */
const mostRepeats = 64;
/** As many frames are never too many. */
const fewFrames = 2 ** 17;

/** Throws CntkError `too-many-frames` where flags ask for far more frames than the sequence has. */
export function checkFrames(wanted: number, frames: number): void {
  if (!(wanted > Math.max(fewFrames, mostRepeats * frames))) return;
  throw new CntkError({
    code: "too-many-frames",
    message: `Where: the flags ask for ${wanted} frames of a sequence that has ${frames}`,
    hint: "a flag says how often its frame is taken: 0 or 1 as a rule",
  });
}
