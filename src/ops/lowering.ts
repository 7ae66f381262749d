import type { SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { LoweringContext } from "../network/op-definition.js";
import type { Expression } from "../primitives/expression.js";
import type { MatrixOperand, Operand, ReduceInstructionOperation } from "../primitives/instruction.js";

/** The same buffer seen under other dimensions of the same count. */
export function withDims(operand: Operand, dims: SampleShape): Operand {
  return { ...operand, dims };
}

/** All elements of a sample as one axis. */
export function flat(operand: Operand): Operand {
  return withDims(operand, [elementCount(operand.dims)]);
}

/** An operand as a matrix of `rows` rows; the rest are columns, the samples behind them. */
export function asMatrix(operand: Operand, rows: number): MatrixOperand {
  return {
    buffer: operand.buffer,
    rows,
    columns: elementCount(operand.dims) / rows,
    perSample: operand.perSample,
  };
}

/** Emits output = expression(inputs), by default of all inputs of the node. */
export function emitMap(
  context: LoweringContext,
  expression: Expression,
  inputs: readonly Operand[] = context.inputs,
  output: Operand = context.output,
): void {
  context.emit({ kind: "elementwise", expression, inputs, output });
}

/** A scratch buffer holding expression(inputs). */
export function mapped(
  context: LoweringContext,
  expression: Expression,
  inputs: readonly Operand[],
  dims: SampleShape,
): Operand {
  const output = context.temporary(
    dims,
    inputs.some((input) => input.perSample),
  );
  emitMap(context, expression, inputs, output);
  return output;
}

/** Emits a reduction of all elements of a sample, and over the samples if the output has none. */
export function emitReduceAll(
  context: LoweringContext,
  input: Operand,
  output: Operand = context.output,
  operation: ReduceInstructionOperation = "sum",
  scale = 1,
): void {
  context.emit({ kind: "reduce", operation, input: flat(input), output: withDims(output, [1]), scale });
}

/** A scratch buffer `[1]` per sample holding the reduction of each sample. */
export function reducedPerSample(
  context: LoweringContext,
  input: Operand,
  operation: ReduceInstructionOperation,
): Operand {
  const output = context.temporary([1], input.perSample);
  emitReduceAll(context, input, output, operation);
  return output;
}
