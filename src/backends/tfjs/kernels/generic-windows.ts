import type { WindowTable } from "./window-table.js";

/**
 * Convolutions and poolings of any rank, padding, stride and sharing, all operands in CNTK's order: what TensorFlow.js
 * has no op for. Sums run in double. Slow and plain.
 */

/** output[n, cell] = Σ weight · input over the cell's window. */
export function genericConvolution(
  t: WindowTable,
  samples: number,
  weights: Float32Array,
  input: Float32Array,
  output: Float32Array,
): void {
  for (let n = 0, x = 0, y = 0; n < samples; n++, x += t.inputCount) {
    for (let cell = 0; cell < t.outputCount; cell++, y++) {
      const window = t.outputWindow[cell]!;
      const kernel = t.outputKernel[cell]! * t.kernelCount;
      let sum = 0;
      for (let e = t.begin[window]!, end = t.begin[window + 1]!; e < end; e++) {
        sum += weights[kernel + t.kernelCell[e]!]! * input[x + t.inputCell[e]!]!;
      }
      output[y] = sum;
    }
  }
}

/** Scatters the gradient of the output through the kernels onto the input's cells. */
export function genericConvolutionInputGradient(
  t: WindowTable,
  samples: number,
  weights: Float32Array,
  gradient: Float32Array,
  output: Float32Array,
): void {
  const sums = new Float64Array(t.inputCount);
  for (let n = 0, x = 0, y = 0; n < samples; n++, x += t.inputCount) {
    sums.fill(0);
    for (let cell = 0; cell < t.outputCount; cell++, y++) {
      const window = t.outputWindow[cell]!;
      const kernel = t.outputKernel[cell]! * t.kernelCount;
      const g = gradient[y]!;
      for (let e = t.begin[window]!, end = t.begin[window + 1]!; e < end; e++) {
        sums[t.inputCell[e]!]! += weights[kernel + t.kernelCell[e]!]! * g;
      }
    }
    output.set(sums, x);
  }
}

/** Sums input · gradient over all windows and samples, per weight. */
export function genericConvolutionWeightGradient(
  t: WindowTable,
  samples: number,
  input: Float32Array,
  gradient: Float32Array,
  output: Float32Array,
): void {
  const sums = new Float64Array(t.kernels * t.kernelCount);
  for (let n = 0, x = 0, y = 0; n < samples; n++, x += t.inputCount) {
    for (let cell = 0; cell < t.outputCount; cell++, y++) {
      const window = t.outputWindow[cell]!;
      const kernel = t.outputKernel[cell]! * t.kernelCount;
      const g = gradient[y]!;
      for (let e = t.begin[window]!, end = t.begin[window + 1]!; e < end; e++) {
        sums[kernel + t.kernelCell[e]!]! += input[x + t.inputCell[e]!]! * g;
      }
    }
  }
  output.set(sums);
}

/** Maximum or mean of each window; `divisor` 0 divides by the number of cells inside the input. */
export function genericPool(
  t: WindowTable,
  mode: "max" | "average",
  divisor: number,
  samples: number,
  input: Float32Array,
  output: Float32Array,
): void {
  for (let n = 0, x = 0, y = 0; n < samples; n++, x += t.inputCount) {
    for (let cell = 0; cell < t.outputCount; cell++, y++) {
      const window = t.outputWindow[cell]!;
      const begin = t.begin[window]!;
      const end = t.begin[window + 1]!;
      if (mode === "max") {
        let largest = -Infinity;
        for (let e = begin; e < end; e++) largest = Math.max(largest, input[x + t.inputCell[e]!]!);
        output[y] = largest;
      } else {
        let sum = 0;
        for (let e = begin; e < end; e++) sum += input[x + t.inputCell[e]!]!;
        output[y] = Math.fround(sum) / (divisor || end - begin);
      }
    }
  }
}

/** Gradient of max pooling: all of it to the first cell not below the pooled value. `output` must be zero. */
export function genericMaxPoolGradient(
  t: WindowTable,
  samples: number,
  input: Float32Array,
  pooled: Float32Array,
  gradient: Float32Array,
  output: Float32Array,
): void {
  for (let n = 0, x = 0, y = 0; n < samples; n++, x += t.inputCount) {
    for (let cell = 0; cell < t.outputCount; cell++, y++) {
      const window = t.outputWindow[cell]!;
      for (let e = t.begin[window]!, end = t.begin[window + 1]!; e < end; e++) {
        if (input[x + t.inputCell[e]!]! >= pooled[y]!) {
          output[x + t.inputCell[e]!]! += gradient[y]!;
          break;
        }
      }
    }
  }
}

/** Gradient of average pooling: in equal shares. `output` must be zero. */
export function genericAveragePoolGradient(
  t: WindowTable,
  divisor: number,
  samples: number,
  gradient: Float32Array,
  output: Float32Array,
): void {
  for (let n = 0, x = 0, y = 0; n < samples; n++, x += t.inputCount) {
    for (let cell = 0; cell < t.outputCount; cell++, y++) {
      const window = t.outputWindow[cell]!;
      const begin = t.begin[window]!;
      const end = t.begin[window + 1]!;
      const share = Math.fround(gradient[y]! / (divisor || end - begin));
      for (let e = begin; e < end; e++) output[x + t.inputCell[e]!]! += share;
    }
  }
}

/** Puts each pooled value where its window has its first maximum; later windows overwrite. `output` must be zero. */
export function genericMaxUnpool(
  t: WindowTable,
  samples: number,
  pooled: Float32Array,
  poolInput: Float32Array,
  output: Float32Array,
): void {
  for (let n = 0, x = 0, y = 0; n < samples; n++, x += t.inputCount) {
    for (let cell = 0; cell < t.outputCount; cell++, y++) {
      const window = t.outputWindow[cell]!;
      const begin = t.begin[window]!;
      const end = t.begin[window + 1]!;
      let best = begin;
      for (let e = begin + 1; e < end; e++) {
        if (poolInput[x + t.inputCell[e]!]! > poolInput[x + t.inputCell[best]!]!) best = e;
      }
      if (end > begin) output[x + t.inputCell[best]!] = pooled[y]!;
    }
  }
}
