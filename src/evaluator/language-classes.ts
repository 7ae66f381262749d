import {
  expectZeroBased,
  integerParameter,
  isArray,
  numberParameter,
  requiredParameter,
  stringParameter,
  wrongType,
} from "./conversions.js";
import { failure } from "./failures.js";
import { formatValue } from "./format-value.js";
import { originOf } from "./thunks.js";
import type { CallContext, Host, NativeClass, RecordValue, Thunk, Value } from "./values.js";

/**
 * The classes behind Print, Fail, Format, Length and the like. They know no networks and belong to the language; the
 * library's functions of those names wrap them.
 */
export function languageClasses(host: Pick<Host, "print">): ReadonlyMap<string, NativeClass> {
  const classes: readonly NativeClass[] = [
    { name: "StringFunction", construct: (args, at) => stringFunction(new Parameters(args, at)) },
    { name: "NumericFunction", construct: (args, at) => numericFunction(new Parameters(args, at)) },
    { name: "CompareFunction", construct: (args, at) => compareFunction(new Parameters(args, at)) },
    { name: "PrintAction", construct: (args, at) => printAction(new Parameters(args, at), host) },
    { name: "FailAction", construct: (args, at) => failAction(new Parameters(args, at)) },
    // Meant to print and pass on a value, but CNTK's yields an object of no use.
    { name: "Debug", construct: () => ({ kind: "object", type: "Debug" }) },
  ];
  return new Map(classes.map((nativeClass) => [nativeClass.name, nativeClass]));
}

class Parameters {
  constructor(
    private readonly record: RecordValue,
    private readonly context: CallContext,
  ) {}

  get(name: string): Thunk {
    return requiredParameter(this.record, name, this.context);
  }

  text(name: string): string {
    return stringParameter(this.get(name));
  }

  integer(name: string): number {
    return integerParameter(this.get(name));
  }

  /** The two arguments of a function that takes an array of two. */
  pair(name: string, problem: string): readonly [Thunk, Thunk] {
    const thunk = this.get(name);
    const value = thunk.force();
    if (!isArray(value)) throw wrongType(value, "ConfigArray", thunk);
    const [first, second, ...more] = value.elements;
    if (!first || !second || more.length > 0) throw failure("argument-count", problem, originOf(thunk).span);
    return [first, second];
  }

  unknownFunction(className: string): Error {
    const what = this.get("what");
    const message = `Unknown 'what' value to ${className}: ${stringParameter(what)}`;
    return failure("unknown-function", message, originOf(what).span);
  }
}

function stringFunction(parameters: Parameters): Value {
  switch (parameters.text("what")) {
    case "Format": {
      const how = parameters.get("how");
      return formatValue(parameters.get("arg").force(), stringParameter(how), originOf(how).span);
    }
    case "Chr":
      return characterOf(numberParameter(parameters.get("arg")));
    case "Substr":
      return substring(parameters.text("arg"), parameters.integer("pos"), parameters.integer("chars"));
    case "Replace":
      return replaced(parameters);
    default:
      throw parameters.unknownFunction("StringFunction");
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

function replaced(parameters: Parameters): string {
  const what = parameters.get("replacewhat");
  const from = stringParameter(what);
  // CNTK never returns from this one.
  if (from === "") throw failure("empty-pattern", "Replace: nothing to search for", originOf(what).span);
  return parameters.text("arg").replaceAll(from, () => parameters.text("withwhat"));
}

function numericFunction(parameters: Parameters): Value {
  switch (parameters.text("what")) {
    case "Floor":
      return Math.floor(numberParameter(parameters.get("arg")));
    case "Length":
      return lengthOf(parameters.get("arg"));
    case "Mod": {
      const [dividend, divisor] = divisionOperands(parameters);
      return dividend % divisor;
    }
    case "IntDiv": {
      const [dividend, divisor] = divisionOperands(parameters);
      return Math.trunc(dividend / divisor);
    }
    default:
      throw parameters.unknownFunction("NumericFunction");
  }
}

function lengthOf(thunk: Thunk): number {
  const value = thunk.force();
  if (typeof value === "string") return value.length;
  if (!isArray(value)) throw wrongType(value, "ConfigArray", thunk);
  expectZeroBased(value, originOf(thunk).span);
  return value.elements.length;
}

/** C's integers: the quotient is truncated, the remainder has the sign of the dividend. */
function divisionOperands(parameters: Parameters): readonly [number, number] {
  const [left, right] = parameters.pair("args", "Mod/IntDiv expects two arguments");
  const dividend = integerParameter(left);
  const divisor = integerParameter(right);
  // CNTK is killed by the processor here.
  if (divisor === 0) throw failure("division-by-zero", "integer division by zero", originOf(right).span);
  return [dividend, divisor];
}

function compareFunction(parameters: Parameters): Value {
  switch (parameters.text("what")) {
    case "IsSameObject":
      return isSameObject(...parameters.pair("args", "IsSameObject expects two arguments"));
    case "IsArray":
      return isArray(parameters.get("args").force());
    case "IsDouble":
      return typeof parameters.get("args").force() === "number";
    case "IsBool":
      return typeof parameters.get("args").force() === "boolean";
    default:
      throw parameters.unknownFunction("CompareFunction");
  }
}

/** Identity, not equality: a number is the same object as another only if both names lead to the same expression. */
function isSameObject(left: Thunk, right: Thunk): boolean {
  const a = left.force();
  const b = right.force();
  return typeof a === "object" ? a === b : a === b && originOf(left) === originOf(right);
}

/** Prints when it is evaluated; a string as it is, anything else formatted. */
function printAction(parameters: Parameters, host: Pick<Host, "print">): Value {
  host.print(formatValue(parameters.get("what").force()));
  return { kind: "object", type: "PrintAction" };
}

function failAction(parameters: Parameters): Value {
  const what = parameters.get("what");
  throw failure("user-failure", stringParameter(what), originOf(what).span);
}
