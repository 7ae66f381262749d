import type { BinaryOperator, Expression, UnaryOperator } from "../../../primitives/expression.js";
import { binaryFunctions, unaryFunctions } from "../../../primitives/scalar-functions.js";
import type { LoopAxis } from "../layout.js";
import {
  f32,
  FunctionWriter,
  i32,
  v128,
  type ImportedFunction,
  type Opcode,
  type WasmMemory,
} from "./assembler.js";
import { LoopWriter } from "./loops.js";

/** How many numbers a piece of code treats at once: all four lanes, or only the first. */
type Lanes = 4 | 1;

/** A value in the making: a local, and whether it differs from element to element. */
interface Computed {
  readonly local: number;
  readonly varies: boolean;
}

const comparisons: Partial<Record<BinaryOperator, Opcode>> = {
  less: "f32x4.lt",
  lessEqual: "f32x4.le",
  equal: "f32x4.eq",
  notEqual: "f32x4.ne",
  greater: "f32x4.gt",
  greaterEqual: "f32x4.ge",
};

const arithmetic: Partial<Record<BinaryOperator, Opcode>> = {
  add: "f32x4.add",
  subtract: "f32x4.sub",
  multiply: "f32x4.mul",
  divide: "f32x4.div",
};

const simpleUnary: Partial<Record<UnaryOperator, Opcode>> = {
  negate: "f32x4.neg",
  absolute: "f32x4.abs",
  floor: "f32x4.floor",
};

const called = new Map<string, ImportedFunction>();

/** A function that WebAssembly has no instruction for, as the float it rounds to. */
function functionOf(kind: "unary" | "binary", operator: UnaryOperator | BinaryOperator): ImportedFunction {
  const key = `${kind} ${operator}`;
  let imported = called.get(key);
  if (!imported) {
    const unary = unaryFunctions[operator as UnaryOperator];
    const binary = binaryFunctions[operator as BinaryOperator];
    imported =
      kind === "unary"
        ? { arity: 1, call: operator === "exponential" ? Math.exp : (x = NaN) => unary(x, Math.fround) }
        : { arity: 2, call: (a = NaN, b = NaN) => binary(a, b, Math.fround) };
    called.set(key, imported);
  }
  return imported;
}

/** Names of the scalars of an expression, each once. */
export function scalarNames(expression: Expression, names: string[] = []): string[] {
  switch (expression.kind) {
    case "scalar":
      if (!names.includes(expression.name)) names.push(expression.name);
      break;
    case "unary":
      scalarNames(expression.x, names);
      break;
    case "binary":
      scalarNames(expression.a, names);
      scalarNames(expression.b, names);
      break;
    case "select":
      scalarNames(expression.test, names);
      scalarNames(expression.whenTrue, names);
      scalarNames(expression.whenFalse, names);
      break;
    default:
  }
  return names;
}

/**
 * Writes an expression as vector instructions. Each is rounded to float by itself, which is what the vocabulary asks
 * for: sums, products, quotients and roots of floats come out the same as in double and then rounded.
 */
class ExpressionWriter {
  private readonly known = new Map<Expression, Computed>();

  constructor(
    private readonly writer: FunctionWriter,
    private readonly lanes: Lanes,
    /** Locals with the inputs' current numbers, and which of them stand still. */
    private readonly inputs: readonly Computed[],
    private readonly scalars: ReadonlyMap<string, number>,
    /** What is the same for all elements, written before the loops; null while that is being written. */
    private readonly constants: ExpressionWriter | null,
  ) {}

  /** The local that holds the expression's value, or null if it varies and this writer is for constants. */
  write(expression: Expression): Computed {
    const outside = this.constants?.known.get(expression);
    if (outside) return outside;
    let computed = this.known.get(expression);
    if (!computed) {
      computed = this.compute(expression);
      this.known.set(expression, computed);
    }
    return computed;
  }

  /** Writes all parts that do not depend on an input. */
  writeConstants(expression: Expression): boolean {
    const parts =
      expression.kind === "unary"
        ? [expression.x]
        : expression.kind === "binary"
          ? [expression.a, expression.b]
          : expression.kind === "select"
            ? [expression.test, expression.whenTrue, expression.whenFalse]
            : [];
    const constant = parts.map((part) => this.writeConstants(part)).every(Boolean);
    if (expression.kind === "argument" || !constant) return false;
    this.write(expression);
    return true;
  }

  private compute(expression: Expression): Computed {
    const { writer } = this;
    switch (expression.kind) {
      case "argument":
        return this.inputs[expression.index] as Computed;
      case "constant":
        writer.vector(expression.value);
        return this.keep(false);
      case "scalar":
        writer.get(this.scalars.get(expression.name) as number).op("f32x4.splat");
        return this.keep(false);
      case "unary": {
        const x = this.write(expression.x);
        this.unary(expression.operator, x.local);
        return this.keep(x.varies);
      }
      case "binary": {
        const a = this.write(expression.a);
        const b = this.write(expression.b);
        this.binary(expression.operator, a.local, b.local);
        return this.keep(a.varies || b.varies);
      }
      case "select": {
        const { test } = expression;
        const comparison = test.kind === "binary" ? comparisons[test.operator] : undefined;
        const whenTrue = this.write(expression.whenTrue);
        const whenFalse = this.write(expression.whenFalse);
        let varies = whenTrue.varies || whenFalse.varies;
        if (comparison && test.kind === "binary") {
          // The comparison's mask itself, without the detour over 1 and 0.
          const a = this.write(test.a);
          const b = this.write(test.b);
          writer.get(whenTrue.local).get(whenFalse.local).get(a.local).get(b.local).op(comparison);
          varies ||= a.varies || b.varies;
        } else {
          const value = this.write(test);
          writer.get(whenTrue.local).get(whenFalse.local).get(value.local).vector(0).op("f32x4.ne");
          varies ||= value.varies;
        }
        writer.op("v128.bitselect");
        return this.keep(varies);
      }
    }
  }

