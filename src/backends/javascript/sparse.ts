import { elementCount } from "../../network/network.js";
import type { Values } from "../../numerics/values.js";
import { roundingOf } from "../../plan/fold-constants.js";
import { binaryFunctions, unaryFunctions } from "../../primitives/scalar-functions.js";
import { operandAt, type KernelCompiler } from "../host/kernel.js";
import { expressionCode } from "./expression-code.js";
import { compileCode } from "./generated-code.js";

/** A sparse or touched value with its zeros. Of a row that a sparse column names twice the last value stands, as in CNTK. */
export const compileToDense: KernelCompiler<"toDense"> = ({ reads, writes }) => {
  const x = operandAt(reads, 0);
  const size = elementCount(writes.dims);
  return (run) => {
    const target = run.view(writes);
    const columns = run.columns(writes.axis);
    if (x.storage !== "sparse") {
      target.set(run.view(x).subarray(0, size * columns));
      return;
    }
    const { values, rows, columnStarts } = run.sparse(x);
    const first = run.firstColumn(x.axis);
    target.fill(0, 0, size * columns);
    for (let c = 0; c < columns; c++) {
      for (let e = columnStarts[first + c]!, end = columnStarts[first + c + 1]!; e < end; e++) {
        target[c * size + rows[e]!] = values[e]!;
      }
    }
  };
};

type MapTouchedFunction = (
  output: Values,
  inputs: readonly Values[],
  from: number,
  end: number,
  scalars: Readonly<Record<string, number>>,
  rounding: (x: number) => number,
  unary: typeof unaryFunctions,
  binary: typeof binaryFunctions,
) => void;

/** expression(touched, x…) in the listed columns; operands are of touched's size or single numbers. */
export const compileMapTouched: KernelCompiler<"mapTouched"> = (
  { reads, writes, parameters },
  { elementType },
) => {
  const touched = operandAt(reads, 0);
  const size = elementCount(touched.dims);
  const loads = reads.map(({ dims }, k) => {
    const count = elementCount(dims);
    if (count !== 1 && count !== size) throw new Error(`operand ${k + 1} of mapTouched has another size`);
    return `const v${k} = inputs[${k}][${count === 1 ? "0" : "i"}];`;
  });
  const code = expressionCode(
    parameters.expression,
    reads.map((_, k) => `v${k}`),
    elementType,
  );
  const compiled = compileCode<MapTouchedFunction>(
    ["output", "inputs", "from", "end", "scalars", "rounding", "unary", "binary"],
    [
      code.rounding,
      ...code.scalars,
      "for (let i = from; i < end; i++) {",
      ...loads,
      ...code.statements,
      `output[i] = ${code.result};`,
      "}",
    ].join("\n"),
  );
  const round = roundingOf(elementType);
  const inputs: Values[] = [];
  return (run) => {
    const from = run.touched(touched);
    const result = run.touched(writes);
    for (let k = 0; k < reads.length; k++) inputs[k] = run.view(reads[k]!);
    // In place the list stays as it is; columns that other operands list as well are not the result's.
    if (result !== from) result.clear();
    for (let i = 0; i < from.count; i++) {
      const column = from.list[i]!;
      if (result !== from) result.touch(column);
      const at = column * from.height;
      compiled(
        result.values,
        inputs,
        at,
        at + from.height,
        run.scalars,
        round,
        unaryFunctions,
        binaryFunctions,
      );
    }
  };
};

/** a + b, listing the columns of both. */
export const compileAddTouched: KernelCompiler<"addTouched"> = ({ reads, writes }) => {
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  return (run) => {
    const result = run.touched(writes);
    const parts = [run.touched(a), run.touched(b)];
    // Where the result is one of the operands, that one's columns are there already.
    const isInPlace = parts.includes(result);
    if (!isInPlace) result.clear();
    for (const { values, list, count, height } of isInPlace
      ? parts.filter((part) => part !== result)
      : parts) {
      for (let i = 0; i < count; i++) {
        const column = list[i]!;
        result.touch(column);
        for (let at = column * height, end = at + height; at < end; at++) result.values[at]! += values[at]!;
      }
    }
  };
};

/** base with the columns that `touched` lists replaced; only these cost anything where the result is base's own memory. */
export const compilePutTouched: KernelCompiler<"putTouched"> = ({ reads, writes }) => {
  const [base, touched] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = elementCount(writes.dims);
  return (run) => {
    const [from, target] = [run.view(base), run.view(writes)];
    if (from !== target) target.set(from.subarray(0, size));
    const { values, list, count, height } = run.touched(touched);
    for (let i = 0; i < count; i++) {
      for (let at = list[i]! * height, end = at + height; at < end; at++) target[at] = values[at]!;
    }
  };
};

/** Sum or mean of the elements in the listed columns, each addition rounded as a variable of the element type rounds. */
export const compileReduceTouched: KernelCompiler<"reduceTouched"> = (
  { reads, writes, parameters },
  { elementType },
) => {
  const x = operandAt(reads, 0);
  const round = roundingOf(elementType);
  return (run) => {
    const { values, list, count, height } = run.touched(x);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      for (let at = list[i]! * height, end = at + height; at < end; at++) sum = round(sum + values[at]!);
    }
    run.view(writes)[0] = parameters.operation === "mean" && count > 0 ? sum / (count * height) : sum;
  };
};
