import { roundingOf } from "../../plan/fold-constants.js";
import type { Values } from "../../numerics/values.js";
import { operandAt, type KernelCompiler } from "../host/kernel.js";
import { Scratch } from "./scratch.js";
import { windowTable, type WindowTable } from "./windows.js";

/** How many cells an average is taken over, per window. */
function divisors(table: WindowTable, includePad: boolean): Int32Array {
  const { begin, end, kernelCount } = table;
  return begin.map((first, window) => (includePad ? kernelCount : end[window]! - first));
}

/** The first cell (first axis fastest) of a window's cells `from …` whose value is the largest. */
function firstMaximum(x: Values, from: number, table: WindowTable, window: number): number {
  const { base, begin, end, inputCell } = table;
  const first = from + base[window]!;
  let best = inputCell[begin[window]!]!;
  for (let e = begin[window]! + 1, stop = end[window]!; e < stop; e++) {
    if (x[first + inputCell[e]!]! > x[first + best]!) best = inputCell[e]!;
  }
  return base[window]! + best;
}

/**
 * The input as CNTK's mixed-up windows see it (Geometry.tapsOf): they may reach into the samples around, and find 0 beyond.
 * Returns the values with one sample of zeros at either end; without mixed-up windows the input itself.
 */
function surroundings(mixedUp: boolean, x: Values, count: number, samples: number, scratch: Scratch) {
  if (!mixedUp) return { values: x, offset: 0 };
  const values = scratch.ofSize((samples + 2) * count);
  values.fill(0);
  values.set(x.subarray(0, samples * count), count);
  return { values, offset: count };
}

/** pooled cell = maximum or average of the cells under its window. */
export const compilePool: KernelCompiler<"pool"> = ({ reads, writes, parameters }, { elementType }) => {
  const { mode, includePad, geometry } = parameters;
  const input = operandAt(reads, 0);
  const mixedUp = geometry.tapsOf !== undefined;
  const table = windowTable(geometry, mixedUp);
  const around = new Scratch();
  const { inputCount, outputCount, base, begin, end, inputCell, outputWindow } = table;
  const round = roundingOf(elementType);
  const counts = divisors(table, includePad);
  if (mode === "max") {
    return (run) => {
      const columns = run.columns(writes.axis);
      const memory = run.view(input);
      const { values: x, offset } = surroundings(mixedUp, memory, inputCount, columns, around);
      const y = run.view(writes);
      for (let n = 0; n < columns; n++) {
        const from = offset + n * inputCount;
        for (let cell = 0; cell < outputCount; cell++) {
          const window = outputWindow[cell]!;
          // A window that lies wholly outside has no largest cell.
          y[n * outputCount + cell] =
            begin[window] === end[window] ? -Infinity : x[from + firstMaximum(x, from, table, window)]!;
        }
      }
    };
  }
  return (run) => {
    const columns = run.columns(writes.axis);
    const memory = run.view(input);
    const { values: x, offset } = surroundings(mixedUp, memory, inputCount, columns, around);
    const y = run.view(writes);
    for (let n = 0; n < columns; n++) {
      const from = offset + n * inputCount;
      for (let cell = 0; cell < outputCount; cell++) {
        const window = outputWindow[cell]!;
        const first = from + base[window]!;
        let sum = 0;
        for (let e = begin[window]!, stop = end[window]!; e < stop; e++) sum += x[first + inputCell[e]!]!;
        y[n * outputCount + cell] = round(sum) / counts[window]!;
      }
    }
  };
};

/** Each pooled cell's gradient shared out among its window's cells, or given to the first that reaches the maximum. */
export const compilePoolGradient: KernelCompiler<"poolGradient"> = (instruction, { elementType }) => {
  const { reads, writes, parameters } = instruction;
  const { mode, includePad, geometry } = parameters;
  const outputGradient = operandAt(reads, 0);
  const [, input, pooled] = reads;
  const table = windowTable(geometry);
  const { inputCount, outputCount, base, begin, end, inputCell, outputWindow } = table;
  const round = roundingOf(elementType);
  const counts = divisors(table, includePad);
  const scratch = new Scratch();
  if (mode === "max" && (!input || !pooled))
    throw new Error("the gradient of max-pooling needs input and output");
  return (run) => {
    const columns = run.columns(writes.axis);
    const x = input && run.view(input);
    const y = pooled && run.view(pooled);
    const gradient = run.view(outputGradient);
    const target = run.view(writes);
    const sums = scratch.ofSize(inputCount);
    for (let n = 0; n < columns; n++) {
      const from = n * inputCount;
      sums.fill(0, 0, inputCount);
      for (let cell = 0; cell < outputCount; cell++) {
        const window = outputWindow[cell]!;
        const first = base[window]!;
        const g = gradient[n * outputCount + cell]!;
        if (mode === "average") {
          const share = round(g / counts[window]!);
          for (let e = begin[window]!, stop = end[window]!; e < stop; e++) {
            sums[first + inputCell[e]!]! += share;
          }
        } else if (x && y) {
          const maximum = y[n * outputCount + cell]!;
          for (let e = begin[window]!, stop = end[window]!; e < stop; e++) {
            if (x[from + first + inputCell[e]!]! >= maximum) {
              sums[first + inputCell[e]!]! += g;
              break;
            }
          }
        }
      }
      for (let i = 0; i < inputCount; i++) target[from + i] = sums[i]!;
    }
  };
};

/** Each value at the place of the first maximum of its window in poolInput, later windows overwriting. */
export const compileMaxUnpool: KernelCompiler<"maxUnpool"> = ({ reads, writes, parameters }) => {
  const { geometry } = parameters;
  const pooled = operandAt(reads, 0);
  const poolInput = operandAt(reads, 1);
  const mixedUp = geometry.tapsOf !== undefined;
  const table = windowTable(geometry, mixedUp);
  const around = new Scratch();
  const { inputCount, outputCount, outputWindow } = table;
  return (run) => {
    const columns = run.columns(writes.axis);
    const values = run.view(pooled);
    const memory = run.view(poolInput);
    const { values: x, offset } = surroundings(mixedUp, memory, inputCount, columns, around);
    const target = run.view(writes);
    target.fill(0, 0, columns * inputCount);
    for (let n = 0; n < columns; n++) {
      const from = n * inputCount;
      for (let cell = 0; cell < outputCount; cell++) {
        const place = from + firstMaximum(x, offset + from, table, outputWindow[cell]!);
        if (place >= 0 && place < columns * inputCount) target[place] = values[n * outputCount + cell]!;
      }
    }
  };
};
