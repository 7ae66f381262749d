import type { Emission } from "./emission.js";
import { type Factor, factors, times } from "./products.js";
import type { OperationRules } from "./rules.js";

const largestShort = 32767;

/** Products of operands that are rounded to whole numbers of 16 bits. */
export const quantizedRules: OperationRules = {
  QuantizedTimes(node, emission) {
    const { bitShiftA, bitShiftB } = emission.facts(node).attributes;
    const { name } = node;
    const [a, b] = factors(node, emission);
    const left = quantized(emission, a, Number(bitShiftA), `${name}/a`);
    const right = quantized(emission, b, Number(bitShiftB), `${name}/b`);
    const product = times(node, emission, false, [left.whole, right.whole], `${name}/product`);
    const unscaled = emission.add("Mul", [product, right.back], `${name}/unscaled`);
    return emission.add("Mul", [unscaled, left.back], name);
  },
};

/** An operand in whole numbers, and what leads back to its own: 0 where there is nothing but zeros. */
function quantized(
  emission: Emission,
  operand: Factor,
  shift: number,
  name: string,
): { readonly whole: Factor; readonly back: string } {
  const scalar = (value: number, what: string): string => emission.scalar(`${name}/${what}`, value);
  const step = (operation: string, inputs: readonly string[], what: string): string =>
    emission.add(operation, inputs, `${name}/${what}`);
  const sizes = step("Abs", [operand.tensor], "sizes");
  const axes = Array.from({ length: operand.leads + operand.shape.length }, (_, axis) => -1 - axis);
  const reduced = emission.reduce("ReduceMax", sizes, axes, `${name}/reduced`);
  const largest = step("Reshape", [reduced, emission.graph.numbers(`${name}/one`, [1])], "largest");
  const zero = scalar(0, "zero");
  const isZero = step("Equal", [largest, zero], "is_zero");
  const range = step("Mul", [largest, scalar(2 ** shift, "shift")], "range");
  const factor = step(
    "Where",
    [isZero, zero, step("Div", [scalar(largestShort, "short"), range], "ratio")],
    "factor",
  );
  const scaled = step("Mul", [operand.tensor, factor], "scaled");
  // C's round(): halves go away from zero.
  const away = step(
    "Floor",
    [step("Add", [step("Abs", [scaled], "size"), scalar(0.5, "half")], "up")],
    "rounded",
  );
  const whole = step("Mul", [away, step("Sign", [scaled], "sign")], "whole");
  const back = step("Where", [isZero, zero, step("Reciprocal", [factor], "inverse")], "back");
  return { whole: { ...operand, tensor: whole }, back };
}
