import type { BinaryOperator, Expression, UnaryOperator } from "../../primitives/expression.js";
import type { ElementType } from "../../numerics/values.js";

/** Operators written out in place; `round` marks results that may need rounding. The others are called by name. */
const unaryCode: Partial<Record<UnaryOperator, { code: (x: string) => string; round: boolean }>> = {
  negate: { code: (x) => `-${x}`, round: false },
  absolute: { code: (x) => `Math.abs(${x})`, round: false },
  rectify: { code: (x) => `(${x} > 0 ? ${x} : 0)`, round: false },
  floor: { code: (x) => `Math.floor(${x})`, round: false },
  exponential: { code: (x) => `Math.exp(${x})`, round: true },
  squareRoot: { code: (x) => `Math.sqrt(${x} > 0 ? ${x} : 0)`, round: true },
  reciprocal: { code: (x) => `(${x} === 0 ? 0 : 1 / ${x})`, round: true },
};

const infix = (symbol: string) => ({ code: (a: string, b: string) => `${a} ${symbol} ${b}`, round: true });
const comparison = (symbol: string) => ({
  code: (a: string, b: string) => `(${a} ${symbol} ${b} ? 1 : 0)`,
  round: false,
});
const binaryCode: Partial<
  Record<BinaryOperator, { code: (a: string, b: string) => string; round: boolean }>
> = {
  add: infix("+"),
  subtract: infix("-"),
  multiply: infix("*"),
  divide: infix("/"),
  maximum: { code: (a, b) => `(${a} > ${b} ? ${a} : ${b})`, round: false },
  minimum: { code: (a, b) => `(${a} < ${b} ? ${a} : ${b})`, round: false },
  less: comparison("<"),
  lessEqual: comparison("<="),
  equal: comparison("==="),
  notEqual: comparison("!=="),
  greater: comparison(">"),
  greaterEqual: comparison(">="),
};

export interface ExpressionCode {
  /** Statements, one operation each; equal operations are carried out once. */
  readonly statements: readonly string[];
  /** Name or literal of the result. */
  readonly result: string;
  /** Statements that fetch the scalars, to be placed before the loops. */
  readonly scalars: readonly string[];
  /** The statement that declares `round`, from `rounding`. Math.fround by name is turned into one machine instruction. */
  readonly rounding: string;
}

/**
 * JavaScript that computes an expression, every operation rounded to the element type. Expects the names in `args` for
 * the arguments and `rounding`, `unary`, `binary` (primitives/scalar-functions), `scalars`.
 */
export function expressionCode(
  expression: Expression,
  args: readonly string[],
  elementType: ElementType,
): ExpressionCode {
  const isFloat = elementType === "float";
  const statements: string[] = [];
  const scalars = new Map<string, string>();
  const known = new Map<string, string>();
  /** The name of a value: a new variable unless the same code has been met. */
  const named = (code: string): string => {
    let name = known.get(code);
    if (!name) {
      name = `t${known.size}`;
      known.set(code, name);
      statements.push(`const ${name} = ${code};`);
    }
    return name;
  };
  const operation = (code: string, round: boolean) => named(round && isFloat ? `round(${code})` : code);
  const emit = (e: Expression): string => {
    switch (e.kind) {
      case "argument": {
        const name = args[e.index];
        if (name === undefined) throw new Error(`the expression has no argument ${e.index}`);
        return name;
      }
      case "constant":
        return numberCode(isFloat ? Math.fround(e.value) : e.value);
      case "scalar": {
        const name = scalars.get(e.name) ?? `s${scalars.size}`;
        scalars.set(e.name, name);
        return name;
      }
      case "unary": {
        const x = emit(e.x);
        const known = unaryCode[e.operator];
        return known
          ? operation(known.code(x), known.round)
          : operation(`unary.${e.operator}(${x}, round)`, true);
      }
      case "binary": {
        const a = emit(e.a);
        const b = emit(e.b);
        const known = binaryCode[e.operator];
        return known
          ? operation(known.code(a, b), known.round)
          : operation(`binary.${e.operator}(${a}, ${b}, round)`, true);
      }
      case "select":
        return named(`${emit(e.test)} !== 0 ? ${emit(e.whenTrue)} : ${emit(e.whenFalse)}`);
      default:
        return e satisfies never;
    }
  };
  const result = emit(expression);
  return {
    statements,
    result,
    rounding: `const round = ${isFloat ? "Math.fround" : "rounding"};`,
    scalars: [...scalars].map(([name, variable]) => `const ${variable} = scalars[${JSON.stringify(name)}];`),
  };
}

/** A number as JavaScript reads it back exactly; parenthesized where a sign could stick to an operator. */
function numberCode(value: number): string {
  if (Object.is(value, -0)) return "(-0)";
  return value < 0 ? `(${value})` : String(value);
}
