import type { MatrixOperand } from "../../primitives/instruction.js";
import type { Values } from "../backend.js";
import { memoryOf, type KernelCompiler, type KernelRun } from "./kernel.js";

/** Rows and columns of a matrix in this run. */
function sizeOf(matrix: MatrixOperand, run: KernelRun): { rows: number; columns: number } {
  return { rows: matrix.rows, columns: matrix.perSample ? matrix.columns * run.samples : matrix.columns };
}

/**
 * output = op(a)·op(b). Both factors are brought into the form where the contracted index is contiguous
 * (doubles; a copy only where memory lies the other way round), then multiplied in blocks that stay in the cache.
 */
export const compileMatmul: KernelCompiler<"matmul"> = (instruction) => {
  const { a, b, output, transposeA, transposeB } = instruction;
  const scratch = { left: new Scratch(), right: new Scratch(), product: new Scratch() };
  return (run) => {
    const aSize = sizeOf(a, run);
    const bSize = sizeOf(b, run);
    const rows = transposeA ? aSize.columns : aSize.rows;
    const inner = transposeA ? aSize.rows : aSize.columns;
    const columns = transposeB ? bSize.rows : bSize.columns;
    if ((transposeB ? bSize.columns : bSize.rows) !== inner)
      throw new Error("matmul: the inner sizes differ");
    const left = innerFirst(memoryOf(run, a.buffer), aSize.rows, aSize.columns, transposeA, scratch.left);
    const right = innerFirst(memoryOf(run, b.buffer), bSize.rows, bSize.columns, !transposeB, scratch.right);
    const target = memoryOf(run, output.buffer);
    if (target instanceof Float64Array) {
      multiplyInnerFirst(left, right, target, rows, columns, inner);
    } else {
      const product = scratch.product.ofSize(rows * columns);
      multiplyInnerFirst(left, right, product, rows, columns, inner);
      for (let i = 0, n = rows * columns; i < n; i++) target[i] = product[i] as number;
    }
  };
};

/** Memory that grows and is kept from run to run. */
export class Scratch {
  private values = new Float64Array(0);

  /** At least `size` doubles of any content. */
  ofSize(size: number): Float64Array {
    if (this.values.length < size) this.values = new Float64Array(size);
    return this.values;
  }
}

/** The matrix as doubles, `rows` contiguous if `isInnerFirst`, else transposed so that the columns index is. */
function innerFirst(
  matrix: Values,
  rows: number,
  columns: number,
  isInnerFirst: boolean,
  scratch: Scratch,
): Float64Array {
  if (isInnerFirst && matrix instanceof Float64Array) return matrix;
  const size = rows * columns;
  const copy = scratch.ofSize(size);
  if (isInnerFirst) {
    for (let i = 0; i < size; i++) copy[i] = matrix[i] as number;
    return copy;
  }
  // Bands of eight rows: eight output columns are written side by side while one cache line of input lasts.
  for (let row0 = 0; row0 < rows; row0 += 8) {
    const rowEnd = Math.min(row0 + 8, rows);
    for (let column = 0; column < columns; column++) {
      for (let row = row0; row < rowEnd; row++) {
        copy[row * columns + column] = matrix[column * rows + row] as number;
      }
    }
  }
  return copy;
}

/** How much of the contracted index is worked on at a time: six such runs fit the first-level cache. */
const innerBlock = 384;

/**
 * product[i + rows·j] = Σ_p left[p + inner·i]·right[p + inner·j], sums in double. Blocks of 4 rows by 2 columns keep
 * eight sums in registers and load each factor once for several products.
 */
export function multiplyInnerFirst(
  left: Float64Array,
  right: Float64Array,
  product: Float64Array,
  rows: number,
  columns: number,
  inner: number,
): void {
  product.fill(0, 0, rows * columns);
  for (let begin = 0; begin < inner; begin += innerBlock) {
    addBlockProducts(left, right, product, rows, columns, inner, begin, Math.min(inner, begin + innerBlock));
  }
}

function addBlockProducts(
  left: Float64Array,
  right: Float64Array,
  product: Float64Array,
  rows: number,
  columns: number,
  inner: number,
  begin: number,
  end: number,
): void {
  const length = end - begin;
  const fullRows = rows - (rows % 4);
  const fullColumns = columns - (columns % 2);
  for (let j = 0; j < fullColumns; j += 2) {
    const r0 = j * inner + begin;
    const r1 = r0 + inner;
    for (let i = 0; i < fullRows; i += 4) {
      const l0 = i * inner + begin;
      const l1 = l0 + inner;
      const l2 = l1 + inner;
      const l3 = l2 + inner;
      let s00 = 0,
        s10 = 0,
        s20 = 0,
        s30 = 0,
        s01 = 0,
        s11 = 0,
        s21 = 0,
        s31 = 0;
      for (let p = 0; p < length; p++) {
        const y0 = right[r0 + p]!;
        const y1 = right[r1 + p]!;
        const x0 = left[l0 + p]!;
        s00 += x0 * y0;
        s01 += x0 * y1;
        const x1 = left[l1 + p]!;
        s10 += x1 * y0;
        s11 += x1 * y1;
        const x2 = left[l2 + p]!;
        s20 += x2 * y0;
        s21 += x2 * y1;
        const x3 = left[l3 + p]!;
        s30 += x3 * y0;
        s31 += x3 * y1;
      }
      const o = i + rows * j;
      product[o]! += s00;
      product[o + 1]! += s10;
      product[o + 2]! += s20;
      product[o + 3]! += s30;
      product[o + rows]! += s01;
      product[o + rows + 1]! += s11;
      product[o + rows + 2]! += s21;
      product[o + rows + 3]! += s31;
    }
  }
  // The rest: rows beyond the last block of four for all columns, then the odd column for the blocked rows.
  for (let j = 0; j < columns; j++) {
    const firstRow = j < fullColumns ? fullRows : 0;
    for (let i = firstRow; i < rows; i++) {
      const l = i * inner + begin;
      const r = j * inner + begin;
      let s0 = 0,
        s1 = 0,
        s2 = 0,
        s3 = 0;
      let p = 0;
      for (; p + 3 < length; p += 4) {
        s0 += left[l + p]! * right[r + p]!;
        s1 += left[l + p + 1]! * right[r + p + 1]!;
        s2 += left[l + p + 2]! * right[r + p + 2]!;
        s3 += left[l + p + 3]! * right[r + p + 3]!;
      }
      for (; p < length; p++) s0 += left[l + p]! * right[r + p]!;
      product[i + rows * j]! += s0 + s1 + (s2 + s3);
    }
  }
}
