import type { ConstantValue } from "./graph-import.js";

const product = (dims: readonly number[]): number => dims.reduce((total, dim) => total * dim, 1);

/** Elements of a constant with its axes in another order. */
export function turned(x: ConstantValue, order: readonly number[], name: string): ConstantValue {
  const strides = x.dims.map((_, axis) => product(x.dims.slice(axis + 1)));
  const dims = order.map((axis) => x.dims[axis] ?? 1);
  const values = x.values.map((_, to) => {
    let rest = to;
    let from = 0;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const dim = dims[axis] ?? 1;
      from += (rest % dim) * (strides[order[axis] ?? 0] ?? 0);
      rest = Math.floor(rest / dim);
    }
    return x.values[from] ?? 0;
  });
  return { ...x, name, dims, values };
}

/** Attributes of a Slice from `begin` to before `end`, along an axis that is as long as `size`. */
export function sliceAttributes(
  axis: number,
  beginIndex: number,
  end: number,
  size: number,
): { readonly axis: number; readonly beginIndex: number; readonly endIndex: number } {
  return { axis, beginIndex, endIndex: end === size ? 0 : end };
}
