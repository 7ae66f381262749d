import type { Operand } from "../../primitives/instruction.js";
import { roundingOf } from "../../plan/fold-constants.js";
import { operandAt, type KernelCompiler, type KernelRun } from "../host/kernel.js";
import { countOf, numberAt } from "./cells.js";

/** A matrix of this run: its sizes, its numbers, and which of its columns lie in gaps. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  at(row: number, column: number): number;
  isGap(column: number): boolean;
}

function matrixOf(run: KernelRun, operand: Operand): Matrix {
  const [rows = 1, columnsEach = 1] = operand.dims;
  const values = operand.storage === "sparse" ? denseColumns(run, operand) : run.view(operand);
  const gaps = run.gaps(operand.axis);
  return {
    rows,
    columns: columnsEach * run.columns(operand.axis),
    at: (row, column) => numberAt(values, column * rows + row),
    isGap: (column) => gaps !== null && gaps[Math.floor(column / columnsEach)] !== 0,
  };
}

/** The piece's columns of a sparse operand with their zeros; entries of the same row add up. */
function denseColumns(run: KernelRun, operand: Operand): Float64Array {
  const { values, rows, columnStarts } = run.sparse(operand);
  const height = countOf(operand.dims);
  const dense = new Float64Array(height * run.columns(operand.axis));
  const first = run.firstColumn(operand.axis);
  for (let column = 0; column < run.columns(operand.axis); column++) {
    for (let e = columnStarts[first + column]!; e < columnStarts[first + column + 1]!; e++) {
      dense[column * height + rows[e]!]! += values[e]!;
    }
  }
  return dense;
}

/** result[i, j] = Σ_p op(a)[i, p] · op(b)[p, j], in double; where p counts columns of a dynamic axis, gaps are left out. */
export const matmul: KernelCompiler<"matmul"> = ({
  reads,
  writes,
  parameters: { transposeA, transposeB },
}) => {
  const [left, right] = [operandAt(reads, 0), operandAt(reads, 1)];
  return (run) => {
    const a = matrixOf(run, left);
    const b = matrixOf(run, right);
    const rows = transposeA ? a.columns : a.rows;
    const inner = transposeA ? a.rows : a.columns;
    const columns = transposeB ? b.rows : b.columns;
    const product = new Float64Array(rows * columns);
    for (let j = 0; j < columns; j++) {
      for (let i = 0; i < rows; i++) {
        let sum = 0;
        for (let p = 0; p < inner; p++) {
          if (transposeB && b.isGap(p)) continue;
          sum += (transposeA ? a.at(p, i) : a.at(i, p)) * (transposeB ? b.at(j, p) : b.at(p, j));
        }
        product[j * rows + i] = sum;
      }
    }
    if (writes.storage === "touched") {
      const touchedRows =
        right.storage === "sparse" ? rowsInSamples(run, right) : rowsWithNumbers(run, right);
      putTouchedColumns(run, writes, product, touchedRows);
    } else run.view(writes).set(product);
  };
};

/** Rows that a sparse operand names in columns that are no gaps. */
function rowsInSamples(run: KernelRun, operand: Operand): Set<number> {
  const { rows, columnStarts } = run.sparse(operand);
  const gaps = run.gaps(operand.axis);
  const first = run.firstColumn(operand.axis);
  const named = new Set<number>();
  for (let column = 0; column < run.columns(operand.axis); column++) {
    if (gaps && gaps[column] !== 0) continue;
    for (const row of rows.subarray(columnStarts[first + column], columnStarts[first + column + 1]))
      named.add(row);
  }
  return named;
}

/** Rows of a dense operand without samples that are not all zero. */
function rowsWithNumbers(run: KernelRun, operand: Operand): Set<number> {
  const [height = 1] = operand.dims;
  const values = run.view(operand);
  return new Set(Array.from(values, (value, i) => (value === 0 ? -1 : i % height)).filter((row) => row >= 0));
}

function putTouchedColumns(
  run: KernelRun,
  writes: Operand,
  product: Float64Array,
  columns: Iterable<number>,
): void {
  const result = run.touched(writes);
  result.clear();
  for (const column of columns) {
    result.touch(column);
    result.values.set(
      product.subarray(column * result.height, (column + 1) * result.height),
      column * result.height,
    );
  }
}

/** A sparse value with its zeros (of a row named twice the last value stands), or a touched one as it is. */
export const toDense: KernelCompiler<"toDense"> = ({ reads, writes }) => {
  const x = operandAt(reads, 0);
  const size = countOf(writes.dims);
  return (run) => {
    const target = run.view(writes);
    const columns = run.columns(writes.axis);
    if (x.storage !== "sparse") {
      for (let i = 0; i < size * columns; i++) target[i] = numberAt(run.view(x), i);
      return;
    }
    target.fill(0, 0, size * columns);
    const { values, rows, columnStarts } = run.sparse(x);
    const first = run.firstColumn(x.axis);
    for (let column = 0; column < columns; column++) {
      for (let e = columnStarts[first + column]!; e < columnStarts[first + column + 1]!; e++) {
        target[column * size + rows[e]!] = values[e]!;
      }
    }
  };
};

/** a + b everywhere, which is zero but in the columns that one of them lists. */
export const addTouched: KernelCompiler<"addTouched"> = ({ reads, writes }) => {
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  return (run) => {
    const parts = [run.touched(a), run.touched(b)];
    const listed = parts.flatMap(({ list, count }) => [...list.subarray(0, count)]);
    const sums = run.view(a).map((x, i) => x + run.view(b)[i]!);
    const result = run.touched(writes);
    result.clear();
    for (const column of listed) result.touch(column);
    result.values.set(sums);
  };
};

/** base, but touched's numbers in the columns that it lists. */
export const putTouched: KernelCompiler<"putTouched"> = ({ reads, writes }) => {
  const [base, touched] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = countOf(writes.dims);
  return (run) => {
    const { values, list, count, height } = run.touched(touched);
    const [from, target] = [run.view(base), run.view(writes)];
    const listed = new Set(list.subarray(0, count));
    for (let i = 0; i < size; i++) {
      target[i] = listed.has(Math.floor(i / height)) ? values[i]! : from[i]!;
    }
  };
};

/** The numbers of the listed columns added up one after another, each sum rounded; for the mean divided by how many they are. */
export const reduceTouched: KernelCompiler<"reduceTouched"> = (
  { reads, writes, parameters },
  { elementType },
) => {
  const round = roundingOf(elementType);
  return (run) => {
    const { values, list, count, height } = run.touched(operandAt(reads, 0));
    const columns = [...list.subarray(0, count)];
    const numbers = columns.flatMap((column) => [...values.subarray(column * height, (column + 1) * height)]);
    const sum = numbers.reduce((total, number) => round(total + number), 0);
    const divisor = parameters.operation === "mean" ? Math.max(numbers.length, 1) : 1;
    run.view(writes)[0] = sum / divisor;
  };
};
