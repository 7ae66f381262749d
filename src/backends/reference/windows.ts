import { roundingOf } from "../../plan/fold-constants.js";
import type { Geometry } from "../../primitives/geometry.js";
import { operandAt, type KernelCompiler } from "../host/kernel.js";
import { allColumns, columnStart, countOf, numberAt, placesOf, sampleColumns, type Place } from "./cells.js";

/** A cell under a window: its number in the input, and the number of the kernel's cell that lies on it. */
interface Tap {
  /** Outside 0 … count−1 only where a geometry's windows are mixed up (`tapsOf`). */
  readonly input: number;
  readonly kernel: number;
}

/** What belongs to one output cell: the taps of its window, in order of the kernel's cells, and the number of its kernel. */
interface OutputCell {
  readonly taps: readonly Tap[];
  readonly kernel: number;
}

/** The output cells of a geometry in order. */
function outputCells(geometry: Geometry): OutputCell[] {
  const { input, kernel, windows, maps, stride, start, sharing, tapsOf, output } = geometry;
  const kernelPlaces = placesOf(kernel);
  const windowPlaces = placesOf(windows);
  const inputPlace = (window: Place, tap: Place, axis: number) =>
    start[axis]! + window[axis]! * stride[axis]! + tap[axis]!;
  const isInside = (window: Place, tap: Place) =>
    input.every((size, axis) => inputPlace(window, tap, axis) >= 0 && inputPlace(window, tap, axis) < size);
  const tapsOfWindow = windowPlaces.map((window, number): Tap[] => {
    const owner = tapsOf ? windowPlaces[tapsOf[number]!] : window;
    return kernelPlaces.flatMap((tap, cell) => {
      if (owner && !isInside(owner, tap)) return [];
      const place = input.reduceRight((sum, size, axis) => sum * size + inputPlace(window, tap, axis), 0);
      return [{ input: place, kernel: cell }];
    });
  });
  return placesOf(output).map((place) => {
    let [window, windowFactor, number, factor] = [0, 1, 0, 1];
    place.forEach((coordinate, axis) => {
      const position = coordinate % windows[axis]!;
      window += position * windowFactor;
      windowFactor *= windows[axis]!;
      if (!sharing[axis]) {
        number += position * factor;
        factor *= windows[axis]!;
      }
      number += Math.floor(coordinate / windows[axis]!) * factor;
      factor *= maps[axis]!;
    });
    return { taps: tapsOfWindow[window]!, kernel: number };
  });
}

/** The same with only the taps inside the sample. */
function cellsInside(geometry: Geometry): OutputCell[] {
  const count = countOf(geometry.input);
  return outputCells(geometry).map(({ taps, kernel }) => ({
    taps: taps.filter(({ input }) => input >= 0 && input < count),
    kernel,
  }));
}

/** y[cell] = Σ weights[kernel of the cell, tap] · x[tap]. */
export const convolution: KernelCompiler<"convolution"> = ({ reads, writes, parameters: { geometry } }) => {
  const [weights, input] = [operandAt(reads, 0), operandAt(reads, 1)];
  const cells = cellsInside(geometry);
  const kernelSize = countOf(geometry.kernel);
  return (run) => {
    const [w, x, y] = [run.view(weights), run.view(input), run.view(writes)];
    for (const column of allColumns(run, writes.axis)) {
      const from = columnStart(input, column);
      cells.forEach(({ taps, kernel }, cell) => {
        let sum = 0;
        for (const tap of taps) sum += w[kernel * kernelSize + tap.kernel]! * x[from + tap.input]!;
        y[column * cells.length + cell] = sum;
      });
    }
  };
};

/** x[tap] = Σ weights[kernel of the cell, tap] · g[cell] over the cells whose window covers it. */
export const convolutionInputGradient: KernelCompiler<"convolutionInputGradient"> = (instruction) => {
  const { reads, writes, parameters } = instruction;
  const [weights, gradient] = [operandAt(reads, 0), operandAt(reads, 1)];
  const cells = cellsInside(parameters.geometry);
  const kernelSize = countOf(parameters.geometry.kernel);
  const size = countOf(writes.dims);
  return (run) => {
    const [w, g, x] = [run.view(weights), run.view(gradient), run.view(writes)];
    for (const column of allColumns(run, writes.axis)) {
      const sums = new Float64Array(size);
      cells.forEach(({ taps, kernel }, cell) => {
        const factor = g[columnStart(gradient, column) + cell]!;
        for (const tap of taps) sums[tap.input]! += w[kernel * kernelSize + tap.kernel]! * factor;
      });
      x.set(sums, column * size);
    }
  };
};

