import type { Values } from "../../numerics/values.js";
import {
  operandAt,
  type Kernel,
  type KernelCompiler,
  type KernelRun,
  type SparseColumns,
} from "../host/kernel.js";
import { Scratch } from "./scratch.js";

/**
 * op(a)·b with b sparse: column c of the result is Σ b[r, c]·op(a)[:, r] over the few rows r that the column has.
 * a·bᵀ: column r of the result is Σ b[r, c]·a[:, c] over the columns c that have the row; the result lists these r.
 */
export const compileSparseMatmul: KernelCompiler<"matmul"> = (instruction, context) => {
  const { writes, parameters } = instruction;
  const { transposeA, transposeB } = parameters;
  if (!transposeB) return compileForward(instruction, context);
  if (transposeA) throw new Error("matmul: aᵀ·bᵀ with sparse b is not available");
  return writes.storage === "touched"
    ? compileTouchedGradient(instruction, context)
    : compileDenseGradient(instruction, context);
};

const compileForward: KernelCompiler<"matmul"> = ({ reads, writes, parameters }): Kernel => {
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  const [aRows = 1, aColumns = 1] = a.dims;
  const rows = parameters.transposeA ? aColumns : aRows;
  // Steps in a's memory along the result's rows and along the contracted index.
  const [rowStep, innerStep] = parameters.transposeA ? [aRows, 1] : [1, aRows];
  const scratch = new Scratch();
  return (run) => {
    const weights = run.view(a);
    const target = run.view(writes);
    const { values, rows: places, columnStarts } = run.sparse(b);
    const sums = scratch.ofSize(rows);
    const first = run.firstColumn(b.axis);
    for (let c = 0, columns = run.columns(b.axis); c < columns; c++) {
      sums.fill(0, 0, rows);
      for (let e = columnStarts[first + c]!, end = columnStarts[first + c + 1]!; e < end; e++) {
        const factor = values[e]!;
        const from = places[e]! * innerStep;
        for (let i = 0; i < rows; i++) sums[i]! += factor * weights[from + i * rowStep]!;
      }
      for (let i = 0, to = c * rows; i < rows; i++) target[to + i] = sums[i]!;
    }
  };
};

const compileTouchedGradient: KernelCompiler<"matmul"> = ({ reads, writes }): Kernel => {
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  const [height = 1] = a.dims;
  const scratch = new Scratch();
  /** Where the sums of the i-th listed column stand: column r of the result is listed as number placeOf[r]. */
  let placeOf = new Int32Array(0);
  return (run) => {
    const result = run.touched(writes);
    result.clear();
    const columnsOfResult = result.values.length / height;
    if (placeOf.length < columnsOfResult) placeOf = new Int32Array(columnsOfResult);
    eachEntry(run, b, (row) => result.touch(row));
    for (let i = 0; i < result.count; i++) placeOf[result.list[i]!] = i;
    const sums = scratch.ofSize(result.count * height);
    sums.fill(0, 0, result.count * height);
    addOuterProducts(run.view(a), height, run, b, sums, placeOf);
    for (let i = 0; i < result.count; i++) {
      const to = result.list[i]! * height;
      for (let h = 0; h < height; h++) result.values[to + h] = sums[i * height + h]!;
    }
  };
};

/** a·bᵀ with b dense and without samples: only the columns of which b has a number that is not zero. */
export const compileTouchedProduct: KernelCompiler<"matmul"> = ({ reads, writes }): Kernel => {
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  const [height = 1] = a.dims;
  const [rows = 1, inner = 1] = b.dims;
  return (run) => {
    const [x, factors] = [run.view(a), run.view(b)];
    const result = run.touched(writes);
    result.clear();
    for (let p = 0; p < inner; p++) {
      for (let row = 0; row < rows; row++) if (factors[p * rows + row] !== 0) result.touch(row);
    }
    for (const row of result.list.subarray(0, result.count)) {
      for (let i = 0; i < height; i++) {
        let sum = 0;
        for (let p = 0; p < inner; p++) sum += x[p * height + i]! * factors[p * rows + row]!;
        result.values[row * height + i] = sum;
      }
    }
  };
};

const compileDenseGradient: KernelCompiler<"matmul"> = ({ reads, writes }): Kernel => {
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  const [height = 1] = a.dims;
  const [bRows = 1] = b.dims;
  const scratch = new Scratch();
  return (run) => {
    const count = height * bRows;
    const sums = scratch.ofSize(count);
    sums.fill(0, 0, count);
    addOuterProducts(run.view(a), height, run, b, sums, null);
    const target: Values = run.view(writes);
    for (let i = 0; i < count; i++) target[i] = sums[i]!;
  };
};

type Sparse = Parameters<KernelRun["sparse"]>[0];

/** Calls `visit` with the row of every entry that lies in a sample. */
function eachEntry(run: KernelRun, b: Sparse, visit: (row: number) => void): void {
  const { rows, columnStarts } = run.sparse(b);
  const gaps = run.gaps(b.axis);
  const first = run.firstColumn(b.axis);
  for (let c = 0, columns = run.columns(b.axis); c < columns; c++) {
    if (gaps && gaps[c] !== 0) continue;
    for (let e = columnStarts[first + c]!, end = columnStarts[first + c + 1]!; e < end; e++) visit(rows[e]!);
  }
}

/** Adds b[r, c]·a[:, c] to the sums of column r (of its place, where `placeOf` is given) for every entry of b. */
function addOuterProducts(
  a: Values,
  height: number,
  run: KernelRun,
  b: Sparse,
  sums: Float64Array,
  placeOf: Int32Array | null,
): void {
  const { values, rows, columnStarts }: SparseColumns = run.sparse(b);
  const gaps = run.gaps(b.axis);
  const first = run.firstColumn(b.axis);
  for (let c = 0, columns = run.columns(b.axis); c < columns; c++) {
    if (gaps && gaps[c] !== 0) continue;
    const from = c * height;
    for (let e = columnStarts[first + c]!, end = columnStarts[first + c + 1]!; e < end; e++) {
      const row = rows[e]!;
      const to = (placeOf ? placeOf[row]! : row) * height;
      const factor = values[e]!;
      for (let i = 0; i < height; i++) sums[to + i]! += factor * a[from + i]!;
    }
  }
}
