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
  const rest = lengthFrom(x, start + 1);
  if (rest === 0) return { reflection: { v, tau: 0, start }, value: alpha };
  const beta = alpha < 0 || Object.is(alpha, -0) ? Math.hypot(alpha, rest) : -Math.hypot(alpha, rest);
  for (let i = start + 1; i < x.length; i++) v[i] = (x[i] ?? 0) / (alpha - beta);
  return { reflection: { v, tau: (beta - alpha) / beta, start }, value: beta };
}

/** Euclidean length of what stands at `first` and after it. Scaled, so that squares neither overflow nor vanish. */
function lengthFrom(x: Float64Array, first: number): number {
  let largest = 0;
  for (let i = first; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]!));
  if (largest === 0) return 0;
  let sum = 0;
  for (let i = first; i < x.length; i++) sum += (x[i]! / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** column ← column + factor · vector, from index `first` on. */
function add(column: Float64Array, factor: number, vector: Float64Array, first: number): void {
  for (let i = first; i < column.length; i++) column[i] = column[i]! + factor * vector[i]!;
}

/** Applies a reflection to a column in place. */
export function reflect({ v, tau, start }: Reflection, column: Float64Array): void {
  let product = 0;
  for (let i = start; i < v.length; i++) product += v[i]! * column[i]!;
  add(column, -tau * product, v, start);
}

/**
 * Applies a reflection to the rows of a matrix, from `firstRow` on, in place. All rows at once, column by column: a row's
 * elements lie far apart.
 */
export function reflectRows({ v, tau, start }: Reflection, columns: Columns, firstRow: number): void {
  const products = new Float64Array(columns[0]?.length ?? 0);
  for (let i = start; i < v.length; i++) add(products, v[i]!, columns[i]!, firstRow);
  for (let i = start; i < v.length; i++) add(columns[i]!, -tau * v[i]!, products, firstRow);
}

/**
 * The first `count` columns of the product of reflections, the i-th of which starts at i or behind it; each column of `size`
 * elements.
 */
export function orthogonalColumns(reflections: readonly Reflection[], size: number, count: number): Columns {
  return Array.from({ length: count }, (_, column) => {
    const result = new Float64Array(size);
    result[column] = 1;
    // Reflections that start behind `column` meet only zeros.
    for (let i = Math.min(column, reflections.length - 1); i >= 0; i--) reflect(reflections[i]!, result);
    return result;
  });
}
