import { elementCount } from "../../network/network.js";
import type { Geometry } from "../../primitives/geometry.js";

/**
 * A geometry written out: which input cells lie under each window. Windows are numbered with the first axis fastest. Window w
 * begins at the cell `base[w]`; its cells are the entries `begin[w]` … `end[w]`−1 of `inputCell`, as distances from there, and of
 * `kernelCell` (first axis fastest, cells outside the input left out). Windows of which the same part
 * lies inside share their entries.
 */
export interface WindowTable {
  readonly inputCount: number;
  readonly outputCount: number;
  readonly kernelCount: number;
  readonly base: Int32Array;
  readonly begin: Int32Array;
  readonly end: Int32Array;
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
  const { input, kernel, windows } = geometry;
  const kernelCount = elementCount(kernel);
  const windowCount = elementCount(windows);
  const inputCount = elementCount(input);
  const taps = tapsOfKernel(kernel, input);
  const starts = windowStarts(geometry);
  const begin = new Int32Array(windowCount);
  const end = new Int32Array(windowCount);
  const inputCell: number[] = [];
  const kernelCell: number[] = [];
  /** A window whose taps are the same, by what of the kernel lies inside. */
  const alike = new Map<string, number>();
  for (let window = 0; window < windowCount; window++) {
    // Whose valid taps count; see Geometry.tapsOf.
    const owner = geometry.tapsOf ? (geometry.tapsOf[window] ?? window) : window;
    const known = geometry.tapsOf ? window : seenBefore(alike, insideKey(geometry, starts, window), window);
    if (known !== window) {
      begin[window] = begin[known]!;
      end[window] = end[known]!;
      continue;
    }
    begin[window] = inputCell.length;
    for (let tap = 0; tap < kernelCount; tap++) {
      if (owner >= 0 && !isInside(starts, owner, taps, tap, input)) continue;
      const cell = starts.cells[window]! + taps.cells[tap]!;
      if (!acrossSamples && (cell < 0 || cell >= inputCount)) continue;
      inputCell.push(taps.cells[tap]!);
      kernelCell.push(tap);
    }
    end[window] = inputCell.length;
  }
  return {
    inputCount,
    outputCount: elementCount(geometry.output),
    kernelCount,
    base: starts.cells,
    begin,
    end,
    inputCell: Int32Array.from(inputCell),
    kernelCell: Int32Array.from(kernelCell),
    ...outputTables(geometry),
  };
}

/** The first window of this key: `window` itself where there was none. */
function seenBefore(windows: Map<string, number>, key: string, window: number): number {
  const first = windows.get(key);
  if (first === undefined) windows.set(key, window);
  return first ?? window;
}

/** Which part of the kernel lies inside the input, along each axis. */
function insideKey({ input, kernel }: Geometry, { coordinates }: Places, window: number): string {
  const rank = input.length;
  let key = "";
  for (let axis = 0; axis < rank; axis++) {
    const first = coordinates[window * rank + axis]!;
    const cutBefore = Math.max(0, -first);
    const cutBehind = Math.max(0, first + kernel[axis]! - input[axis]!);
    if (cutBefore + cutBehind > 0) key += `${axis}:${cutBefore}:${cutBehind} `;
  }
  return key;
}

/** Places in the input, or distances in it: coordinates one after another, and the cells that they lead to. */
interface Places {
  readonly coordinates: Int32Array;
  readonly cells: Int32Array;
}

/** Where each tap of a kernel lies, seen from the beginning of its window. */
function tapsOfKernel(kernel: readonly number[], input: readonly number[]): Places {
  return placesOf(kernel, input, (place) => place);
}

/** Where each window begins: outside the input, perhaps. */
function windowStarts({ input, windows, stride, start }: Geometry): Places {
  return placesOf(windows, input, (place, axis) => at(start, axis) + place * at(stride, axis));
}

/** The places of a box, first axis fastest, put into the input by `inInput`. */
function placesOf(
  box: readonly number[],
  input: readonly number[],
  inInput: (place: number, axis: number) => number,
): Places {
  const rank = input.length;
  const count = elementCount(box);
  const coordinates = new Int32Array(count * rank);
  const cells = new Int32Array(count);
  const place = new Int32Array(rank);
  for (let number = 0; number < count; number++) {
    let cell = 0;
    for (let axis = rank - 1; axis >= 0; axis--) {
      const coordinate = inInput(place[axis]!, axis);
      coordinates[number * rank + axis] = coordinate;
      cell = cell * at(input, axis) + coordinate;
    }
    cells[number] = cell;
    for (let axis = 0; axis < rank && ++place[axis]! >= at(box, axis); axis++) place[axis] = 0;
  }
  return { coordinates, cells };
}

function isInside(
  starts: Places,
  window: number,
  taps: Places,
  tap: number,
  input: readonly number[],
): boolean {
  const rank = input.length;
  for (let axis = 0; axis < rank; axis++) {
    const place = starts.coordinates[window * rank + axis]! + taps.coordinates[tap * rank + axis]!;
    if (place < 0 || place >= input[axis]!) return false;
  }
  return true;
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
  const place = new Int32Array(output.length);
  for (let cell = 0; cell < count; cell++) {
    let window = 0;
    let windowFactor = 1;
    let kernel = 0;
    let kernelFactor = 1;
    for (let axis = 0; axis < output.length; axis++) {
      const windowsHere = at(windows, axis);
      const windowHere = place[axis]! % windowsHere;
      const map = Math.floor(place[axis]! / windowsHere);
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
    for (let axis = 0; axis < output.length && ++place[axis]! >= at(output, axis); axis++) place[axis] = 0;
  }
  return { outputWindow, outputKernel, kernels };
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new Error("a geometry's arrays must all have the input's rank");
  return value;
}
