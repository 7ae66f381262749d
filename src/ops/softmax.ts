import type { NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { GraphBuilder, LoweringContext, OpDefinition } from "../network/op-definition.js";
import { argument, binary, multiply, subtract, unary } from "../primitives/expression.js";
import type { Operand } from "../primitives/instruction.js";
import { at, defineOp, memoryNone, memoryOutput } from "./define-op.js";
import { emitMap, withDims } from "./lowering.js";
import { unaryMap } from "./shape-rules.js";
import { refusesInputs } from "./sparse-data.js";

/*
 * Softmax and its kin work on the columns of CNTK's matrices: a sample, flattened, or without minibatch data the first axis
 * of a parameter.
 */

/** The column and how many of them stand beside each other in a value of that shape. */
function columnView(shape: SampleShape, hasSamples: boolean): readonly [rows: number, columns: number] {
  const count = elementCount(shape);
  const rows = hasSamples ? count : (shape[0] ?? 1);
  return [rows, count / rows];
}

/** An operand as columns. */
const inColumns = (operand: Operand): Operand =>
  withDims(operand, columnView(operand.dims, operand.axis !== null));

const z = [{ name: "z", doc: "Any shape; all elements of a sample are one distribution." }] as const;

/**
 * Emits z − ln Σ eᶻ as CNTK computes it: the largest element is taken away first, and the sum is a number of the element type.
 * So probabilities near 1 get CNTK's digits in float, too (CPUMatrix::AssignLogSoftmaxOf).
 */
function emitLogSoftmax(context: LoweringContext<unknown, unknown>, output: Operand): void {
  const input = inColumns(at(context.inputs, 0));
  const column = (): Operand => context.temporary([1, at(input.dims, 1)], input.axis);
  const values = (): Operand => context.temporary(input.dims, input.axis);
  const [largest, sum, shifted, powers] = [column(), column(), values(), values()];
  context.emit("reduce", [input], largest, { operation: "max", scale: 1, gaps: "skipped" });
  emitMap(context, subtract(argument(0), argument(1)), [input, largest], shifted);
  emitMap(context, unary("exponential", argument(0)), [shifted], powers);
  context.emit("reduce", [powers], sum, { operation: "sum", scale: 1, gaps: "skipped" });
  const logarithm = unary("logarithm", argument(1));
  emitMap(context, subtract(argument(0), logarithm), [shifted, sum], inColumns(output));
}

/** Node: sums of the columns of `x`, as `[1 x columns]`. */
function columnSums(build: GraphBuilder, x: NetworkNode): NetworkNode {
  const { shape, dynamicAxis } = build.facts(x);
  const [rows, columns] = columnView(shape, dynamicAxis !== null);
  return build.reduceTo(build.reshape(x, [rows, columns]), [1, columns], dynamicAxis);
}

/** Node: the same elements as columns. */
function asColumns(build: GraphBuilder, x: NetworkNode): NetworkNode {
  const { shape, dynamicAxis } = build.facts(x);
  return build.reshape(x, columnView(shape, dynamicAxis !== null));
}

const softmax = defineOp({
  name: "Softmax",
  refusesSparse: refusesInputs({ 0: { function: "AssignLogSoftmaxOf", line: 2868 } }),
  doc: "eᶻ / Σ eᶻ over all elements of a sample, without overflow.",
  source: "Source/ComputationNetworkLib/NonlinearityNodes.h",
  inputs: z,
  attributes: {},
  differentiable: "yes",
  memory: { ...memoryOutput, backwardTemporaries: 2 },
  shape: (context) => ({ ...unaryMap(context), storage: "dense" }),
  // dz = y·(g − Σ g·y)
  gradient({ node, outputGradient, build }) {
    const product = build.map(multiply(argument(0), argument(1)), [outputGradient, node]);
    const operands = [asColumns(build, outputGradient), asColumns(build, node), columnSums(build, product)];
    const gradient = build.map(multiply(argument(1), subtract(argument(0), argument(2))), operands);
    return [build.reshape(gradient, build.facts(node).shape)];
  },
  lower(context) {
    const logSoftmaxValue = context.temporary(context.output.dims, context.output.axis);
    emitLogSoftmax(context, logSoftmaxValue);
    emitMap(context, unary("exponential", argument(0)), [logSoftmaxValue]);
  },
});

const logSoftmax = defineOp({
  ...softmax,
  name: "LogSoftmax",
  refusesSparse: refusesInputs({ 0: { function: "AssignLogSoftmaxOf", line: 2868 } }),
  doc: "z − ln Σ eᶻ over all elements of a sample.",
  // dz = g − eʸ·Σ g
  gradient({ node, outputGradient, build }) {
    const operands = [
      asColumns(build, outputGradient),
      asColumns(build, node),
      columnSums(build, outputGradient),
    ];
    const share = multiply(unary("exponential", argument(1)), argument(2));
    const gradient = build.map(subtract(argument(0), share), operands);
    return [build.reshape(gradient, build.facts(node).shape)];
  },
  lower: (context) => emitLogSoftmax(context, context.output),
});

const hardmax = defineOp({
  ...softmax,
  name: "Hardmax",
  refusesSparse: refusesInputs({ 0: { function: "AssignHardmaxOf", line: 2900 } }),
  doc: "1 at the first maximum of each sample, 0 elsewhere. No gradient flows.",
  differentiable: "none",
  memory: { ...memoryNone, backwardTemporaries: 1 },
  gradient: undefined,
  lower(context) {
    const input = inColumns(at(context.inputs, 0));
    const [rows, columns] = [at(input.dims, 0), at(input.dims, 1)];
    const largest = context.temporary([1, columns], input.axis);
    context.emit("reduce", [input], largest, { operation: "argmax", scale: 1, gaps: "skipped" });
    const numbers = context.temporary([rows, 1], null);
    context.emit("iota", [], numbers, {});
    emitMap(
      context,
      binary("equal", argument(0), argument(1)),
      [numbers, largest],
      inColumns(context.output),
    );
  },
});

export const softmaxOperations: readonly OpDefinition[] = [softmax, logSoftmax, hardmax];
