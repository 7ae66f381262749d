import { memoryOf, repetitions, type KernelCompiler } from "./kernel.js";
import { Scratch } from "./matmul.js";
import {
  compilePlanarConvolution,
  compilePlanarInputGradient,
  compilePlanarWeightGradient,
  planarGeometry,
} from "./planar-convolution.js";
import { windowTable } from "./windows.js";

/**
 * The three convolutions for any rank, padding, stride and sharing: plain loops over the window table, sums in double.
 * They are the definition; common geometries have faster loops in planar-convolution.ts.
 */
export const compileConvolution: KernelCompiler<"convolution"> = (instruction) => {
  const { geometry, weights, input, output } = instruction;
  const planar = planarGeometry(geometry);
  if (planar) return compilePlanarConvolution(instruction, planar);
  const table = windowTable(geometry);
  const { inputCount, outputCount, kernelCount, begin, inputCell, kernelCell, outputWindow, outputKernel } =
    table;
  return (run) => {
    const samples = repetitions(output, run);
    const w = memoryOf(run, weights.buffer);
    const x = memoryOf(run, input.buffer);
    const y = memoryOf(run, output.buffer);
    for (let n = 0; n < samples; n++) {
      const from = n * inputCount;
      for (let cell = 0; cell < outputCount; cell++) {
        const window = outputWindow[cell]!;
        const kernel = outputKernel[cell]! * kernelCount;
        let sum = 0;
        for (let e = begin[window]!, end = begin[window + 1]!; e < end; e++) {
          sum += w[kernel + kernelCell[e]!]! * x[from + inputCell[e]!]!;
        }
        y[n * outputCount + cell] = sum;
      }
    }
  };
};

export const compileConvolutionInputGradient: KernelCompiler<"convolutionInputGradient"> = (instruction) => {
  const { geometry, weights, outputGradient, output } = instruction;
  const planar = planarGeometry(geometry);
  if (planar) return compilePlanarInputGradient(instruction, planar);
  const table = windowTable(geometry);
  const { inputCount, outputCount, kernelCount, begin, inputCell, kernelCell, outputWindow, outputKernel } =
    table;
  const scratch = new Scratch();
  return (run) => {
    const samples = repetitions(output, run);
    const w = memoryOf(run, weights.buffer);
    const gradient = memoryOf(run, outputGradient.buffer);
    const x = memoryOf(run, output.buffer);
    const sums = scratch.ofSize(inputCount);
    for (let n = 0; n < samples; n++) {
      sums.fill(0, 0, inputCount);
      for (let cell = 0; cell < outputCount; cell++) {
        const window = outputWindow[cell]!;
        const kernel = outputKernel[cell]! * kernelCount;
        const g = gradient[n * outputCount + cell]!;
        for (let e = begin[window]!, end = begin[window + 1]!; e < end; e++) {
          sums[inputCell[e]!]! += w[kernel + kernelCell[e]!]! * g;
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
  const { geometry, input, outputGradient, output } = instruction;
  const planar = planarGeometry(geometry);
  if (planar) return compilePlanarWeightGradient(instruction, planar);
  const table = windowTable(geometry);
  const { inputCount, outputCount, kernelCount, begin, inputCell, kernelCell, outputWindow, outputKernel } =
    table;
  const weightCount = table.kernels * kernelCount;
  const scratch = new Scratch();
  return (run) => {
    const samples = repetitions(input, run);
    const x = memoryOf(run, input.buffer);
    const gradient = memoryOf(run, outputGradient.buffer);
    const w = memoryOf(run, output.buffer);
    const sums = scratch.ofSize(weightCount);
    sums.fill(0, 0, weightCount);
    for (let n = 0; n < samples; n++) {
      const from = n * inputCount;
      for (let cell = 0; cell < outputCount; cell++) {
        const window = outputWindow[cell]!;
        const kernel = outputKernel[cell]! * kernelCount;
        const g = gradient[n * outputCount + cell]!;
        for (let e = begin[window]!, end = begin[window + 1]!; e < end; e++) {
          sums[kernel + kernelCell[e]!]! += x[from + inputCell[e]!]! * g;
        }
      }
    }
    for (let i = 0; i < weightCount; i++) w[i] = sums[i]!;
  };
};
