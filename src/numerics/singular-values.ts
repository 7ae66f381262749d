import type { ElementType, Values } from "./values.js";
import { bidiagonalSingularValues, DidNotConverge } from "./bidiagonal-singular-values.js";
import {
  type Columns,
  orthogonalColumns,
  reflect,
  type Reflection,
  reflectionFor,
  reflectRows,
} from "./householder.js";

/** A matrix as left · diagonal(values) · rightᵀ: orthonormal columns, values from the largest down. */
export interface SingularValues {
  readonly left: Columns;
  readonly values: Float64Array;
  readonly right: Columns;
}

/** From so many times as many rows as columns on, LAPACK takes a QR decomposition first. */
const tall = 1.6;

/**
 * The singular value decomposition of a column-major matrix by LAPACK's way (dgesvd): Householder reflections to a bidiagonal
 * matrix, then shifted QR steps. Following its steps decides the signs of the vectors, which are CNTK's where it calls
 * LAPACK (Source/Math/CPUMatrixImpl.h, SVD). Computed in float64; the steps end where they would in `elementType`.
 * @throws DidNotConverge when the steps do not, which needs values that are not finite
 */
export function singularValues(
  matrix: Values,
  rows: number,
  columns: number,
  elementType: ElementType,
): SingularValues {
  // Reflections carry what is no number everywhere, and the steps would go on to their limit.
  if (!matrix.every(Number.isFinite)) throw new DidNotConverge();
  const a = Array.from({ length: columns }, (_, j) =>
    Float64Array.from(matrix.subarray(j * rows, (j + 1) * rows)),
  );
  const epsilon = elementType === "double" ? 2 ** -53 : 2 ** -24;
  if (rows >= columns) {
    return rows >= Math.trunc(columns * tall) && rows > columns
      ? ofTall(a, rows, epsilon)
      : ofWide(a, rows, epsilon);
  }
  if (columns >= Math.trunc(rows * tall)) {
    // The transpose is tall: A = L·Q has the L of its R.
    const { q, r } = triangular(transposed(a, rows), columns);
    const inner = ofWide(transposed(r, rows), rows, epsilon);
    return { ...inner, right: inner.right.map((vector) => combined(q, vector)) };
  }
  return ofLower(a, rows, epsilon);
}

function ofTall(a: Columns, rows: number, epsilon: number): SingularValues {
  const { q, r } = triangular(a, rows);
  const inner = ofWide(r, r.length, epsilon);
  return { ...inner, left: inner.left.map((vector) => combined(q, vector)) };
}

/** A = Q·R: Q with as many columns as A. */
function triangular(a: Columns, rows: number): { q: Columns; r: Columns } {
  const count = a.length;
  const reflections: Reflection[] = [];
  for (let j = 0; j < count; j++) {
    const column = a[j]!;
    const { reflection, value } = reflectionFor(column, j);
    reflections.push(reflection);
    column.fill(0, j + 1)[j] = value;
    for (let k = j + 1; k < count; k++) reflect(reflection, a[k]!);
  }
  return { q: orthogonalColumns(reflections, rows, count), r: a.map((column) => column.slice(0, count)) };
}

/** At least as many rows as columns: an upper bidiagonal matrix in between. */
function ofWide(a: Columns, rows: number, epsilon: number): SingularValues {
  const count = a.length;
  const [diagonal, beside] = [new Float64Array(count), new Float64Array(Math.max(count - 1, 0))];
  const [fromLeft, fromRight]: Reflection[][] = [[], []];
  for (let i = 0; i < count; i++) {
    const left = reflectionFor(a[i]!, i);
    diagonal[i] = left.value;
    fromLeft!.push(left.reflection);
    for (let k = i + 1; k < count; k++) reflect(left.reflection, a[k]!);
    if (i + 1 >= count) break;
    const row = Float64Array.from(a, (column) => column[i] ?? 0);
    const right = reflectionFor(row, i + 1);
    beside[i] = right.value;
    fromRight!.push(right.reflection);
    reflectRows(right.reflection, a, i + 1);
  }
  const left = orthogonalColumns(fromLeft!, rows, count);
  const right = orthogonalColumns(fromRight!, count, count);
  bidiagonalSingularValues({ diagonal, beside, left, right, isLower: false }, epsilon);
  return { left, values: diagonal, right };
}

/** Fewer rows than columns, but not by much: a lower bidiagonal matrix in between. */
function ofLower(a: Columns, rows: number, epsilon: number): SingularValues {
  const columns = a.length;
  const [diagonal, beside] = [new Float64Array(rows), new Float64Array(Math.max(rows - 1, 0))];
  const [fromLeft, fromRight]: Reflection[][] = [[], []];
  for (let i = 0; i < rows; i++) {
    const row = Float64Array.from(a, (column) => column[i] ?? 0);
    const right = reflectionFor(row, i);
    diagonal[i] = right.value;
    fromRight!.push(right.reflection);
    reflectRows(right.reflection, a, i + 1);
    if (i + 1 >= rows) break;
    const left = reflectionFor(a[i]!, i + 1);
    beside[i] = left.value;
    fromLeft!.push(left.reflection);
    for (let k = i + 1; k < columns; k++) reflect(left.reflection, a[k]!);
  }
  const left = orthogonalColumns(fromLeft!, rows, rows);
  const right = orthogonalColumns(fromRight!, columns, rows);
  bidiagonalSingularValues({ diagonal, beside, left, right, isLower: true }, epsilon);
  return { left, values: diagonal, right };
}

function transposed(a: Columns, rows: number): Columns {
  return Array.from({ length: rows }, (_, row) => Float64Array.from(a, (column) => column[row] ?? 0));
}

/** The sum of columns, weighted. */
function combined(columns: Columns, weights: Float64Array): Float64Array {
  const sum = new Float64Array(columns[0]?.length ?? 0);
  columns.forEach((column, j) => {
    const weight = weights[j] ?? 0;
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + weight * column[i]!;
  });
  return sum;
}
