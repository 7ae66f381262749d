/**
 * How a buffer's numbers lie in memory. CNTK's order has the first axis contiguous: an image `[W x H x C]` is
 * row-major `[N][C][H][W]`. TensorFlow.js's images are `[N][H][W][C]`. The two differ only by a transposition of
 * pixels and channels within each sample, so a layout is one number: the channels that stand innermost, or 1 for
 * CNTK's own order ("plain"). With one channel (or one pixel) both orders are the same, and that is called plain.
 */
export type Layout = number;

export const plain: Layout = 1;

/** The layout of an image with `channels` channels among `elements` numbers, channels innermost. */
export function channelsLast(elements: number, channels: number): Layout {
  return channels === elements ? plain : channels;
}

export function product(dims: readonly number[]): number {
  return dims.reduce((result, dim) => result * dim, 1);
}

/**
 * Distances in memory between neighbours along each of `dims`; 0 where the dimension is 1. Null when an axis holds
 * both pixels and channels and so has no single distance.
 */
export function stridesOf(dims: readonly number[], layout: Layout): number[] | null {
  const pixels = product(dims) / layout;
  const strides: number[] = [];
  let before = 1;
  for (const dim of dims) {
    if (dim === 1) strides.push(0);
    else if (layout === plain) strides.push(before);
    else if (before * dim <= pixels && pixels % (before * dim) === 0) strides.push(before * layout);
    else if (before >= pixels && before % pixels === 0) strides.push(before / pixels);
    else return null;
    before *= dim;
  }
  return strides;
}

/** One level of a loop nest: how many turns, and how far each operand moves per turn. */
export interface LoopAxis {
  readonly extent: number;
  /** The loop turns `extent` times for each sample. */
  readonly perSample: boolean;
  /** By operand; 0 where the operand stays. */
  readonly strides: readonly number[];
}

/**
 * Puts the loops in the order of operand 0's memory, outermost first, drops those that turn once and merges
 * neighbours that are contiguous for every operand. Operand 0 must move in each of them.
 */
export function nestLoops(axes: readonly LoopAxis[]): LoopAxis[] {
  const stride = (axis: LoopAxis) => axis.strides[0] as number;
  const sorted = axes
    .filter((axis) => axis.extent !== 1 || axis.perSample)
    .sort((a, b) => stride(b) - stride(a));
  const result: LoopAxis[] = [];
  for (const inner of sorted) {
    const outer = result[result.length - 1];
    const contiguous =
      outer !== undefined &&
      !inner.perSample &&
      outer.strides.every((distance, i) => distance === (inner.strides[i] as number) * inner.extent);
    if (contiguous) {
      result[result.length - 1] = {
        extent: outer.extent * inner.extent,
        perSample: outer.perSample,
        strides: inner.strides,
      };
    } else result.push(inner);
  }
  return result;
}

/** An operand's distances along the output's (or input's) axes: broadcast axes stand still. Null: no single distance. */
export function broadcastStrides(
  dims: readonly number[],
  layout: Layout,
  axes: readonly number[],
): number[] | null {
  const strides = stridesOf(dims, layout);
  return strides && axes.map((_, i) => strides[i] ?? 0);
}
