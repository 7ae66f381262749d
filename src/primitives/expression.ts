/**
 * Elementwise expressions. Every operation's result is rounded to the element type, fused or not.
 * Guards follow CNTK's TensorOps.h: see the doc of each operator.
 */
export type Expression =
  | { readonly kind: "argument"; readonly index: number }
  | { readonly kind: "constant"; readonly value: number }
  /** A run-time number such as the learning rate: given to `run` as a double, rounded to the element type on use. */
  | { readonly kind: "scalar"; readonly name: string }
  | { readonly kind: "unary"; readonly operator: UnaryOperator; readonly x: Expression }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly a: Expression;
      readonly b: Expression;
    }
  /** `test` ≠ 0 ? `whenTrue` : `whenFalse`. */
  | {
      readonly kind: "select";
      readonly test: Expression;
      readonly whenTrue: Expression;
      readonly whenFalse: Expression;
    };

export const unaryOperators = [
  "negate",
  "absolute",
  "sign", // 0 at 0
  "exponential",
  "logarithm", // natural; −85.1 where x < 1e-37 (CNTK's clipped log)
  "squareRoot", // of max(x, 0)
  "reciprocal", // 0 at 0
  "floor",
  "sine",
  "cosine",
  "hyperbolicTangent",
  "sigmoid", // 1 / (1 + e^−x)
  "rectify", // max(x, 0)
  "toSingle", // rounded to single precision, where CNTK computes so in between
] as const;
export type UnaryOperator = (typeof unaryOperators)[number];

export const binaryOperators = [
  "add",
  "subtract",
  "multiply",
  "divide", // IEEE
  "maximum",
  "minimum",
  "power",
  "logAdd", // ln(e^a + e^b), overflow-safe
  "less", // comparisons give 1 or 0
  "lessEqual",
  "equal",
  "notEqual",
  "greater",
  "greaterEqual",
] as const;
export type BinaryOperator = (typeof binaryOperators)[number];

export const argument = (index: number): Expression => ({ kind: "argument", index });
export const constant = (value: number): Expression => ({ kind: "constant", value });
export const scalar = (name: string): Expression => ({ kind: "scalar", name });
export const unary = (operator: UnaryOperator, x: Expression): Expression => ({ kind: "unary", operator, x });
export const binary = (operator: BinaryOperator, a: Expression, b: Expression): Expression => ({
  kind: "binary",
  operator,
  a,
  b,
});
export const select = (test: Expression, whenTrue: Expression, whenFalse: Expression): Expression => ({
  kind: "select",
  test,
  whenTrue,
  whenFalse,
});
export const add = (a: Expression, b: Expression): Expression => binary("add", a, b);
export const subtract = (a: Expression, b: Expression): Expression => binary("subtract", a, b);
export const multiply = (a: Expression, b: Expression): Expression => binary("multiply", a, b);
export const divide = (a: Expression, b: Expression): Expression => binary("divide", a, b);
/** The root of what is no negative number, as C's sqrt has it: what is not a number stays so, where `squareRoot` makes it 0. */
export const plainSquareRoot = (x: Expression): Expression =>
  select(binary("equal", x, x), unary("squareRoot", x), x);

/** Names of the scalars that an expression needs; a name may occur twice. */
export function scalarsOf(expression: Expression): string[] {
  switch (expression.kind) {
    case "argument":
    case "constant":
      return [];
    case "scalar":
      return [expression.name];
    case "unary":
      return scalarsOf(expression.x);
    case "binary":
      return [...scalarsOf(expression.a), ...scalarsOf(expression.b)];
    case "select":
      return [expression.test, expression.whenTrue, expression.whenFalse].flatMap(scalarsOf);
    default:
      return expression satisfies never;
  }
}
