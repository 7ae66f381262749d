/** The number types that CNTK computes in: `precision="float"` is float32, `"double"` float64. */
export type ElementType = "float" | "double";

/** Numbers in memory, of one of the element types. */
export type Values = Float32Array | Float64Array;

/** An array of `length` zeros of the element type. */
export function newValues(elementType: ElementType, length: number): Values {
  return elementType === "float" ? new Float32Array(length) : new Float64Array(length);
}

/** The same numbers in the element type; `values` themselves where they are of it already. */
export function inElementType(values: Values, elementType: ElementType): Values {
  if (elementType === "float") return values instanceof Float32Array ? values : Float32Array.from(values);
  return values instanceof Float64Array ? values : Float64Array.from(values);
}
