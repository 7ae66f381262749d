import { operandAt, type KernelCompiler } from "../host/kernel.js";
import {
  compilePlanarConvolution,
  compilePlanarInputGradient,
  compilePlanarWeightGradient,
  planarGeometry,
} from "./planar-convolution.js";
import { Scratch } from "./scratch.js";
import { windowTable } from "./windows.js";

/**
 * The three convolutions for any rank, padding, stride and sharing: loops over the window table, sums in double.
 * Common geometries have faster loops in planar-convolution.ts.
 */
export const compileConvolution: KernelCompiler<"convolution"> = (instruction) => {
  const { reads, writes, parameters } = instruction;
  const { geometry } = parameters;
  const planar = planarGeometry(geometry);
  if (planar) return compilePlanarConvolution(instruction, planar);
  const weights = operandAt(reads, 0);
  const input = operandAt(reads, 1);
  const table = windowTable(geometry);
  const { inputCount, outputCount, kernelCount, base, begin, end } = table;
  const { inputCell, kernelCell, outputWindow, outputKernel } = table;
  return (run) => {
    const columns = run.columns(writes.axis);
    const w = run.view(weights);
    const x = run.view(input);
    const y = run.view(writes);
    for (let n = 0; n < columns; n++) {
      const from = n * inputCount;
      for (let cell = 0; cell < outputCount; cell++) {
        const window = outputWindow[cell]!;
        const kernel = outputKernel[cell]! * kernelCount;
        const first = from + base[window]!;
        let sum = 0;
        for (let e = begin[window]!, stop = end[window]!; e < stop; e++) {
          sum += w[kernel + kernelCell[e]!]! * x[first + inputCell[e]!]!;
        }
        y[n * outputCount + cell] = sum;
      }
    }
  };
};

export const compileConvolutionInputGradient: KernelCompiler<"convolutionInputGradient"> = (instruction) => {
  const { reads, writes, parameters } = instruction;
  const { geometry } = parameters;
  const planar = planarGeometry(geometry);
  if (planar) return compilePlanarInputGradient(instruction, planar);
  const weights = operandAt(reads, 0);
  const outputGradient = operandAt(reads, 1);
  const table = windowTable(geometry);
  const { inputCount, outputCount, kernelCount, base, begin, end } = table;
  const { inputCell, kernelCell, outputWindow, outputKernel } = table;
  const scratch = new Scratch();
  return (run) => {
    const columns = run.columns(writes.axis);
    const w = run.view(weights);
    const gradient = run.view(outputGradient);
    const x = run.view(writes);
    const sums = scratch.ofSize(inputCount);
    for (let n = 0; n < columns; n++) {
      sums.fill(0, 0, inputCount);
      for (let cell = 0; cell < outputCount; cell++) {
        const window = outputWindow[cell]!;
        const kernel = outputKernel[cell]! * kernelCount;
        const g = gradient[n * outputCount + cell]!;
        const first = base[window]!;
        for (let e = begin[window]!, stop = end[window]!; e < stop; e++) {
          sums[first + inputCell[e]!]! += w[kernel + kernelCell[e]!]! * g;
        }
      }
      const to = n * inputCount;
      for (let i = 0; i < inputCount; i++) x[to + i] = sums[i]!;
    }
  };
};

export const compileConvolutionWeightGradient: KernelCompiler<"convolutionWeightGradient"> = (
  instruction,
) => {
  const { reads, writes, parameters } = instruction;
  const { geometry } = parameters;
  const planar = planarGeometry(geometry);
  if (planar) return compilePlanarWeightGradient(instruction, planar);
  const input = operandAt(reads, 0);
  const outputGradient = operandAt(reads, 1);
  const table = windowTable(geometry);
  const { inputCount, outputCount, kernelCount, base, begin, end } = table;
  const { inputCell, kernelCell, outputWindow, outputKernel } = table;
  const weightCount = table.kernels * kernelCount;
  const scratch = new Scratch();
  return (run) => {
    const columns = run.columns(input.axis);
    const gaps = run.gaps(input.axis);
    const x = run.view(input);
    const gradient = run.view(outputGradient);
    const w = run.view(writes);
    const sums = scratch.ofSize(weightCount);
    sums.fill(0, 0, weightCount);
    for (let n = 0; n < columns; n++) {
      if (gaps && gaps[n] !== 0) continue;
      const from = n * inputCount;
      for (let cell = 0; cell < outputCount; cell++) {
        const window = outputWindow[cell]!;
        const kernel = outputKernel[cell]! * kernelCount;
        const g = gradient[n * outputCount + cell]!;
        const first = from + base[window]!;
        for (let e = begin[window]!, stop = end[window]!; e < stop; e++) {
          sums[kernel + kernelCell[e]!]! += x[first + inputCell[e]!]! * g;
        }
      }
    }
    for (let i = 0; i < weightCount; i++) w[i] = sums[i]!;
  };
};
