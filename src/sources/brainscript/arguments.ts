import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import { isArray, isFunction, originOf, requiredParameter, typeName } from "../../evaluator/index.js";
import type { CallContext, RecordValue, Thunk, Value } from "../../evaluator/values.js";
import { NodeValue, ShapeValue, VectorValue } from "./values.js";

/**
 * The parameters of a native class. They are looked up by name in the argument record and then outward through the
 * enclosing scopes: that is how a library function hands on its own parameters without naming them again.
 */
export class Arguments {
  constructor(
    private readonly record: RecordValue,
    readonly context: CallContext,
  ) {}

  has(name: string): boolean {
    return this.record.lookup(name) !== undefined;
  }

  /** The unevaluated parameter. Throws CNTK's *required parameter … not found*. */
  thunk(name: string): Thunk {
    return requiredParameter(this.record, name, this.context);
  }

  value(name: string): Value {
    return this.thunk(name).force();
  }

  number(name: string): number {
    return this.checked(name, (value, span) => asNumber(value, span));
  }

  /** A whole number of either sign. */
  integer(name: string): number {
    return this.checked(name, (value, span) => asInteger(value, span));
  }

  boolean(name: string): boolean {
    return this.checked(name, (value, span) => asBoolean(value, span));
  }

  string(name: string): string {
    return this.checked(name, (value, span) => asString(value, span));
  }

  /** Dimensions: a TensorShape, a number, or an array (nested ones are flattened). */
  shape(name: string): readonly number[] {
    return this.checked(name, (value, span) => asShape(value, span));
  }

  /** Booleans: a BoolVector, a boolean, or an array of booleans. */
  booleans(name: string): readonly boolean[] {
    return this.checked(name, (value, span) => {
      if (value instanceof VectorValue) return value.items.map(Boolean);
      return flatten(value, span, asBoolean);
    });
  }

  private checked<T>(name: string, convert: (value: Value, span: Span) => T): T {
    const thunk = this.thunk(name);
    return convert(thunk.force(), originOf(thunk).span);
  }
}

function wrongType(value: Value, expected: string, span: Span): CntkError {
  return new CntkError({
    code: "wrong-type",
    message: `config member has wrong type (${typeName(value)}), expected a ${expected}`,
    span,
    ...(isFunction(value) && {
      hint: "this is a function, such as a layer without its input: apply it, f (x)",
    }),
  });
}

export function asNumber(value: Value, span: Span): number {
  if (typeof value !== "number") throw wrongType(value, "Double", span);
  return value;
}

export function asInteger(value: Value, span: Span): number {
  const number = asNumber(value, span);
  if (!Number.isInteger(number)) throw notWhole(number, span);
  return number;
}

/** A dimension, index or count: a whole number that is not negative. */
export function asSize(value: Value, span: Span): number {
  const number = asInteger(value, span);
  if (number < 0) throw notWhole(number, span);
  return number;
}

function notWhole(number: number, span: Span): CntkError {
  return new CntkError({
    code: "wrong-type",
    message: `expected expression of type size_t instead of floating-point value ${number.toFixed(6)}`,
    span,
  });
}

export function asBoolean(value: Value, span: Span): boolean {
  if (typeof value !== "boolean") throw wrongType(value, "Bool", span);
  return value;
}

export function asString(value: Value, span: Span): string {
  if (typeof value !== "string") throw wrongType(value, "String", span);
  return value;
}

export function asShape(value: Value, span: Span): readonly number[] {
  if (value instanceof ShapeValue) return value.dims;
  if (value instanceof VectorValue) return value.items.map(Number);
  return flatten(value, span, asSize);
}

export function asNode(value: Value, span: Span): NodeValue {
  if (!(value instanceof NodeValue)) throw wrongType(value, "ComputationNode", span);
  return value;
}

/** A single value or an array, nested arrays flattened; every element is evaluated, in order. */
export function flatten<T>(value: Value, span: Span, convert: (value: Value, span: Span) => T): T[] {
  if (!isArray(value)) return [convert(value, span)];
  if (value.first !== 0) {
    throw new CntkError({
      code: "wrong-type",
      message: "This array is expected to begin with index 0.",
      span,
    });
  }
  return value.elements.flatMap((element) => flatten(element.force(), originOf(element).span, convert));
}
