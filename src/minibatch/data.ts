import { newValues, type ElementType, type Values } from "../numerics/values.js";
import type { StreamData } from "./minibatch.js";

/** The element type of a stream's values. */
export function elementTypeOfData(data: StreamData): ElementType {
  return data.values instanceof Float32Array ? "float" : "double";
}

/**
 * The columns of a stream as dense values, `dimension` numbers each. Of a row that a sparse column names twice the last
 * value stands, as in CNTK (Source/Math/CPUSparseMatrix.cpp, AssignColumnSliceToDense).
 */
export function denseValues(data: StreamData, dimension: number): Values {
  if (data.storage === "dense") return data.values;
  const { values, rows, columnStarts } = data;
  const columns = columnStarts.length - 1;
  const dense = newValues(elementTypeOfData(data), dimension * columns);
  for (let column = 0; column < columns; column++) {
    const end = columnStarts[column + 1] ?? 0;
    for (let i = columnStarts[column] ?? 0; i < end; i++) {
      dense[column * dimension + (rows[i] ?? 0)] = values[i] ?? 0;
    }
  }
  return dense;
}
