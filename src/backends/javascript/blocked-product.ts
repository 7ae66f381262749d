import type { Values } from "../../numerics/values.js";

/** How much of the contracted index is worked on at a time: six such runs fit the first-level cache. */
const innerBlock = 384;
/** How many rows of the left factor stay in the second-level cache while all columns of the right one pass by. */
const rowBlock = 32;

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
    const length = Math.min(innerBlock, inner - begin);
    for (let row = 0; row < rows; row += rowBlock) {
      const rowEnd = Math.min(rows, row + rowBlock);
      addBlockProducts(left, right, product, rows, columns, inner, begin, length, row, rowEnd);
    }
  }
}

/** product[i + rows·j] = left[i]·right[j]: nothing is contracted, and what there is to do is writing. */
export function multiplyOuter(
  left: Float64Array,
  right: Float64Array,
  product: Values,
  rows: number,
  columns: number,
): void {
  for (let j = 0; j < columns; j++) {
    const y = right[j]!;
    const to = rows * j;
    // A sum that begins with zero never is minus zero.
    for (let i = 0; i < rows; i++) product[to + i] = 0 + left[i]! * y;
  }
}

/** The part of a product that rows `row … rowEnd`−1 and places `begin … begin+length`−1 of the contracted index give. */
function addBlockProducts(
  left: Float64Array,
  right: Float64Array,
  product: Float64Array,
  rows: number,
  columns: number,
  inner: number,
  begin: number,
  length: number,
  row: number,
  rowEnd: number,
): void {
  const fullRows = rowEnd - ((rowEnd - row) % 4);
  const fullColumns = columns - (columns % 2);
  for (let j = 0; j < fullColumns; j += 2) {
    const r0 = j * inner + begin;
    const r1 = r0 + inner;
    for (let i = row; i < fullRows; i += 4) {
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
    const firstRow = j < fullColumns ? fullRows : row;
    for (let i = firstRow; i < rowEnd; i++) {
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
