import { visibleSteps } from "../../minibatch/layout.js";
import type { AxisLayout, SequencePlacement } from "../../minibatch/minibatch.js";
import type { Values } from "../../numerics/values.js";
import type { ConnectionistTemporalParameters } from "../../primitives/parameters.js";
import { axisOf, operandAt, type KernelCompiler } from "../host/kernel.js";

/** The logarithm of zero, and what CNTK takes for it (CommonMatrix.h, LZERO). */
const logarithmOfZero = -10e10;

/** CNTK divides by nothing smaller, so that a frame that no label may have gets zeros (CommonMatrix.h, EPS_IN_INVERSE). */
const smallestSum = 1e-30;

/** ln(eᵃ + eᵇ). */
function logAdd(a: number, b: number): number {
  return a < b ? b + Math.log1p(Math.exp(a - b)) : a + Math.log1p(Math.exp(b - a));
}

/** What one sequence is aligned with: labels with blanks between and around them. */
interface Alignment {
  /** Rows of the labels: blank, label, blank, label, …, blank. */
  readonly labels: readonly number[];
  /** Frame at which each begins in the given labels. */
  readonly bounds: readonly number[];
  readonly frames: number;
  /** Column of a frame. */
  readonly column: (frame: number) => number;
}

/**
 * Connectionist temporal classification (Graves 2006, equations 5 to 16; CPUMatrixImpl.h, AssignCTCScore):
 * α_t(s) = (α_{t−1}(s) + α_{t−1}(s−1) + α_{t−1}(s−2)) · p_t(label s), β the same from the end, all in logarithms;
 * the loss is −Σ ln p(labels), the posterior of a label at a frame ∝ Σ α·β / p over its places.
 */
export const compileConnectionistTemporal: KernelCompiler<"connectionistTemporal"> = (instruction) => {
  const { reads, writes, parameters } = instruction;
  const [labels, logSoftmax] = [operandAt(reads, 0), operandAt(reads, 1)];
  const height = labels.dims.reduce((product, dim) => product * dim, 1);
  return (run) => {
    const layout = run.layout(axisOf(labels));
    const [given, scores, target] = [run.view(labels), run.view(logSoftmax), run.view(writes)];
    if (parameters.result === "posteriors") target.fill(0, 0, height * run.columns(writes.axis));
    let loss = 0;
    for (const placement of layout.sequences) {
      const alignment = alignmentOf(layout, placement, given, height, parameters.blank);
      if (alignment.frames === 0) continue;
      const backward = backwardScores(alignment, scores, height, parameters);
      const total = logAdd(backward[0]!, alignment.labels.length > 1 ? backward[1]! : logarithmOfZero);
      loss -= total;
      if (parameters.result === "posteriors") {
        const forward = forwardScores(alignment, scores, height, parameters);
        writePosteriors(alignment, scores, height, forward, backward, total, target);
      }
    }
    if (parameters.result === "loss") target[0] = loss;
  };
};

/** Reads the labels of a sequence off its frames: one begins where the largest value of a frame is 2. */
function alignmentOf(
  layout: AxisLayout,
  placement: SequencePlacement,
  given: Values,
  height: number,
  blank: number,
): Alignment {
  const { first, end } = visibleSteps(layout, placement);
  const column = (frame: number) => (first + frame) * layout.rows + placement.row;
  const labels: number[] = [];
  const bounds: number[] = [];
  for (let frame = 0; frame < end - first; frame++) {
    const at = column(frame) * height;
    let label = 0;
    for (let row = 1; row < height; row++) if (given[at + row]! > given[at + label]!) label = row;
    if (given[at + label] !== 2) continue;
    labels.push(blank, label);
    bounds.push(frame, frame);
  }
  labels.push(blank);
  bounds.push(end - first);
  return { labels, bounds, frames: end - first, column };
}

/**
 * Is place s too late at a frame? With a delay of d a label must not lie more than d frames behind the one after it. For
 * the last blank there is no such label; CNTK reads the zero behind its table, so that this blank is open to the first
 * frames only.
 */
