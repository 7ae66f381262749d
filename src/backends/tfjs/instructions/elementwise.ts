import { argument } from "../../../primitives/expression.js";
import type { Instruction, Operand } from "../../../primitives/instruction.js";
import { compileElementwise } from "../kernels/elementwise.js";
import { compileReduce } from "../kernels/reduce.js";
import {
  broadcastStrides,
  nestLoops,
  plain,
  product,
  stridesOf,
  type Layout,
  type LoopAxis,
} from "../layout.js";
import { factsOfOperand, type ProgramBuilder, type ValueId } from "../program.js";

type ElementwiseInstruction = Extract<Instruction, { kind: "elementwise" }>;
type TransposeInstruction = Extract<Instruction, { kind: "transpose" }>;
type ReduceInstruction = Extract<Instruction, { kind: "reduce" }>;

/** A value as the operand reads it: in its own layout if the operand's dims allow, else transposed to CNTK's order. */
function readWithStrides(
  builder: ProgramBuilder,
  operand: Operand,
  axes: readonly number[],
): { readonly value: ValueId; readonly strides: readonly number[] } {
  let value = builder.valueOf(operand.buffer);
  let strides = broadcastStrides(operand.dims, builder.factsOf(value).layout, axes);
  if (!strides) {
    value = builder.convert(value, plain);
    strides = broadcastStrides(operand.dims, plain, axes) as number[];
  }
  return { value, strides };
}

/** The layout of the output: that of an image among the inputs, so that no image has to be transposed. */
function outputLayout(builder: ProgramBuilder, inputs: readonly Operand[], output: Operand): Layout {
  const count = product(output.dims);
  for (const input of inputs) {
    const { layout, elements } = builder.factsOf(builder.valueOf(input.buffer));
    if (layout === plain || elements !== count || input.perSample !== output.perSample) continue;
    if (stridesOf(output.dims, layout)) return layout;
  }
  return plain;
}

/** One generated function for the whole expression, whatever the operands' layouts. */
export function addElementwise(builder: ProgramBuilder, instruction: ElementwiseInstruction): void {
  const { expression, inputs, output } = instruction;
  const layout = outputLayout(builder, inputs, output);
  const target = stridesOf(output.dims, layout) as number[];
  const reads = inputs.map((input) => readWithStrides(builder, input, output.dims));
  const axes: LoopAxis[] = output.dims.map((extent, i) => ({
    extent,
    perSample: false,
    strides: [target[i] as number, ...reads.map(({ strides }) => strides[i] as number)],
  }));
  if (output.perSample) {
    const perSample = inputs.map((input) => (input.perSample ? product(input.dims) : 0));
    axes.push({ extent: 1, perSample: true, strides: [product(output.dims), ...perSample] });
  }
  const run = compileElementwise(expression, nestLoops(axes), inputs.length);
  const value = builder.own(
    reads.map((read) => read.value),
    factsOfOperand(output, layout),
    (frame, to, from) => run(frame.samples, frame.scalars, to, from),
  );
  builder.assign(output, value);
}

/** A copy along permuted strides; samples stay where they are. */
export function addTranspose(builder: ProgramBuilder, instruction: TransposeInstruction): void {
  const { axes: permutation, input, output } = instruction;
  const { value, strides } = readWithStrides(builder, input, input.dims);
  const target = stridesOf(output.dims, plain) as number[];
  const axes: LoopAxis[] = output.dims.map((extent, i) => ({
    extent,
    perSample: false,
    strides: [target[i] as number, strides[permutation[i] as number] as number],
  }));
  const count = product(output.dims);
  if (output.perSample) axes.push({ extent: 1, perSample: true, strides: [count, count] });
  const run = compileElementwise(argument(0), nestLoops(axes), 1);
  const result = builder.own([value], factsOfOperand(output), (frame, to, from) =>
    run(frame.samples, frame.scalars, to, from),
  );
  builder.assign(output, result);
}

/** One generated function in double; the output is in CNTK's order. */
export function addReduce(builder: ProgramBuilder, instruction: ReduceInstruction): void {
  const { operation, input, output, scale } = instruction;
  const { value, strides } = readWithStrides(builder, input, input.dims);
  const target = broadcastStrides(output.dims, plain, input.dims) as number[];
  const axes: LoopAxis[] = [];
  let reducedCount = 1;
  input.dims.forEach((extent, i) => {
    const reduced = (output.dims[i] ?? 1) === 1 && extent !== 1;
    axes.push({
      extent,
      perSample: false,
      strides: [strides[i] as number, target[i] as number, reduced ? reducedCount : 0],
    });
    if (reduced) reducedCount *= extent;
  });
  const count = product(output.dims);
  if (input.perSample) {
    const outputStride = output.perSample ? count : 0;
    axes.push({
      extent: 1,
      perSample: true,
      strides: [product(input.dims), outputStride, output.perSample ? 0 : reducedCount],
    });
  }
  const run = compileReduce(operation, nestLoops(axes), scale);
  const result = builder.own([value], factsOfOperand(output), (frame, to, [from]) =>
    run(frame.samples, from as Float32Array, to, to.length),
  );
  builder.assign(output, result);
}
