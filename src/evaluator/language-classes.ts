import { expectZeroBased, isArray, wrongType } from "./conversions.js";
import type { Span } from "../diagnostics/source.js";
import { failure } from "./failures.js";
import { formatted } from "./format-value.js";
import { checkTextLength } from "./limits.js";
import { inSteps, type Evaluation } from "./machine.js";
import { asInteger, Parameters } from "./parameters.js";
import { originOf } from "./thunks.js";
import type { Host, NativeClass, Thunk, Value } from "./values.js";

/**
 * The classes behind Print, Fail, Format, Length and the like. They know no networks and belong to the language; the
 * library's functions of those names wrap them.
 */
export function languageClasses(host: Pick<Host, "print">): ReadonlyMap<string, NativeClass> {
  const classes: readonly NativeClass[] = [
    nativeClass("StringFunction", stringFunction),
    nativeClass("NumericFunction", numericFunction),
    nativeClass("CompareFunction", compareFunction),
    nativeClass("PrintAction", (parameters) => printAction(parameters, host)),
    nativeClass("FailAction", failAction),
    // Meant to print and pass on a value, but CNTK's yields an object of no use.
    { name: "Debug", construct: () => ({ kind: "object", type: "Debug" }) },
  ];
  return new Map(classes.map((nativeClass) => [nativeClass.name, nativeClass]));
}

function nativeClass(name: string, body: (parameters: Parameters) => Evaluation): NativeClass {
  return { name, construct: (args, context) => inSteps(body(new Parameters(args, context))) };
}

/** The two arguments of a function that takes an array of two. */
function* pairOf(parameters: Parameters, name: string, problem: string): Evaluation<readonly [Thunk, Thunk]> {
  const value: Value = yield parameters.ask(name);
  if (!isArray(value)) throw wrongType(value, "ConfigArray", parameters.place(name));
  const [first, second, ...more] = value.elements;
  if (!first || !second || more.length > 0) throw failure("argument-count", problem, parameters.place(name));
  return [first, second];
}

function unknownFunction(parameters: Parameters, className: string, what: string): Error {
  const message = `Unknown 'what' value to ${className}: ${what}`;
  return failure("unknown-function", message, parameters.place("what"));
}

function* stringFunction(parameters: Parameters): Evaluation {
  const what = yield* parameters.string("what");
  switch (what) {
    case "Format": {
      const value: Value = yield parameters.ask("arg");
      return yield* formatted(value, yield* parameters.string("how"), parameters.place("how"));
    }
    case "Chr":
      return characterOf(yield* parameters.number("arg"));
    case "Substr":
      return substring(
        yield* parameters.string("arg"),
        yield* parameters.integer("pos"),
        yield* parameters.integer("chars"),
      );
    case "Replace":
      return yield* replaced(parameters);
    default:
      throw unknownFunction(parameters, "StringFunction", what);
  }
}

function characterOf(code: number): string {
  return String.fromCodePoint(Math.min(Math.max(Math.trunc(code) || 0, 0), 0x10ffff));
}

/** A negative begin counts from the end, a negative length means to the end; what lies outside is cut off. */
function substring(text: string, begin: number, length: number): string {
  // CNTK computes without a sign: a begin before the first character is a huge number, hence beyond the end.
  const start = begin < 0 ? text.length + begin : begin;
  if (start < 0) return "";
  return text.slice(start, length < 0 ? undefined : start + length);
}

function* replaced(parameters: Parameters): Evaluation<string> {
  const from = yield* parameters.string("replacewhat");
  // CNTK never returns from this one.
  if (from === "") {
    throw failure("empty-pattern", "Replace: nothing to search for", parameters.place("replacewhat"));
  }
  const text = yield* parameters.string("arg");
  // What stands in its place is not asked for where there is nothing to replace.
  if (!text.includes(from)) return text;
  const to = yield* parameters.string("withwhat");
  const times = text.split(from).length - 1;
  checkTextLength(text.length + times * (to.length - from.length), parameters.context.span);
  return text.replaceAll(from, () => to);
}

function* numericFunction(parameters: Parameters): Evaluation {
  const what = yield* parameters.string("what");
  switch (what) {
    case "Floor":
      return Math.floor(yield* parameters.number("arg"));
    case "Length":
      return lengthOf(yield parameters.ask("arg"), parameters.thunk("arg"));
    case "Mod": {
      const [dividend, divisor] = yield* divisionOperands(parameters);
      return dividend % divisor;
    }
    case "IntDiv": {
      const [dividend, divisor] = yield* divisionOperands(parameters);
      return Math.trunc(dividend / divisor);
    }
    default:
      throw unknownFunction(parameters, "NumericFunction", what);
  }
}

function lengthOf(value: Value, thunk: Thunk): number {
  if (typeof value === "string") return value.length;
  const place = (): Span => originOf(thunk).span;
  if (!isArray(value)) throw wrongType(value, "ConfigArray", place());
  expectZeroBased(value, place);
  return value.elements.length;
}

/** C's integers: the quotient is truncated, the remainder has the sign of the dividend. */
function* divisionOperands(parameters: Parameters): Evaluation<readonly [number, number]> {
  const [left, right] = yield* pairOf(parameters, "args", "Mod/IntDiv expects two arguments");
  const dividend = asInteger(yield left.ask(), () => originOf(left).span);
  const divisor = asInteger(yield right.ask(), () => originOf(right).span);
  // CNTK is killed by the processor here.
  if (divisor === 0) throw failure("division-by-zero", "integer division by zero", originOf(right).span);
  return [dividend, divisor];
}

function* compareFunction(parameters: Parameters): Evaluation {
  const what = yield* parameters.string("what");
  switch (what) {
    case "IsSameObject": {
      const [left, right] = yield* pairOf(parameters, "args", "IsSameObject expects two arguments");
      return isSameObject(yield left.ask(), yield right.ask(), left, right);
    }
    case "IsArray":
      return isArray(yield parameters.ask("args"));
    case "IsDouble":
      return typeof (yield parameters.ask("args")) === "number";
    case "IsBool":
      return typeof (yield parameters.ask("args")) === "boolean";
    default:
      throw unknownFunction(parameters, "CompareFunction", what);
  }
}

/** Identity, not equality: a number is the same object as another only if both names lead to the same expression. */
function isSameObject(a: Value, b: Value, left: Thunk, right: Thunk): boolean {
  return typeof a === "object" ? a === b : a === b && originOf(left) === originOf(right);
}

/** Prints when it is evaluated; a string as it is, anything else formatted. */
function* printAction(parameters: Parameters, host: Pick<Host, "print">): Evaluation {
  host.print(yield* formatted(yield parameters.ask("what")));
  return { kind: "object", type: "PrintAction" };
}

function* failAction(parameters: Parameters): Evaluation {
  const message = yield* parameters.string("what");
  throw failure("user-failure", message, parameters.place("what"));
}
