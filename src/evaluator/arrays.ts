import type { ArrayExpression, IndexExpression, ListExpression } from "../../grammar/ast.js";
import type { Span } from "../diagnostics/source.js";
import { expectZeroBased, integerOf, isArray, isFunction, notWhole } from "./conversions.js";
import { failure, typeExpected } from "./failures.js";
import { checkElementCount } from "./limits.js";
import { inSteps, type Answer, type Evaluation } from "./machine.js";
import { elementPath, itemPath, joinPath } from "./paths.js";
import { Step, type Scope } from "./scope.js";
import { ComputedThunk, ExpressionThunk, readyThunk, type Interpreter } from "./thunks.js";
import type { ArrayValue, FunctionValue, Thunk, Value } from "./values.js";

/** An array of elements that are there or will be computed. */
export function makeArray(elements: readonly Thunk[], first = 0): ArrayValue {
  return { kind: "array", first, elements };
}

/** `a:b:c` */
export function listValue(interpreter: Interpreter, list: ListExpression, scope: Scope, path: string): Value {
  return makeArray(
    list.items.map((item, index) => new ExpressionThunk(interpreter, item, scope, itemPath(path, index))),
  );
}

/**
 * `array[first..last](initializer)`. Elements are thunks of their own, so an element may use others. The initializer
 * expression is evaluated anew for each of them: if it creates something, each element gets its own.
 */
export function* arrayValue(
  interpreter: Interpreter,
  node: ArrayExpression,
  scope: Scope,
  path: string,
): Evaluation {
  const first = integerOf(
    yield interpreter.evaluate(node.first, scope, joinPath(path, "array_first")),
    node.first.span,
  );
  const last = integerOf(
    yield interpreter.evaluate(node.last, scope, joinPath(path, "array_last")),
    node.last.span,
  );
  function* initializer(initializerPath: string): Evaluation<FunctionValue> {
    const value: Value = yield interpreter.evaluate(node.initializer, scope, initializerPath);
    if (!isFunction(value)) throw typeExpected("function", value, node.initializer.span);
    if (value.positional.length !== 1) {
      const message = "'array' requires an initializer function with one argument (the index)";
      throw failure("array-initializer", message, node.initializer.span);
    }
    return value;
  }
  yield* initializer(joinPath(path, "_initializer"));
  const initializerPath = path === "" ? "" : "_lambda";
  function* element(index: number, at: string): Evaluation {
    const target = yield* initializer(initializerPath);
    const argument = readyThunk(index, node.span, path);
    return target.call([argument], new Map(), new Step(node.initializer.span, at, scope));
  }
  checkElementCount(last - first + 1, () => node.span);
  const elements = Array.from({ length: Math.max(0, last - first + 1) }, (_, offset) => {
    const index = first + offset;
    const at = elementPath(path, index);
    return new ComputedThunk(interpreter, node.initializer.span, at, () => inSteps(element(index, at)));
  });
  return makeArray(elements, first);
}

/** `array[index]` */
export function elementOf(array: Value, at: Value, node: IndexExpression): Answer {
  if (!isArray(array)) throw typeExpected("array", array, node.array.span);
  const index = integerOf(at, node.index.span);
  // CNTK compares the index as a size, so what stands before 0 is never found (ScriptableObjects.h, ConfigArray::At).
  const element = index < 0 ? undefined : array.elements[index - array.first];
  if (element) return element.ask();
  const last = array.first + array.elements.length - 1;
  const message = `Index ${index} out of bounds [${array.first}..${last}].`;
  throw failure("index-out-of-bounds", message, node.index.span);
}

/** `array[index]` whose parts are computed first. */
export function* elementLater(
  interpreter: Interpreter,
  node: IndexExpression,
  scope: Scope,
  path: string,
): Evaluation {
  const array: Value = yield interpreter.evaluate(node.array, scope, joinPath(path, "_vector"));
  // Nothing can be wanted of what is no array.
  if (!isArray(array)) throw typeExpected("array", array, node.array.span);
  return elementOf(array, yield interpreter.evaluate(node.index, scope, joinPath(path, "_index")), node);
}

/** `array << count`: the array without its first elements; empty if there are not that many. */
export function shifted(array: ArrayValue, count: number, span: Span): ArrayValue {
  if (!Number.isInteger(count) || count < 0) throw notWhole(count, span);
  expectZeroBased(array, () => span);
  return makeArray(array.elements.slice(count));
}
