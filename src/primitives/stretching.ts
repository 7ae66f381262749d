/*
 * What stretches to what, axis by axis from the first: an axis of 1 stretches, and missing axes count as 1.
 */

type Dims = readonly number[];

/** Can a tensor be stretched to these wider dimensions? Axes that only the wider one has are no obstacle. */
export function stretchesTo(dims: Dims, wide: Dims): boolean {
  return dims.every((dim, axis) => dim === 1 || dim === (wide[axis] ?? 1));
}

/** The dimensions to which two tensors stretch, one along this axis and the other along that; undefined where they do not. */
export function stretchedTogether(a: Dims, b: Dims): number[] | undefined {
  const wide = Array.from({ length: Math.max(a.length, b.length) }, (_, axis) =>
    Math.max(a[axis] ?? 1, b[axis] ?? 1),
  );
  return stretchesTo(a, wide) && stretchesTo(b, wide) ? wide : undefined;
}
