import { i32, type Local } from "wasmati";
import type { LoopAxis } from "../../javascript/loop-nest.js";
import { variable } from "../emit/function.js";
import { advance, repeat } from "../emit/loops.js";

/** How many turns a loop takes: a constant, or so many for each column. */
export function turns({ size, isColumns }: LoopAxis, columns: Local<"i32">): Local<"i32"> {
  return variable("i32", isColumns ? i32.mul(columns, size) : size);
}

/**
 * Loops over `axes` (innermost first), each operand's place moving by its step; `body` gets the places in the innermost loop and
 * may move them on.
 */
export function walk(
  axes: readonly LoopAxis[],
  places: readonly Local<"i32">[],
  columns: Local<"i32">,
  bytes: number,
  body: (places: readonly Local<"i32">[]) => void,
): void {
  const axis = axes.at(-1);
  if (!axis) {
    body(places);
    return;
  }
  const outer = places.map((place) => variable("i32", place));
  repeat(turns(axis, columns), () => {
    const inner = outer.map((place) => variable("i32", place));
    walk(axes.slice(0, -1), inner, columns, bytes, body);
    outer.forEach((place, k) => advance(place, (axis.strides[k] ?? 0) * bytes));
  });
}
