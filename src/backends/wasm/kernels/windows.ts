import { elementCount } from "../../../network/network.js";
import type { Geometry } from "../../../primitives/geometry.js";
import { mergedAxes, type LoopAxis } from "../../javascript/loop-nest.js";

/** Windows that lie inside the image, all of them: the cells of each are the same distances from its first one. */
export interface InsideWindows {
  /** Loops over the windows of a sample, then the columns: steps of the window's cell, and of its first input cell. */
  readonly axes: readonly LoopAxis[];
  /** Distances of the cells under a window, in the order of memory. */
  readonly cells: readonly number[];
  /** Does no cell lie under two windows? */
  readonly apart: boolean;
  /** Does each window lie in one image of the first two axes, and has each image the same ones? */
  readonly perImage: boolean;
  /** Numbers of a sample of the input. */
  readonly inputSize: number;
  /** Windows of a sample. */
  readonly count: number;
}

/** Larger windows are not written out. */
const mostCells = 64;

/** The windows of a geometry whose windows all lie inside, or undefined. */
export function insideWindows(geometry: Geometry): InsideWindows | undefined {
  const { input, kernel, windows, stride, start, maps, tapsOf } = geometry;
  const inside = input.every((size, i) => {
    const last = (start[i] ?? 0) + ((windows[i] ?? 1) - 1) * (stride[i] ?? 1) + (kernel[i] ?? 1);
    return start[i] === 0 && last <= size && maps[i] === 1;
  });
  if (!inside || tapsOf || elementCount(kernel) > mostCells) return undefined;
  const axes: LoopAxis[] = [];
  let cells = [0];
  let [step, windowStep] = [1, 1];
  input.forEach((size, i) => {
    const along = Array.from({ length: kernel[i] ?? 1 }, (_, tap) => tap * step);
    cells = along.flatMap((offset) => cells.map((cell) => cell + offset));
    axes.push({ size: windows[i] ?? 1, isColumns: false, strides: [windowStep, (stride[i] ?? 1) * step] });
    step *= size;
    windowStep *= windows[i] ?? 1;
  });
  axes.push({ size: 1, isColumns: true, strides: [windowStep, step] });
  const apart = input.every((_, i) => windows[i] === 1 || (stride[i] ?? 1) >= (kernel[i] ?? 1));
  const perImage = input.every((size, i) => i < 2 || (kernel[i] === 1 && windows[i] === size));
  return { axes: mergedAxes(axes), cells, apart, perImage, inputSize: step, count: windowStep };
}
