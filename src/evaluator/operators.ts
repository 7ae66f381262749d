import { CntkError } from "../diagnostics/diagnostic.js";
import { shifted } from "./arrays.js";
import { isArray, isFunction, isRecord } from "./conversions.js";
import { failure, typeName } from "./failures.js";
import { composition } from "./functions.js";
import { checkTextLength } from "./limits.js";
import type { BinaryOperatorName, CallContext, Host, Value } from "./values.js";

/** What CNTK says to `record with record`. */
const withSentence =
  "Inside File: Source/CNTK/BrainScript/BrainScriptEvaluator.cpp  Line: 484  Function: OtherOp  -> Feature Not Implemented.";

/** A binary operator on values that are there: both sides are always evaluated, `&&` and `||` protect nothing. */
export function binaryOperation(
  operator: BinaryOperatorName,
  left: Value,
  right: Value,
  host: Host,
  context: CallContext,
): Value {
  const result = builtIn(operator, left, right, host, context);
  if (result !== undefined) return result;
  throw failure(
    "operator-operands",
    `operator ${operator} cannot be applied to these operands`,
    context.span,
    operandsHint(operator, left, right),
  );
}

function operandsHint(operator: BinaryOperatorName, left: Value, right: Value): string {
  const types = `the operands are of type '${typeName(left)}' and '${typeName(right)}'`;
  return operator === "**" && typeName(left) === "ComputationNode" ? `${types}; a square is x .* x` : types;
}

function builtIn(
  operator: BinaryOperatorName,
  left: Value,
  right: Value,
  host: Host,
  context: CallContext,
): Value | undefined {
  if (typeof left === "number" && typeof right === "number") {
    return arithmetic(operator, left, right) ?? comparison(operator, left, right);
  }
  if (typeof left === "string" && typeof right === "string") {
    return operator === "+" ? joined(left, right, context) : comparison(operator, left, right);
  }
  if (typeof left === "boolean" && typeof right === "boolean") {
    if (operator === "&&") return left && right;
    if (operator === "||") return left || right;
    return comparison(operator, left, right);
  }
  if (isObject(left) || isObject(right)) return host.binary?.(operator, left, right, context);
  if (operator === ">>" && isFunction(left) && isFunction(right)) return composition(left, right);
  if (operator === "<<" && isArray(left) && typeof right === "number")
    return shifted(left, right, context.span);
  if (operator === "with" && isRecord(left) && isRecord(right)) {
    throw new CntkError({
      code: "not-implemented",
      message: `operator with: ${withSentence}`,
      logged: withSentence,
      span: context.span,
    });
  }
  return undefined;
}

function joined(left: string, right: string, { span }: CallContext): string {
  checkTextLength(left.length + right.length, span);
  return left + right;
}

function isObject(value: Value): boolean {
  return typeof value === "object" && value.kind === "object";
}

function arithmetic(operator: BinaryOperatorName, left: number, right: number): number | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right; // C's fmod: the sign of the left operand
    case "**":
      return left ** right;
    default:
      return undefined;
  }
}

/** Strings compare by code unit, false is less than true. */
function comparison<T extends number | string | boolean>(
  operator: BinaryOperatorName,
  left: T,
  right: T,
): boolean | undefined {
  switch (operator) {
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    default:
      return undefined;
  }
}

/** A unary operator on a value that is there; the host gets what is neither a number nor (for `!`) a boolean. */
export function unaryOperation(
  operator: "+" | "-" | "!",
  operand: Value,
  host: Host,
  context: CallContext,
): Value {
  if (operator === "!") {
    if (typeof operand === "boolean") return !operand;
  } else if (typeof operand === "number") {
    return operator === "-" ? -operand : operand;
  }
  const result = host.unary?.(operator, operand, context);
  if (result !== undefined) return result;
  const type = typeName(operand);
  const message = `operator '${operator}' cannot be applied to this operand (which has type ${type})`;
  throw failure("operator-operands", message, context.span);
}
