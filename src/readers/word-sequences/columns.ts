import type { StreamData } from "../../minibatch/index.js";
import { newValues, type ElementType } from "../../numerics/values.js";

/** Columns that are 1 at some rows and 0 elsewhere; a row that is named twice counts once, a gap names none. */
export function indicatorColumns(
  columns: readonly (readonly number[])[],
  elementType: ElementType,
): StreamData {
  const columnStarts = new Int32Array(columns.length + 1);
  const rows: number[] = [];
  columns.forEach((column, index) => {
    rows.push(...[...new Set(column)].sort((a, b) => a - b));
    columnStarts[index + 1] = rows.length;
  });
  const values = newValues(elementType, rows.length).fill(1);
  return { storage: "sparse", values, rows: Int32Array.from(rows), columnStarts };
}

/** Columns of `dimension` numbers; what a column does not say is 0. */
export function denseColumns(
  columns: readonly (readonly number[])[],
  dimension: number,
  elementType: ElementType,
): StreamData {
  const values = newValues(elementType, dimension * columns.length);
  columns.forEach((column, index) => values.set(column.slice(0, dimension), index * dimension));
  return { storage: "dense", values };
}

/** The words of a line, which blanks and tabs separate. */
export function wordsOf(line: string): string[] {
  return line.split(/[ \t\r\n]+/).filter((word) => word !== "");
}