/** weights[kernel, tap] = Σ x[tap] · g[cell] over the cells of the kernel and the columns that are no gaps. */
export const convolutionWeightGradient: KernelCompiler<"convolutionWeightGradient"> = (instruction) => {
  const { reads, writes, parameters } = instruction;
  const [input, gradient] = [operandAt(reads, 0), operandAt(reads, 1)];
  const cells = cellsInside(parameters.geometry);
  const kernelSize = countOf(parameters.geometry.kernel);
  return (run) => {
    const [x, g] = [run.view(input), run.view(gradient)];
    const sums = new Float64Array(countOf(writes.dims));
    for (const column of sampleColumns(run, input)) {
      const from = columnStart(input, column);
      cells.forEach(({ taps, kernel }, cell) => {
        const factor = g[columnStart(gradient, column) + cell]!;
        for (const tap of taps) sums[kernel * kernelSize + tap.kernel]! += x[from + tap.input]! * factor;
      });
    }
    run.view(writes).set(sums);
  };
};

/** y[cell] = the largest of the window's cells, or their sum, rounded, over their number (or the kernel's size). */
export const pool: KernelCompiler<"pool"> = ({ reads, writes, parameters }, { elementType }) => {
  const { mode, includePad, geometry } = parameters;
  const input = operandAt(reads, 0);
  const round = roundingOf(elementType);
  const cells = outputCells(geometry);
  const size = countOf(geometry.input);
  return (run) => {
    const [x, y] = [run.view(input), run.view(writes)];
    const total = size * run.columns(writes.axis);
    for (const column of allColumns(run, writes.axis)) {
      const valueAt = (cell: number) => neighbouring(x, column * size + cell, total);
      cells.forEach(({ taps }, cell) => {
        const values = taps.map((tap) => valueAt(tap.input));
        const largest = values.reduce((most, value) => (value > most ? value : most), values[0] ?? -Infinity);
        const sum = values.reduce((all, value) => all + value, 0);
        const divisor = includePad ? countOf(geometry.kernel) : taps.length;
        y[column * cells.length + cell] = mode === "max" ? largest : round(sum) / divisor;
      });
    }
  };
};

/** Mixed-up windows reach into the samples around; beyond the first and the last one there is 0. */
function neighbouring(x: ArrayLike<number>, index: number, total: number): number {
  return index >= 0 && index < total ? x[index]! : 0;
}

/** The adjoint of pool; max: all of the gradient to the first cell that is not less than the maximum. */
export const poolGradient: KernelCompiler<"poolGradient"> = (
  { reads, writes, parameters },
  { elementType },
) => {
  const { mode, includePad, geometry } = parameters;
  const gradient = operandAt(reads, 0);
  const [, input, pooled] = reads;
  const round = roundingOf(elementType);
  const cells = cellsInside(geometry);
  const size = countOf(geometry.input);
  return (run) => {
    const [g, x, y] = [run.view(gradient), input && run.view(input), pooled && run.view(pooled)];
    const target = run.view(writes);
    for (const column of allColumns(run, writes.axis)) {
      const sums = new Float64Array(size);
      cells.forEach(({ taps }, cell) => {
        const at = column * cells.length + cell;
        if (mode === "average") {
          const divisor = includePad ? countOf(geometry.kernel) : taps.length;
          for (const tap of taps) sums[tap.input]! += round(g[at]! / divisor);
          return;
        }
        if (!x || !y) throw new Error("the gradient of max-pooling needs input and output");
        const first = taps.find((tap) => x[column * size + tap.input]! >= y[at]!);
        if (first) sums[first.input]! += g[at]!;
      });
      target.set(sums, column * size);
    }
  };
};

/** Each value at the first maximum of its window in poolInput; later ones overwrite. */
export const maxUnpool: KernelCompiler<"maxUnpool"> = ({ reads, writes, parameters: { geometry } }) => {
  const [values, poolInput] = [operandAt(reads, 0), operandAt(reads, 1)];
  const cells = outputCells(geometry);
  const size = countOf(geometry.input);
  return (run) => {
    const [from, x, target] = [run.view(values), run.view(poolInput), run.view(writes)];
    const total = size * run.columns(writes.axis);
    target.fill(0, 0, total);
    for (const column of allColumns(run, writes.axis)) {
      cells.forEach(({ taps }, cell) => {
        let best = column * size + taps[0]!.input;
        for (const tap of taps) {
          const index = column * size + tap.input;
          if (neighbouring(x, index, total) > neighbouring(x, best, total)) best = index;
        }
        if (best >= 0 && best < total) target[best] = numberAt(from, column * cells.length + cell);
      });
    }
  };
};
