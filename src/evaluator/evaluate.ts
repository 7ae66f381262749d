import type * as ast from "../../grammar/ast.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Span } from "../diagnostics/source.js";
import { arrayValue, elementOf, listValue } from "./arrays.js";
import { booleanOf, isFunction, isRecord } from "./conversions.js";
import { addStep, failure, isStackOverflow, typeExpected } from "./failures.js";
import { LambdaValue, prepareArguments } from "./functions.js";
import { languageClasses } from "./language-classes.js";
import { binaryOperation, unaryOperation } from "./operators.js";
import { joinPath, operandPath } from "./paths.js";
import { Scope, Step } from "./scope.js";
import { ExpressionThunk, type Interpreter } from "./thunks.js";
import type { Host, NativeClass, RecordValue, Value } from "./values.js";

/**
 * The value of a program: a record whose members are computed when they are asked for.
 *
 * @param scope what the program's names may also refer to, such as the library's record
 */
export function evaluateProgram(program: ast.Program, host: Host, scope?: RecordValue): RecordValue {
  let evaluator = evaluators.get(host);
  if (!evaluator) evaluators.set(host, (evaluator = new Evaluator(host)));
  return evaluator.record(program, scope, "");
}

/** Programs of one host share an evaluator: library and user code call each other, and only one of them is outermost. */
const evaluators = new WeakMap<Host, Evaluator>();

/**
 * Walks the syntax tree. One short method for each kind of expression, as the depth of BrainScript's recursion is
 * bounded by what a step takes of JavaScript's stack.
 */
class Evaluator implements Interpreter {
  private readonly ownClasses: ReadonlyMap<string, NativeClass>;
  depth = 0;
  overflow: Span | undefined;

  constructor(readonly host: Host) {
    this.ownClasses = languageClasses(host);
  }

  evaluate(expression: ast.Expression, scope: Scope, path: string): Value {
    let node = expression;
    // The branches of `if` have its path, so they may take its place.
    for (;;) {
      switch (node.kind) {
        case "number":
        case "string":
        case "boolean":
          return node.value;
        case "identifier":
          return this.identifier(node, scope);
        case "member":
          return this.member(node, scope, path);
        case "call":
          return this.call(node, scope, path);
        case "if": {
          const condition = this.evaluate(node.condition, scope, joinPath(path, "if"));
          if (typeof condition === "object" && condition.kind === "object") {
            return this.objectConditional(node, condition, scope, path);
          }
          node = booleanOf(condition, node.condition.span) ? node.whenTrue : node.whenFalse;
          break;
        }
        case "binary":
          return this.binary(node, scope, path);
        case "unary":
          return this.unary(node, scope, path);
        case "record":
          return this.record(node, scope, path);
        case "lambda":
          return new LambdaValue(this, node, scope, path);
        case "list":
          return listValue(this, node, scope, path);
        case "array":
          return arrayValue(this, node, scope, path);
        case "index":
          return elementOf(this, node, scope, path);
        case "new":
          return this.construction(node, scope, path);
      }
    }
  }

  record(node: ast.RecordExpression, scope: RecordValue | undefined, path: string): Scope {
    const record = new Scope(path, scope, node.span);
    for (const { name, value } of node.members) {
      record.define(name, new ExpressionThunk(this, value, record, joinPath(path, name)));
    }
    return record;
  }

  private identifier(node: ast.Identifier, scope: Scope): Value {
    const thunk = scope.lookup(node.name);
    if (!thunk) throw unknownIdentifier(node.name, node.span, scope);
    try {
      return thunk.force();
    } catch (error) {
      throw this.onItsWay(error, node.span, `'${node.name}' is used`);
    }
  }

  /** The name is looked up in the record and then in the scopes around the record, not around this expression. */
  private member(node: ast.MemberExpression, scope: Scope, path: string): Value {
    const object = this.evaluate(node.object, scope, path);
    try {
      return memberOf(object, node);
    } catch (error) {
      throw this.onItsWay(error, node.span, `'${node.name}' is used`);
    }
  }

