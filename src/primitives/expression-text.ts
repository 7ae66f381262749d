import type { Expression } from "./expression.js";

/** How tightly each operator binds; what is not here is written as a call. */
const infix: Partial<Record<string, readonly [symbol: string, level: number]>> = {
  less: ["<", 1],
  lessEqual: ["<=", 1],
  equal: ["=", 1],
  notEqual: ["<>", 1],
  greater: [">", 1],
  greaterEqual: [">=", 1],
  add: ["+", 2],
  subtract: ["-", 2],
  multiply: ["*", 3],
  divide: ["/", 3],
};

/** An expression as a formula over the given argument names; scalars stand in braces: `{learningRate}`. */
export function expressionText(expression: Expression, names: readonly string[]): string {
  const text = (e: Expression, level: number): string => {
    switch (e.kind) {
      case "argument":
        return names[e.index] ?? `#${e.index}`;
      case "constant":
        return String(e.value);
      case "scalar":
        return `{${e.name}}`;
      case "unary":
        return `${e.operator}(${text(e.x, 0)})`;
      case "binary": {
        const operator = infix[e.operator];
        if (!operator) return `${e.operator}(${text(e.a, 0)}, ${text(e.b, 0)})`;
        const [symbol, own] = operator;
        const joined = `${text(e.a, own)} ${symbol} ${text(e.b, own + 1)}`;
        return own < level ? `(${joined})` : joined;
      }
      case "select":
        return `(${text(e.test, 1)} ? ${text(e.whenTrue, 0)} : ${text(e.whenFalse, 0)})`;
      default:
        return e satisfies never;
    }
  };
  return text(expression, 0);
}
