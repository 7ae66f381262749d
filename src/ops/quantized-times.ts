import type { LoweringContext } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import {
  add,
  argument,
  binary,
  constant,
  divide,
  multiply,
  select,
  subtract,
  unary,
} from "../primitives/expression.js";
import type { Expression } from "../primitives/expression.js";
import type { Operand } from "../primitives/instruction.js";
import { problem } from "./declared.js";
import { at, defineOp, describe } from "./define-op.js";
import { linearAlgebraOperations } from "./linear-algebra.js";
import { emitMap, emitReduceAll, flat, mapped, withDims } from "./lowering.js";
import { takesSparse } from "./sparse-data.js";

/*
 * Products of whole numbers of 16 bits.
 */

const times = linearAlgebraOperations.find(({ name }) => name === "Times");
if (!times) throw new Error("Times is not in the registry");

export const quantizedTimes = defineOp({
  ...times,
  name: "QuantizedTimes",
  refusesSparse: takesSparse,
  doc: "Times with both operands rounded to 16-bit integers; for inference only.",
  attributes: {
    inferInputRankToMap: { kind: "integer", doc: "As in Times." },
    outputRank: { kind: "integer", doc: "As in Times." },
    bitShiftB: { kind: "integer", doc: "Bits given up at the upper end of B's range against overflow." },
    bitShiftA: { kind: "integer", doc: "The same of A." },
  },
  stored: {
    fields: [
      ...times.stored.fields,
      field("bitShiftA", "unsigned8", { otherwise: 1 }),
      field("bitShiftB", "unsigned8", { otherwise: 1 }),
    ],
  },
  differentiable: "error",
  sparseInputs: [],
  refusesGradient: (node) => `${describe(node)} is used for inference only: its gradient is not implemented.`,
  lower(context) {
    const { inputs, output, attributes } = context;
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    if (a.axis !== null) {
      throw problem(
        context,
        ": a left operand with samples is not available yet",
        undefined,
        "not-available",
      );
    }
    const factors = [
      quantizationFactor(context, a, attributes.bitShiftA),
      quantizationFactor(context, b, attributes.bitShiftB),
    ] as const;
    const whole = (x: Operand, factor: Operand): Operand =>
      mapped(context, roundedHalfAway(multiply(argument(0), argument(1))), [flat(x), factor], flat(x).dims);
    const rounded = [withDims(whole(a, factors[0]), a.dims), withDims(whole(b, factors[1]), b.dims)];
    const product = context.temporary(output.dims, output.axis);
    times.lower?.({ ...context, inputs: rounded, output: product });
    const back = (x: Expression, factor: number): Expression =>
      multiply(x, unary("reciprocal", argument(factor)));
    emitMap(context, back(back(argument(0), 2), 1), [flat(product), ...factors], flat(output));
  },
});

/** C's round(): halves go away from zero. */
function roundedHalfAway(x: Expression): Expression {
  const half = constant(0.5);
  const up = unary("floor", add(x, half));
  const down = unary("negate", unary("floor", subtract(half, x)));
  return select(binary("less", x, constant(0)), down, up);
}

/** Scratch: what a matrix is multiplied by so that its largest value fits into 16 bits, shifted; 0 for nothing but zeros. */
function quantizationFactor(context: LoweringContext<object>, x: Operand, shift: number): Operand {
  const sizes = mapped(context, unary("absolute", argument(0)), [flat(x)], flat(x).dims);
  const largest = context.temporary([1], null);
  emitReduceAll(context, sizes, largest, "max", 1, "counted");
  const range = multiply(argument(0), constant(2 ** shift));
  const factor = divide(constant(largestShort), range);
  return mapped(
    context,
    select(binary("equal", argument(0), constant(0)), constant(0), factor),
    [largest],
    [1],
  );
}

const largestShort = 32767;
