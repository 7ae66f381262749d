/** A matrix as its columns. */
export type Columns = Float64Array[];

/** The reflection 1 - tau · v · vᵀ, where v is 0 before `start` and 1 there. */
export interface Reflection {
  readonly v: Float64Array;
  readonly tau: number;
  readonly start: number;
}

/**
 * The reflection that turns `x`, from index `start` on, into a multiple of the unit vector at `start`; and that multiple. Its
 * sign is opposite to x's there, as in LAPACK's dlarfg; a vector that is one already stays as it is.
 */
export function reflectionFor(x: Float64Array, start: number): { reflection: Reflection; value: number } {
  const alpha = x[start] ?? 0;
  const v = new Float64Array(x.length);
  v[start] = 1;
  const rest = Math.hypot(...x.subarray(start + 1));
  if (rest === 0) return { reflection: { v, tau: 0, start }, value: alpha };
  const beta = alpha < 0 || Object.is(alpha, -0) ? Math.hypot(alpha, rest) : -Math.hypot(alpha, rest);
  for (let i = start + 1; i < x.length; i++) v[i] = (x[i] ?? 0) / (alpha - beta);
  return { reflection: { v, tau: (beta - alpha) / beta, start }, value: beta };
}

/** Applies a reflection to a column in place. */
export function reflect({ v, tau, start }: Reflection, column: Float64Array): void {
  let product = 0;
  for (let i = start; i < v.length; i++) product += (v[i] ?? 0) * (column[i] ?? 0);
  const factor = tau * product;
  for (let i = start; i < v.length; i++) column[i] = (column[i] ?? 0) - factor * (v[i] ?? 0);
}

/** Applies a reflection to the rows of a matrix, from column `from` on, in place. */
export function reflectRows({ v, tau, start }: Reflection, columns: Columns, firstRow: number): void {
  const rows = columns[0]?.length ?? 0;
  for (let row = firstRow; row < rows; row++) {
    let product = 0;
    for (let i = start; i < v.length; i++) product += (v[i] ?? 0) * (columns[i]?.[row] ?? 0);
    const factor = tau * product;
    for (let i = start; i < v.length; i++) {
      const column = columns[i];
      if (column) column[row] = (column[row] ?? 0) - factor * (v[i] ?? 0);
    }
  }
}

/** The first `count` columns of the product of reflections, each of `size` elements. */
export function orthogonalColumns(reflections: readonly Reflection[], size: number, count: number): Columns {
  return Array.from({ length: count }, (_, column) => {
    const result = new Float64Array(size);
    result[column] = 1;
    for (const reflection of [...reflections].reverse()) reflect(reflection, result);
    return result;
  });
}
