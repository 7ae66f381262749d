import type { Geometry } from "../../../primitives/instruction.js";
import { product } from "../layout.js";

/**
 * A geometry of any rank written out: the input cells under each window. Windows and cells are numbered with the first
 * axis fastest, cells outside the input are left out.
 */
export interface WindowTable {
  readonly inputCount: number;
  readonly outputCount: number;
  readonly kernelCount: number;
  /** How many kernels the weights hold: one per map, and per window position where positions do not share. */
  readonly kernels: number;
  /** Window w's cells are the entries `begin[w]` … `begin[w + 1]` − 1 of the two lists that follow. */
  readonly begin: Int32Array;
  readonly inputCell: Int32Array;
  readonly kernelCell: Int32Array;
  /** By output cell. */
  readonly outputWindow: Int32Array;
  readonly outputKernel: Int32Array;
}

/** Counts through all coordinates of `dims`, first axis fastest, and hands each to `visit`; the array is reused. */
function forEachCoordinate(
  dims: readonly number[],
  visit: (coordinate: readonly number[], index: number) => void,
) {
  const coordinate = dims.map(() => 0);
  const count = product(dims);
  for (let index = 0; index < count; index++) {
    visit(coordinate, index);
    for (let axis = 0; axis < dims.length; axis++) {
      const next = (coordinate[axis] as number) + 1;
      coordinate[axis] = next === dims[axis] ? 0 : next;
      if (next !== dims[axis]) break;
    }
  }
}

/** Works out a geometry's window table. */
export function windowTable(geometry: Geometry): WindowTable {
  const { input, output, kernel, windows, maps, stride, start, sharing } = geometry;
  const kernelCount = product(kernel);
  const begin = new Int32Array(product(windows) + 1);
  const inputCell: number[] = [];
  const kernelCell: number[] = [];
  forEachCoordinate(windows, (window, w) => {
    begin[w] = inputCell.length;
    forEachCoordinate(kernel, (tap, t) => {
      let cell = 0;
      for (let axis = input.length - 1; axis >= 0; axis--) {
        const size = input[axis] as number;
        const position =
          (start[axis] as number) +
          (window[axis] as number) * (stride[axis] as number) +
          (tap[axis] as number);
        if (position < 0 || position >= size) return;
        cell = cell * size + position;
      }
      inputCell.push(cell);
      kernelCell.push(t);
    });
  });
  begin[begin.length - 1] = inputCell.length;

  const outputCount = product(output);
  const outputWindow = new Int32Array(outputCount);
  const outputKernel = new Int32Array(outputCount);
  let kernels = 1;
  forEachCoordinate(output, (place, cell) => {
    let window = 0;
    let windowFactor = 1;
    let kernelNumber = 0;
    let kernelFactor = 1;
    for (let axis = 0; axis < output.length; axis++) {
      const windowsHere = windows[axis] as number;
      const windowHere = (place[axis] as number) % windowsHere;
      window += windowHere * windowFactor;
      windowFactor *= windowsHere;
      // Weights are numbered axis by axis: first the position (if it has weights of its own), then the map.
      if (sharing[axis] === false) {
        kernelNumber += windowHere * kernelFactor;
        kernelFactor *= windowsHere;
      }
      kernelNumber += Math.floor((place[axis] as number) / windowsHere) * kernelFactor;
      kernelFactor *= maps[axis] as number;
    }
    outputWindow[cell] = window;
    outputKernel[cell] = kernelNumber;
    kernels = kernelFactor;
  });
  return {
    inputCount: product(input),
    outputCount,
    kernelCount,
    kernels,
    begin,
    inputCell: Int32Array.from(inputCell),
    kernelCell: Int32Array.from(kernelCell),
    outputWindow,
    outputKernel,
  };
}
