import { elementCount } from "../../network/network.js";
import type { Geometry } from "../../primitives/geometry.js";

/**
 * A geometry written out: which input cells lie under each window. Windows are numbered with the first axis
 * fastest; the cells of window w are the entries `begin[w]` … `begin[w+1]`−1 of `inputCell` and `kernelCell`
 * (first axis fastest, cells outside the input left out).
 */
export interface WindowTable {
  readonly inputCount: number;
  readonly outputCount: number;
  readonly kernelCount: number;
  readonly begin: Int32Array;
  readonly inputCell: Int32Array;
  readonly kernelCell: Int32Array;
  /** Per output cell: its window. */
  readonly outputWindow: Int32Array;
  /** Per output cell: the number of its kernel, among all kernels in weights memory. */
  readonly outputKernel: Int32Array;
  /** How many kernels there are. */
  readonly kernels: number;
}

/**
 * Works out a geometry's window table. Where `tapsOf` leads out of the sample, the cell is left out, or with
 * `acrossSamples` kept: it then lies in a neighbouring sample.
 */
export function windowTable(geometry: Geometry, acrossSamples = false): WindowTable {
  const { input, kernel, windows, stride, start } = geometry;
  const kernelCount = elementCount(kernel);
  const windowCount = elementCount(windows);
  const begin = new Int32Array(windowCount + 1);
  const inputCell = new Int32Array(windowCount * kernelCount);
  const kernelCell = new Int32Array(windowCount * kernelCount);
  const taps = [...coordinatesOf(kernel)];
  const inputCount = elementCount(input);
  const allWindows = [...coordinatesOf(windows)];
  /** Place of a tap along an axis. */
  const placeOf = (window: readonly number[], tap: readonly number[], axis: number): number =>
    at(start, axis) + at(window, axis) * at(stride, axis) + at(tap, axis);
  const isInside = (window: readonly number[], tap: readonly number[]): boolean =>
    input.every((size, axis) => placeOf(window, tap, axis) >= 0 && placeOf(window, tap, axis) < size);
  let entries = 0;
  allWindows.forEach((window, number) => {
    begin[number] = entries;
    // Whose valid taps count; see Geometry.tapsOf.
    const owner = geometry.tapsOf ? allWindows[geometry.tapsOf[number] ?? number] : window;
    taps.forEach((tap, tapNumber) => {
      if (owner && !isInside(owner, tap)) return;
      let cell = 0;
      for (let axis = input.length - 1; axis >= 0; axis--) {
        cell = cell * at(input, axis) + placeOf(window, tap, axis);
      }
      if (!acrossSamples && (cell < 0 || cell >= inputCount)) return;
      inputCell[entries] = cell;
      kernelCell[entries] = tapNumber;
      entries++;
    });
  });
  begin[windowCount] = entries;
  return {
    inputCount,
    outputCount: elementCount(geometry.output),
    kernelCount,
    begin,
    inputCell: inputCell.slice(0, entries),
    kernelCell: kernelCell.slice(0, entries),
    ...outputTables(geometry),
  };
}

/** Which window and which kernel each output cell belongs to (ConvolveGeometry.h, MpRowIwht). */
function outputTables({ output, windows, maps, sharing }: Geometry) {
  const count = elementCount(output);
  const outputWindow = new Int32Array(count);
  const outputKernel = new Int32Array(count);
  let kernels = 1;
  output.forEach((_, axis) => {
    kernels *= at(maps, axis) * (sharing[axis] === false ? at(windows, axis) : 1);
  });
  let cell = 0;
  for (const place of coordinatesOf(output)) {
    let window = 0;
    let windowFactor = 1;
    let kernel = 0;
    let kernelFactor = 1;
    for (let axis = 0; axis < output.length; axis++) {
      const windowsHere = at(windows, axis);
      const windowHere = at(place, axis) % windowsHere;
      const map = Math.floor(at(place, axis) / windowsHere);
      window += windowHere * windowFactor;
      windowFactor *= windowsHere;
      if (sharing[axis] === false) {
        kernel += windowHere * kernelFactor;
        kernelFactor *= windowsHere;
      }
      kernel += map * kernelFactor;
      kernelFactor *= at(maps, axis);
    }
    outputWindow[cell] = window;
    outputKernel[cell] = kernel;
    cell++;
  }
  return { outputWindow, outputKernel, kernels };
}

/** All coordinates of a box, first axis fastest. The yielded array is new each time. */
function* coordinatesOf(dims: readonly number[]): Generator<number[]> {
  const place = dims.map(() => 0);
  const count = elementCount(dims);
  for (let n = 0; n < count; n++) {
    yield [...place];
    for (let axis = 0; axis < dims.length; axis++) {
      place[axis] = at(place, axis) + 1;
      if (at(place, axis) < at(dims, axis)) break;
      place[axis] = 0;
    }
  }
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new Error("a geometry's arrays must all have the input's rank");
  return value;
}