  private call(node: ast.CallExpression, scope: Scope, path: string): Value {
    const target = this.evaluate(node.callee, scope, path);
    if (!isFunction(target)) throw typeExpected("function", target, node.callee.span);
    try {
      const { positional, named } = prepareArguments(this, node, target, scope, path);
      const step = new Step(node.callee.span, path, scope);
      // What `target.call` would do, with one JavaScript call less on the stack: that is what bounds recursion.
      if (target instanceof LambdaValue)
        return this.evaluate(target.body, target.enter(positional, named, step), path);
      return target.call(positional, named, step);
    } catch (error) {
      throw this.onItsWay(error, node.callee.span, callLabel(node.callee));
    }
  }

  private binary(node: ast.BinaryExpression, scope: Scope, path: string): Value {
    const left = this.evaluate(node.left, scope, operandPath(path, node.operator, 0));
    const right = this.evaluate(node.right, scope, operandPath(path, node.operator, 1));
    return binaryOperation(node.operator, left, right, this.host, new Step(node.span, path, scope));
  }

  private unary(node: ast.UnaryExpression, scope: Scope, path: string): Value {
    const pathOfOperand = { "+": path, "-": joinPath(path, "_negate"), "!": joinPath(path, "_not") };
    const operand = this.evaluate(node.operand, scope, pathOfOperand[node.operator]);
    return unaryOperation(node.operator, operand, this.host, new Step(node.span, path, scope));
  }

  /** With a node as its condition both branches are evaluated, and the host makes one value of all three. */
  private objectConditional(
    node: ast.IfExpression,
    condition: Parameters<NonNullable<Host["conditional"]>>[0],
    scope: Scope,
    path: string,
  ): Value {
    const whenTrue = this.evaluate(node.whenTrue, scope, joinPath(path, "then"));
    const whenFalse = this.evaluate(node.whenFalse, scope, joinPath(path, "else"));
    const step = new Step(node.span, path, scope);
    const result = this.host.conditional?.(condition, whenTrue, whenFalse, step);
    if (result === undefined) throw typeExpected("boolean", condition, node.condition.span);
    return result;
  }

  private construction(node: ast.NewExpression, scope: Scope, path: string): Value {
    const nativeClass = this.host.classes.get(node.className) ?? this.ownClasses.get(node.className);
    if (!nativeClass) {
      const hint = didYouMean(node.className, [...this.host.classes.keys(), ...this.ownClasses.keys()]);
      throw failure("unknown-class", `unknown runtime type ${node.className}`, node.classSpan, hint);
    }
    const args = this.evaluate(node.argument, scope, nativeClass.restartsPath ? "" : path);
    if (!isRecord(args)) throw typeExpected("record", args, node.argument.span);
    try {
      return nativeClass.construct(args, new Step(node.span, path, scope));
    } catch (error) {
      throw this.onItsWay(error, node.span, `in new ${node.className}`);
    }
  }

  /** Tells an error that passes by where it passed. */
  private onItsWay(error: unknown, span: Span, label: string): unknown {
    if (error instanceof CntkError) addStep(error, span, label);
    else if (isStackOverflow(error)) this.overflow ??= span;
    return error;
  }
}

function memberOf(object: Value, node: ast.MemberExpression): Value {
  if (isRecord(object)) {
    const thunk = object.lookup(node.name);
    if (!thunk) throw unknownIdentifier(node.name, node.span, object);
    return thunk.force();
  }
  if (typeof object !== "object" || object.kind !== "object" || !object.member) {
    throw typeExpected("record", object, node.object.span);
  }
  const value = object.member(node.name);
  if (value === undefined) throw unknownIdentifier(node.name, node.span, undefined);
  return value;
}

function unknownIdentifier(name: string, span: Span, scope: RecordValue | undefined): CntkError {
  const known = scope instanceof Scope ? scope.visibleNames() : (scope?.names ?? []);
  return failure("unknown-identifier", `unknown identifier '${name}'`, span, didYouMean(name, known));
}

function callLabel(callee: ast.Expression): string {
  const named = callee.kind === "identifier" || callee.kind === "member";
  return named ? `in the call of ${callee.name}` : "in the call";
}
