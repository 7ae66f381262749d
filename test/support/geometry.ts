import type { Geometry } from "../../src/primitives/geometry.js";

/** A geometry from kernel, stride and explicit pads; what is left out is 1 (stride, maps), 0 (pads) or shared. */
export function geometry(shape: {
  input: readonly number[];
  kernel: readonly number[];
  stride?: readonly number[];
  lower?: readonly number[];
  upper?: readonly number[];
  maps?: readonly number[];
  sharing?: readonly boolean[];
}): Geometry {
  const { input, kernel } = shape;
  const all = (value: number) => input.map(() => value);
  const stride = shape.stride ?? all(1);
  const lower = shape.lower ?? all(0);
  const upper = shape.upper ?? all(0);
  const maps = shape.maps ?? all(1);
  const windows = input.map(
    (size, axis) => Math.floor((size + lower[axis]! + upper[axis]! - kernel[axis]!) / stride[axis]!) + 1,
  );
  return {
    input,
    kernel,
    stride,
    windows,
    maps,
    output: windows.map((count, axis) => count * maps[axis]!),
    start: lower.map((pad) => -pad),
    sharing: shape.sharing ?? input.map(() => true),
  };
}

/** Weights a geometry needs: one kernel per map, and per window position along unshared axes. */
export function weightCount(g: Geometry): number {
  return g.input.reduce(
    (product, _, axis) =>
      product * g.kernel[axis]! * g.maps[axis]! * (g.sharing[axis] ? 1 : g.windows[axis]!),
    1,
  );
}
