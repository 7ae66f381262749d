import { call, i32, local } from "wasmati";
import type { Operand } from "../../../primitives/instruction.js";
import { operandAt } from "../../host/kernel.js";
import { define, variable, type Routine } from "../emit/function.js";
import { when } from "../emit/loops.js";
import { innerProduct } from "./inner-product.js";
import {
  address,
  columns,
  gaps,
  number,
  room,
  type Argument,
  type WasmCompiler,
  type WasmContext,
} from "./kernel.js";
import { outerProduct } from "./outer-product.js";
import { samplesTogether } from "./samples.js";

/**
 * writes = op(a)·op(b). a·b and a·bᵀ add up columns of a (outer-product.ts), aᵀ·b multiplies columns with columns
 * (inner-product.ts). Where a dynamic axis with gaps is contracted, its samples are put together first.
 */
export const compileMatmul: WasmCompiler<"matmul"> = ({ reads, writes, parameters }, context) => {
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  const { transposeA, transposeB } = parameters;
  if (b.storage !== "dense" || writes.storage !== "dense" || (transposeA && transposeB)) return undefined;
  const [aRows = 1, aColumns = 1] = a.dims;
  const [bRows = 1, bColumns = 1] = b.dims;
  const result = address(writes);
  if (transposeA) {
    const sizes = [columns(a.axis, aColumns), columns(b.axis, bColumns), number(aRows)];
    return [{ routine: innerProduct(context), arguments: [address(a), address(b), result, ...sizes] }];
  }
  const { bytes } = context.lanes;
  if (!transposeB) {
    const sizes = [number(aRows), columns(b.axis, bColumns), columns(a.axis, aColumns)];
    const steps = [number(aRows * bytes), number(bytes), number(bRows * bytes)];
    return [
      { routine: outerProduct(context), arguments: [address(a), address(b), result, ...sizes, ...steps] },
    ];
  }
  const steps = [number(aRows * bytes), number(bRows * bytes), number(bytes)];
  const sizes = [number(aRows), number(bRows), columns(b.axis, bColumns)];
  if (b.axis === null || a.axis !== b.axis) {
    return [
      { routine: outerProduct(context), arguments: [address(a), address(b), result, ...sizes, ...steps] },
    ];
  }
  return [
    {
      routine: productOfSamples(context, bColumns),
      arguments: [address(a), address(b), result, ...sizes, ...steps, ...samplesOf(a, b, bytes)],
    },
  ];
};

function samplesOf(a: Operand, b: Operand, bytes: number): Argument[] {
  const size = ({ dims }: Operand) => dims.reduce((product, dim) => product * dim, 1) * bytes;
  return [gaps(b.axis), columns(b.axis), room(0, size(a), b.axis), room(1, size(b), b.axis)];
}

/** The same product over the columns that are no gaps: (…, gaps, columns, roomForA, roomForB), k without the gaps. */
function productOfSamples(context: WasmContext, columnsEach: number): Routine {
  return context.routine(`product of samples ${columnsEach}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([a, b, c, m, n, k, aStep, bStep, bColumn, mask, count, roomA, roomB]) => {
        when(local.get(mask), () => {
          const together = (from: typeof a, to: typeof a, step: typeof a) => {
            const size = variable("i32", i32.mul(step, columnsEach));
            call(samplesTogether(context), [from, to, size, mask, count]);
            local.set(k);
            local.set(from, to);
          };
          together(a, roomA, aStep);
          together(b, roomB, bStep);
          local.set(k, i32.mul(k, columnsEach));
        });
        call(outerProduct(context), [a, b, c, m, n, k, aStep, bStep, bColumn]);
      },
    ),
  );
}
