import type { SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { LoweringContext } from "../network/op-definition.js";
import type { Expression } from "../primitives/expression.js";
import type { AxisId, Operand } from "../primitives/instruction.js";
import type { Parameters, ReduceOperation } from "../primitives/parameters.js";

/** Lowering contexts of any op: these helpers look at operands only. */
type Context = Pick<LoweringContext, "inputs" | "output" | "emit" | "temporary">;

/** The same buffer seen under other dimensions of the same count. */
export function withDims(operand: Operand, dims: SampleShape): Operand {
  return { ...operand, dims };
}

/** All elements of a sample as one axis. */
export function flat(operand: Operand): Operand {
  return withDims(operand, [elementCount(operand.dims)]);
}

/** An operand as a matrix of `rows` rows; the rest are columns, those of the dynamic axis behind them. */
export function asMatrix(operand: Operand, rows: number): Operand {
  return withDims(operand, [rows, elementCount(operand.dims) / rows]);
}

/** The dynamic axis of the first operand that has one. */
export function axisOf(operands: readonly Operand[]): AxisId | null {
  return operands.find(({ axis }) => axis !== null)?.axis ?? null;
}

/** Emits output = expression(inputs), by default of all inputs of the node. */
export function emitMap(
  context: Context,
  expression: Expression,
  inputs: readonly Operand[] = context.inputs,
  output: Operand = context.output,
): void {
  context.emit("map", inputs, output, { expression });
}

/** A scratch buffer holding expression(inputs). */
export function mapped(
  context: Context,
  expression: Expression,
  inputs: readonly Operand[],
  dims: SampleShape,
): Operand {
  const output = context.temporary(dims, axisOf(inputs));
  emitMap(context, expression, inputs, output);
  return output;
}

/** Emits a reduction of all elements of a sample, and over the columns if the output has no dynamic axis. */
export function emitReduceAll(
  context: Context,
  input: Operand,
  output: Operand = context.output,
  operation: ReduceOperation = "sum",
  scale = 1,
  gaps: Parameters["reduce"]["gaps"] = "skipped",
): void {
  context.emit("reduce", [flat(input)], withDims(output, [1]), { operation, scale, gaps });
}

/** A scratch buffer `[1]` per column holding the reduction of each sample. */
export function reducedPerSample(context: Context, input: Operand, operation: ReduceOperation): Operand {
  const output = context.temporary([1], input.axis);
  emitReduceAll(context, input, output, operation);
  return output;
}

/** A scratch buffer `[1]`: the number of samples, columns or sequences of the operand's dynamic axis; 1 without one. */
export function counted(context: Context, input: Operand, what: Parameters["count"]["what"]): Operand {
  const output = context.temporary([1], null);
  if (input.axis === null) emitMap(context, { kind: "constant", value: 1 }, [], output);
  else context.emit("count", [input], output, { what });
  return output;
}
