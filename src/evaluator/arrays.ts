import type { ArrayExpression, IndexExpression, ListExpression } from "../../grammar/ast.js";
import type { Span } from "../diagnostics/source.js";
import { expectZeroBased, integerOf, isArray, isFunction, notWhole } from "./conversions.js";
import { failure, typeExpected } from "./failures.js";
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
export function arrayValue(
  interpreter: Interpreter,
  node: ArrayExpression,
  scope: Scope,
  path: string,
): Value {
  const bound = (expression: typeof node.first, name: string) =>
    integerOf(interpreter.evaluate(expression, scope, joinPath(path, name)), expression.span);
  const first = bound(node.first, "array_first");
  const last = bound(node.last, "array_last");
  const initializer = (initializerPath: string): FunctionValue => {
    const value = interpreter.evaluate(node.initializer, scope, initializerPath);
    if (!isFunction(value)) throw typeExpected("function", value, node.initializer.span);
    if (value.positional.length !== 1) {
      const message = "'array' requires an initializer function with one argument (the index)";
      throw failure("array-initializer", message, node.initializer.span);
    }
    return value;
  };
  initializer(joinPath(path, "_initializer"));
  const initializerPath = path === "" ? "" : "_lambda";
  const elements = Array.from({ length: Math.max(0, last - first + 1) }, (_, offset) => {
    const at = elementPath(path, first + offset);
    const index = readyThunk(first + offset, node.span, path);
    return new ComputedThunk(interpreter, node.initializer.span, at, () =>
      initializer(initializerPath).call([index], new Map(), new Step(node.initializer.span, at, scope)),
    );
  });
  return makeArray(elements, first);
}

/** `array[index]` */
export function elementOf(
  interpreter: Interpreter,
  node: IndexExpression,
  scope: Scope,
  path: string,
): Value {
  const array = interpreter.evaluate(node.array, scope, joinPath(path, "_vector"));
  if (!isArray(array)) throw typeExpected("array", array, node.array.span);
  const index = integerOf(interpreter.evaluate(node.index, scope, joinPath(path, "_index")), node.index.span);
  const element = array.elements[index - array.first];
  if (element) return element.force();
  const last = array.first + array.elements.length - 1;
  const message = `Index ${index} out of bounds [${array.first}..${last}].`;
  throw failure("index-out-of-bounds", message, node.index.span);
}

/** `array << count`: the array without its first elements; empty if there are not that many. */
export function shifted(array: ArrayValue, count: number, span: Span): ArrayValue {
  if (!Number.isInteger(count) || count < 0) throw notWhole(count, span);
  expectZeroBased(array, span);
  return makeArray(array.elements.slice(count));
}