  private keep(varies: boolean): Computed {
    const local = this.writer.local(v128);
    this.writer.set(local);
    return { local, varies };
  }

  private unary(operator: UnaryOperator, x: number): void {
    const { writer } = this;
    const simple = simpleUnary[operator];
    if (simple) {
      writer.get(x).op(simple);
      return;
    }
    switch (operator) {
      case "rectify":
        writer.vector(0).get(x).op("f32x4.pmax");
        return;
      case "squareRoot":
        writer.vector(0).get(x).op("f32x4.pmax", "f32x4.sqrt");
        return;
      case "reciprocal":
        writer.vector(0).vector(1).get(x).op("f32x4.div").get(x).vector(0).op("f32x4.eq", "v128.bitselect");
        return;
      case "sigmoid": {
        writer.get(x).op("f32x4.neg");
        const negative = this.keep(true).local;
        this.callPerLane(functionOf("unary", "exponential"), [negative]);
        const power = this.keep(true).local;
        writer.vector(1).vector(1).get(power).op("f32x4.add", "f32x4.div");
        return;
      }
      default:
        this.callPerLane(functionOf("unary", operator), [x]);
    }
  }

  private binary(operator: BinaryOperator, a: number, b: number): void {
    const { writer } = this;
    const simple = arithmetic[operator];
    const comparison = comparisons[operator];
    if (simple) writer.get(a).get(b).op(simple);
    else if (comparison) writer.get(a).get(b).op(comparison).vector(1).op("v128.and");
    else if (operator === "maximum") writer.get(b).get(a).op("f32x4.pmax");
    else if (operator === "minimum") writer.get(b).get(a).op("f32x4.pmin");
    else this.callPerLane(functionOf("binary", operator), [a, b]);
  }

  private callPerLane(imported: ImportedFunction, values: readonly number[]): void {
    const { writer } = this;
    const result = writer.local(v128);
    writer.vector(0).set(result);
    for (let lane = 0; lane < this.lanes; lane++) {
      writer.get(result);
      for (const value of values) writer.get(value).extractFloat(lane).op("f64.promote_f32");
      writer.call(imported).op("f32.demote_f64").replaceFloat(lane).set(result);
    }
    writer.get(result);
  }
}

/** Called with the number of samples, byte addresses of output and inputs, then the scalars. */
export type NativeElementwise = (...values: number[]) => void;

/**
 * Compiles an expression to WebAssembly on `memory`: parameters are the number of samples, the addresses of the output and
 * the inputs, and the scalars in the order of `scalarNames`. Operand 0 of the nest is the output.
 */
export function compileNativeElementwise(
  memory: WasmMemory,
  expression: Expression,
  nest: readonly LoopAxis[],
  inputCount: number,
): NativeElementwise {
  const names = scalarNames(expression);
  const operands = 1 + inputCount;
  const writer = new FunctionWriter([
    i32,
    ...Array.from({ length: operands }, () => i32 as typeof i32),
    ...names.map(() => f32 as typeof f32),
  ]);
  const scalars = new Map(names.map((name, i) => [name, 1 + operands + i]));
  const constants = new ExpressionWriter(writer, 4, [], scalars, null);
  constants.writeConstants(expression);

  const loops = new LoopWriter(
    writer,
    nest,
    0,
    Array.from({ length: operands }, (_, i) => 1 + i),
  );
  loops.write((inner, pointers) => {
    const still = pointers.map((_, k) => !inner || inner.strides[k] === 0);
    // Inputs that stand still along the innermost loop are read once.
    const fixed = pointers.map((pointer, k) => {
      if (k === 0 || !still[k]) return null;
      const local = writer.local(v128);
      writer.get(pointer).load("v128.load32_splat").set(local);
      return local;
    });
    const element = (lanes: Lanes) => {
      const inputs = pointers.slice(1).map((pointer, i): Computed => {
        const known = fixed[i + 1];
        if (known !== null && known !== undefined) return { local: known, varies: true };
        const local = writer.local(v128);
        writer
          .get(pointer)
          .load(lanes === 4 ? "v128.load" : "v128.load32_zero")
          .set(local);
        return { local, varies: true };
      });
      const body = new ExpressionWriter(writer, lanes, inputs, scalars, constants);
      const result = body.write(expression).local;
      writer.get(pointers[0] as number).get(result);
      if (lanes === 4) writer.store("v128.store");
      else writer.storeLane0();
    };
    loops.innermost(inner, pointers, element);
  });
  return writer.instantiate(memory);
}
