import { elementCount } from "../../network/network.js";
import type { Values } from "../backend.js";
import { compileCode } from "./generated-code.js";
import { memoryOf, type KernelCompiler } from "./kernel.js";
import { loopsCode, type LoopAxis } from "./loop-nest.js";

/** Same elements, other shape. */
export const compileCopy: KernelCompiler<"copy"> = ({ input, output }) => {
  const size = elementCount(input.dims);
  if (size !== elementCount(output.dims) || input.perSample !== output.perSample) {
    throw new Error("a copy must keep the number of elements");
  }
  return (run) => {
    const count = input.perSample ? size * run.samples : size;
    memoryOf(run, output.buffer).set(memoryOf(run, input.buffer).subarray(0, count));
  };
};

/** output axis i = input axis `axes[i]`. */
export const compileTranspose: KernelCompiler<"transpose"> = ({ axes, input, output }) => {
  const strides = input.dims.map((_, axis) => elementCount(input.dims.slice(0, axis)));
  let step = 1;
  const loops = axes.map((axis): LoopAxis => {
    const size = input.dims[axis] ?? 1;
    const loop = { size, perSample: false, strides: [step, strides[axis] ?? 0] };
    step *= size;
    return loop;
  });
  if (output.perSample) loops.push({ size: 1, perSample: true, strides: [step, step] });
  const compiled = compileCode<(output: Values, input: Values, samples: number) => void>(
    ["output", "input", "samples"],
    loopsCode(loops, ["0", "0"], ([to, from]) => `output[${to}] = input[${from}];`),
  );
  return (run) => compiled(memoryOf(run, output.buffer), memoryOf(run, input.buffer), run.samples);
};
