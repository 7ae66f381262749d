import type { Span } from "../diagnostics/source.js";
import { expectZeroBased, isArray, isInteger, notWhole, wrongType } from "./conversions.js";
import { failure, type Place } from "./failures.js";
import { checkElementCount } from "./limits.js";
import { type Answer, type Evaluation, Pending } from "./machine.js";
import { originOf } from "./thunks.js";
import type { CallContext, RecordValue, Thunk, Value } from "./values.js";

/**
 * The parameters of a native class. They are looked up by name in the argument record and then outward through the
 * enclosing scopes: that is how a library function hands on its own parameters without naming them again. To read one is
 * a part of a computation: `const text = yield* parameters.string("what")`.
 */
export class Parameters {
  constructor(
    private readonly record: RecordValue,
    readonly context: CallContext,
  ) {}

  has(name: string): boolean {
    return this.record.lookup(name) !== undefined;
  }

  /** The unevaluated parameter. Throws CNTK's *required parameter … not found*. */
  thunk(name: string): Thunk {
    const thunk = this.record.lookup(name);
    if (thunk) return thunk;
    throw failure("missing-parameter", `required parameter '${name}' not found`, this.context.span);
  }

  /** The place that messages about a parameter show: where its value was written. */
  place(name: string): Span {
    return originOf(this.thunk(name)).span;
  }

  ask(name: string): Answer {
    return this.thunk(name).ask();
  }

  number(name: string): Evaluation<number> {
    return this.converted(name, asNumber);
  }

  /** A whole number of either sign. */
  integer(name: string): Evaluation<number> {
    return this.converted(name, asInteger);
  }

  /** A whole number from 0. */
  size(name: string): Evaluation<number> {
    return this.converted(name, asSize);
  }

  boolean(name: string): Evaluation<boolean> {
    return this.converted(name, asBoolean);
  }

  string(name: string): Evaluation<string> {
    return this.converted(name, asString);
  }

  protected *converted<T>(name: string, convert: Conversion<T>): Evaluation<T> {
    const thunk = this.thunk(name);
    const answer = thunk.ask();
    // Most are there: a step of the machine would take longer than all else.
    const value: Value = answer instanceof Pending ? yield answer : answer;
    return convert(value, () => originOf(thunk).span);
  }

  /** A single value or an array, nested arrays flattened; every element is evaluated, in order. */
  protected *list<T>(name: string, convert: Conversion<T>): Evaluation<T[]> {
    const thunk = this.thunk(name);
    const value: Value = yield thunk.ask();
    return yield* flattened(value, () => originOf(thunk).span, convert);
  }
}

/** Checks the type of a value. */
export type Conversion<T> = (value: Value, place: Place) => T;

export function asNumber(value: Value, place: Place): number {
  if (typeof value !== "number") throw wrongType(value, "Double", place());
  return value;
}

/** CNTK speaks of size_t, but negative ones are fine. */
export function asInteger(value: Value, place: Place): number {
  const number = asNumber(value, place);
  if (!isInteger(number)) throw notWhole(number, place());
  return number;
}

/** A dimension, index or count: a whole number that is not negative. */
export function asSize(value: Value, place: Place): number {
  const number = asNumber(value, place);
  if (!Number.isInteger(number) || number < 0) throw notWhole(number, place());
  return number;
}

export function asBoolean(value: Value, place: Place): boolean {
  if (typeof value !== "boolean") throw wrongType(value, "Bool", place());
  return value;
}

export function asString(value: Value, place: Place): string {
  if (typeof value !== "string") throw wrongType(value, "String", place());
  return value;
}

/** The elements of a value, or the value itself if it is no array; those of nested arrays one after the other. */
export function* flattened<T>(value: Value, place: Place, convert: Conversion<T>): Evaluation<T[]> {
  if (!isArray(value)) return [convert(value, place)];
  const result: T[] = [];
  let looked = 0;
  expectZeroBased(value, place);
  // Arrays are nested as deep as a recursion in the library made them (Repeat).
  const open: { readonly elements: readonly Thunk[]; next: number }[] = [
    { elements: value.elements, next: 0 },
  ];
  for (let top = open.at(-1); top; top = open.at(-1)) {
    const element = top.elements[top.next++];
    if (!element) {
      open.pop();
      continue;
    }
    // What is looked at counts, not what is found: arrays of empty arrays may double as well.
    checkElementCount(++looked, place);
    const item: Value = yield element.ask();
    if (isArray(item)) {
      expectZeroBased(item, () => originOf(element).span);
      open.push({ elements: item.elements, next: 0 });
    } else {
      result.push(convert(item, () => originOf(element).span));
    }
  }
  return result;
}
