import type { BinaryOperator, Expression, UnaryOperator } from "../../../primitives/expression.js";
import { binaryFunctions, unaryFunctions } from "../../../primitives/scalar-functions.js";
import type { LoopAxis } from "../layout.js";
import { generate } from "./generated.js";
import { writeLoops } from "./loops.js";

/** Run-time numbers by name, doubles. */
export type Scalars = Readonly<Record<string, number>>;

/** Fills `output` from `inputs`; `samples` turns of the per-sample loop. */
export type ElementwiseFunction = (
  samples: number,
  scalars: Scalars,
  output: Float32Array,
  inputs: readonly Float32Array[],
) => void;

/** Operators that JavaScript spells itself; the others are called. They mean the same as in scalar-functions.ts. */
const inlineUnary: Partial<Record<UnaryOperator, (x: string) => string>> = {
  negate: (x) => `-${x}`,
  absolute: (x) => `Math.abs(${x})`,
  exponential: (x) => `Math.exp(${x})`,
  squareRoot: (x) => `Math.sqrt(${x} > 0 ? ${x} : 0)`,
  reciprocal: (x) => `(${x} === 0 ? 0 : 1 / ${x})`,
  floor: (x) => `Math.floor(${x})`,
  sigmoid: (x) => `1 / fround(1 + fround(Math.exp(-${x})))`,
  hyperbolicTangent: (x) => `Math.tanh(${x})`,
  rectify: (x) => `(${x} > 0 ? ${x} : 0)`,
};

const inlineBinary: Partial<Record<BinaryOperator, (a: string, b: string) => string>> = {
  add: (a, b) => `${a} + ${b}`,
  subtract: (a, b) => `${a} - ${b}`,
  multiply: (a, b) => `${a} * ${b}`,
  divide: (a, b) => `${a} / ${b}`,
  maximum: (a, b) => `(${a} > ${b} ? ${a} : ${b})`,
  minimum: (a, b) => `(${a} < ${b} ? ${a} : ${b})`,
  less: (a, b) => `(${a} < ${b} ? 1 : 0)`,
  lessEqual: (a, b) => `(${a} <= ${b} ? 1 : 0)`,
  equal: (a, b) => `(${a} === ${b} ? 1 : 0)`,
  notEqual: (a, b) => `(${a} !== ${b} ? 1 : 0)`,
  greater: (a, b) => `(${a} > ${b} ? 1 : 0)`,
  greaterEqual: (a, b) => `(${a} >= ${b} ? 1 : 0)`,
};

/** Results that need no rounding: 0, 1, or one of the operands. */
const exactUnary = new Set<UnaryOperator>(["negate", "absolute", "rectify", "floor", "sign"]);
const exactBinary = new Set<BinaryOperator>(
  (Object.keys(inlineBinary) as BinaryOperator[]).filter(
    (operator) => !["add", "subtract", "multiply", "divide"].includes(operator),
  ),
);

/** A literal that JavaScript reads back as the same double. */
function literal(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Object.is(value, -0)) return "(-0)";
  return value < 0 ? `(${value})` : String(value);
}

/** Writes the statements that compute an expression, each operator once, rounding each result to float. */
class ExpressionWriter {
  /** Statements that depend on no input: computed once per run. */
  readonly outer: string[] = [];
  /** Statements of the innermost loop. */
  readonly inner: string[] = [];
  private readonly written = new Map<Expression, { readonly text: string; readonly varies: boolean }>();
  private readonly read = new Map<number, string>();
  private count = 0;

  /** `element(i)` is the text that reads input i in the innermost loop. */
  constructor(private readonly element: (input: number) => string) {}

  write(expression: Expression): { readonly text: string; readonly varies: boolean } {
    const known = this.written.get(expression);
    if (known) return known;
    const result = this.compute(expression);
    this.written.set(expression, result);
    return result;
  }

  private compute(expression: Expression): { readonly text: string; readonly varies: boolean } {
    switch (expression.kind) {
      case "argument": {
        let name = this.read.get(expression.index);
        if (!name) {
          name = this.assign(this.element(expression.index), true);
          this.read.set(expression.index, name);
        }
        return { text: name, varies: true };
      }
      case "constant":
        return { text: literal(Math.fround(expression.value)), varies: false };
      case "scalar":
        return {
          text: this.assign(`fround(scalar(scalars, ${JSON.stringify(expression.name)}))`, false),
          varies: false,
        };
      case "unary": {
        const x = this.write(expression.x);
        const inline = inlineUnary[expression.operator];
        const text = inline ? inline(x.text) : `unary.${expression.operator}(${x.text}, fround)`;
        return this.rounded(text, exactUnary.has(expression.operator), x.varies);
      }
      case "binary": {
        const a = this.write(expression.a);
        const b = this.write(expression.b);
        const inline = inlineBinary[expression.operator];
        const text = inline
          ? inline(a.text, b.text)
          : `binary.${expression.operator}(${a.text}, ${b.text}, fround)`;
        return this.rounded(text, exactBinary.has(expression.operator), a.varies || b.varies);
      }
      case "select": {
        const test = this.write(expression.test);
        const whenTrue = this.write(expression.whenTrue);
        const whenFalse = this.write(expression.whenFalse);
        return this.rounded(
          `${test.text} !== 0 ? ${whenTrue.text} : ${whenFalse.text}`,
          true,
          test.varies || whenTrue.varies || whenFalse.varies,
        );
      }
    }
  }

  private rounded(
    text: string,
    exact: boolean,
    varies: boolean,
  ): { readonly text: string; readonly varies: boolean } {
    return { text: this.assign(exact ? text : `fround(${text})`, varies), varies };
  }

  private assign(text: string, varies: boolean): string {
    const name = `v${this.count++}`;
    (varies ? this.inner : this.outer).push(`const ${name} = ${text};`);
    return name;
  }
}

function readScalar(scalars: Scalars, name: string): number {
  const value = scalars[name];
  if (value === undefined) throw new Error(`The plan reads the scalar '${name}', which was not given.`);
  return value;
}

/**
 * Compiles an expression to one JavaScript function over float arrays; operand 0 of the nest is the output, operand
 * 1 + i input i. Fusing keeps intermediate results in registers, where tfjs would make a tensor of each.
 */
export function compileElementwise(
  expression: Expression,
  nest: readonly LoopAxis[],
  inputCount: number,
): ElementwiseFunction {
  const depth = nest.length;
  const position = (name: string) => (depth === 0 ? "0" : `${name}_${depth}`);
  const writer = new ExpressionWriter((input) => `a${input}[${position(`p${input}`)}]`);
  const result = writer.write(expression);
  const names = ["o", ...Array.from({ length: inputCount }, (_, i) => `p${i}`)];
  const body = [...writer.inner, `output[${position("o")}] = ${result.text};`];
  return generate<ElementwiseFunction>(
    ["samples", "scalars", "output", "inputs"],
    [
      ...Array.from({ length: inputCount }, (_, i) => `const a${i} = inputs[${i}];`),
      ...writer.outer,
      ...writeLoops(nest, names, body),
    ],
    { fround: Math.fround, unary: unaryFunctions, binary: binaryFunctions, scalar: readScalar },
  );
}