function isTooLate(
  { labels, bounds, frames }: Alignment,
  s: number,
  frame: number,
  { delay, blank }: ConnectionistTemporalParameters,
): boolean {
  if (delay < 0) return false;
  const isLastBlank = s === labels.length - 1;
  const latest = (isLastBlank ? 0 : (bounds[s + 2] ?? frames)) + delay - (labels[s] === blank ? 1 : 0);
  // The limit is an unsigned number there: one below zero is none.
  return latest >= 0 && frame > latest;
}

/** ln α by frame and place. */
function forwardScores(
  alignment: Alignment,
  scores: Values,
  height: number,
  parameters: ConnectionistTemporalParameters,
): Float64Array {
  const { labels, frames, column } = alignment;
  const places = labels.length;
  const alpha = new Float64Array(frames * places).fill(logarithmOfZero);
  for (let t = 0; t < frames; t++) {
    const at = column(t) * height;
    for (let s = 0; s < places; s++) {
      const label = labels[s]!;
      if (t === 0) {
        if (s < 2) alpha[s] = scores[at + label]!;
        continue;
      }
      const before = (t - 1) * places + s;
      let sum = logarithmOfZero;
      if (s > 1 && label !== parameters.blank && label !== labels[s - 2])
        sum = logAdd(sum, alpha[before - 2]!);
      if (s > 0) sum = logAdd(sum, alpha[before - 1]!);
      sum = logAdd(sum, alpha[before]!);
      alpha[t * places + s] = isTooLate(alignment, s, t, parameters)
        ? logarithmOfZero
        : sum + scores[at + label]!;
    }
  }
  return alpha;
}

/** ln β by frame and place. */
function backwardScores(
  alignment: Alignment,
  scores: Values,
  height: number,
  parameters: ConnectionistTemporalParameters,
): Float64Array {
  const { labels, frames, column } = alignment;
  const places = labels.length;
  const beta = new Float64Array(frames * places).fill(logarithmOfZero);
  for (let t = frames - 1; t >= 0; t--) {
    const at = column(t) * height;
    for (let s = 0; s < places; s++) {
      const label = labels[s]!;
      if (t === frames - 1) {
        if (s >= places - 2) beta[t * places + s] = scores[at + label]!;
        continue;
      }
      const after = (t + 1) * places + s;
      let sum = logarithmOfZero;
      if (s < places - 2 && label !== parameters.blank && label !== labels[s + 2]) {
        sum = logAdd(sum, beta[after + 2]!);
      }
      if (s < places - 1) sum = logAdd(sum, beta[after + 1]!);
      sum = logAdd(sum, beta[after]!);
      beta[t * places + s] = isTooLate(alignment, s, t, parameters)
        ? logarithmOfZero
        : sum + scores[at + label]!;
    }
  }
  return beta;
}

/** The posterior of each label at each frame, made to add up to 1 (or 0 where no label is allowed). */
function writePosteriors(
  { labels, frames, column }: Alignment,
  scores: Values,
  height: number,
  forward: Float64Array,
  backward: Float64Array,
  total: number,
  target: Values,
): void {
  const places = labels.length;
  const occupancies = new Float64Array(height);
  for (let t = 0; t < frames; t++) {
    const at = column(t) * height;
    occupancies.fill(logarithmOfZero);
    for (let s = 0; s < places; s++) {
      const label = labels[s]!;
      const place = t * places + s;
      const occupancy = forward[place]! + backward[place]! - scores[at + label]! - total;
      occupancies[label] = logAdd(occupancies[label]!, occupancy);
    }
    let sum = 0;
    for (let row = 0; row < height; row++) {
      occupancies[row] = occupancies[row]! < logarithmOfZero ? 0 : Math.exp(occupancies[row]!);
      sum += occupancies[row]!;
    }
    const divisor = Math.max(sum, smallestSum);
    for (let row = 0; row < height; row++) target[at + row] = occupancies[row]! / divisor;
  }
}
