import { CntkError, type CallSite } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import type { Value } from "./values.js";

/** Where something was written; looked for only when there is something to say about it. */
export type Place = () => Span;

/** An error of evaluation, with CNTK's sentence and the place it is about. */
export function failure(code: string, message: string, span: Span, hint?: string): CntkError {
  return new CntkError({ code, message, span, ...(hint !== undefined && { hint }) });
}

/** *expected expression of type 'number'*, and what it was instead. */
export function typeExpected(expected: string, actual: Value | undefined, span: Span): CntkError {
  return new CntkError({
    code: "type-expected",
    message: `expected expression of type '${expected}'`,
    span,
    ...(actual !== undefined && { label: `this is of type '${typeName(actual)}'` }),
  });
}

/** What messages call the type of a value: CNTK's class names, as far as it shows any. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case "number":
      return "Double";
    case "boolean":
      return "Bool";
    case "string":
      return "String";
  }
  switch (value.kind) {
    case "array":
      return "ConfigArray";
    case "record":
      return "ConfigRecord";
    case "function":
      return "ConfigLambda";
    case "object":
      return value.type;
  }
}

/** Steps beyond this are not remembered: recursion may be thousands of calls deep. */
const mostSteps = 100;

/**
 * Notes one more step outward in the chain of evaluation that an error came up through. An error of the host that does
 * not know its place gets this one.
 */
export function addStep(error: CntkError, span: Span, label: string): void {
  // The diagnostic is still being put together while it travels upward, so it may grow here and nowhere else.
  const diagnostic = error.diagnostic as { span?: Span; calls?: CallSite[] };
  if (!diagnostic.span) {
    diagnostic.span = span;
    return;
  }
  const calls = (diagnostic.calls ??= []);
  const previous = calls.at(-1)?.span ?? diagnostic.span;
  if (calls.length >= mostSteps || isSamePlace(previous, span)) return;
  calls.push({ span, label });
}

/** Notes the calls that the failing expression is written inside of; the innermost step knows them first. */
export function noteCallers(error: unknown, callers: () => readonly Span[]): void {
  if (!(error instanceof CntkError)) return;
  const diagnostic = error.diagnostic as { callers?: readonly Span[] };
  diagnostic.callers ??= callers();
}

function isSamePlace(a: Span, b: Span): boolean {
  return a.source === b.source && a.start === b.start && a.end === b.end;
}

/** What the user reads about a recursion without end. */
export function nestedTooDeeply(span: Span | undefined): CntkError {
  return new CntkError({
    code: "nested-too-deeply",
    message: "the expression is nested too deeply",
    ...(span && { span }),
    hint: "a function that calls itself needs an 'if' that ends the recursion",
  });
}
