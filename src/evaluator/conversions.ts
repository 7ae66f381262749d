import { formatFixed } from "../numerics/number-format.js";
import type { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import { failure, type Place, typeExpected, typeName } from "./failures.js";
import type { ArrayValue, FunctionValue, RecordValue, Value } from "./values.js";

// There is no conversion between kinds of values in BrainScript: these check and complain.

/** Throws *expected expression of type 'number'*. */
export function numberOf(value: Value, span: Span): number {
  if (typeof value !== "number") throw typeExpected("number", value, span);
  return value;
}

/** A number without fraction that fits C's int. */
export function integerOf(value: Value, span: Span): number {
  const number = numberOf(value, span);
  if (!isInteger(number)) throw typeExpected("integer", undefined, span);
  return number;
}

/** Throws *expected expression of type 'boolean'*. */
export function booleanOf(value: Value, span: Span): boolean {
  if (typeof value !== "boolean") throw typeExpected("boolean", value, span);
  return value;
}

/** Does C's `(int) value == value` hold? */
export function isInteger(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
}

export function isArray(value: Value): value is ArrayValue {
  return typeof value === "object" && value.kind === "array";
}

export function isRecord(value: Value): value is RecordValue {
  return typeof value === "object" && value.kind === "record";
}

export function isFunction(value: Value): value is FunctionValue {
  return typeof value === "object" && value.kind === "function";
}

/** Throws *This array is expected to begin with index 0.* */
export function expectZeroBased(array: ArrayValue, place: Place): void {
  if (array.first === 0) return;
  throw failure("array-not-zero-based", "This array is expected to begin with index 0.", place());
}

/** *config member has wrong type (T), expected a T2*, for what native classes are given. */
export function wrongType(value: Value, expected: string, span: Span): CntkError {
  const message = `config member has wrong type (${typeName(value)}), expected a ${expected}`;
  return failure("wrong-type", message, span, wrongTypeHint(value, expected));
}

function wrongTypeHint(value: Value, expected: string): string | undefined {
  if (isFunction(value)) return "this is a function, such as a layer without its input: apply it, f (x)";
  if (isRecord(value) && expected === "ComputationNode") {
    const [first = "z"] = value.names.slice(-1);
    return `this is a whole record: a member of it is taken with its name, { … }.${first}`;
  }
  if (expected === "Double" && typeName(value) === "ComputationNode") {
    return "a number is wanted here; a node has no value before there are data";
  }
  const isScalar = typeof value === "number" || typeof value === "string" || typeof value === "boolean";
  if (expected === "ConfigArray" && isScalar) {
    const shown = typeof value === "string" ? `'${value}'` : String(value);
    return `parentheses make no array of a single value: write [|${shown}|]`;
  }
  return undefined;
}

/** *expected expression of type size_t instead of floating-point value 7.500000* */
export function notWhole(value: number, span: Span): CntkError {
  const message = `expected expression of type size_t instead of floating-point value ${formatFixed(value, 6)}`;
  return failure("integer-expected", message, span);
}
