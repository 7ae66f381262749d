import { argument, constant, type Expression } from "../primitives/expression.js";
import { binaryFunctions, unaryFunctions } from "../primitives/scalar-functions.js";
import type { InstructionOf } from "../primitives/instruction.js";
import type { ElementType } from "../numerics/values.js";

/** The function that rounds a double to a number of the element type. */
export function roundingOf(elementType: ElementType): (x: number) => number {
  return elementType === "float" ? Math.fround : (x) => x;
}

/** The same expression with operations on constants carried out, each rounded to the element type as at run time. */
export function foldConstants(expression: Expression, elementType: ElementType): Expression {
  const round = roundingOf(elementType);
  const fold = (e: Expression): Expression => {
    switch (e.kind) {
      case "argument":
      case "scalar":
        return e;
      case "constant":
        return constant(round(e.value));
      case "unary": {
        const x = fold(e.x);
        return x.kind === "constant"
          ? constant(round(unaryFunctions[e.operator](x.value, round)))
          : { ...e, x };
      }
      case "binary": {
        const a = fold(e.a);
        const b = fold(e.b);
        return a.kind === "constant" && b.kind === "constant"
          ? constant(round(binaryFunctions[e.operator](a.value, b.value, round)))
          : { ...e, a, b };
      }
      case "select": {
        const test = fold(e.test);
        const whenTrue = fold(e.whenTrue);
        const whenFalse = fold(e.whenFalse);
        if (test.kind === "constant") return test.value !== 0 ? whenTrue : whenFalse;
        return { kind: "select", test, whenTrue, whenFalse };
      }
      default:
        return e satisfies never;
    }
  };
  return fold(expression);
}

/**
 * A map without the operands that its expression does not look at (they live shorter then).
 */
export function withoutUnusedInputs(instruction: InstructionOf<"map">): InstructionOf<"map"> {
  const numbers = new Map<number, number>();
  const renumber = (e: Expression): Expression => {
    switch (e.kind) {
      case "argument": {
        const index = numbers.get(e.index) ?? numbers.size;
        numbers.set(e.index, index);
        return argument(index);
      }
      case "constant":
      case "scalar":
        return e;
      case "unary":
        return { ...e, x: renumber(e.x) };
      case "binary":
        return { ...e, a: renumber(e.a), b: renumber(e.b) };
      case "select":
        return {
          kind: "select",
          test: renumber(e.test),
          whenTrue: renumber(e.whenTrue),
          whenFalse: renumber(e.whenFalse),
        };
      default:
        return e satisfies never;
    }
  };
  const expression = renumber(instruction.parameters.expression);
  const reads = [...numbers.keys()].flatMap((index) => instruction.reads[index] ?? []);
  return { ...instruction, reads, parameters: { expression } };
}
