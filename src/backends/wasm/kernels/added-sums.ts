import { f64x2, i32, local, v128 } from "wasmati";
import { define, variable, type Routine } from "../emit/function.js";
import { lanesOf } from "../emit/lanes.js";
import { advance, repeat } from "../emit/loops.js";
import type { WasmContext } from "./kernel.js";

/**
 * (sums, pieces, count, target, rows, length, kept): the sums of all pieces, `count` doubles each, added up piece after piece; the
 * first `kept` of every `length`, rounded to the element type and multiplied by `scale`, are the result. The first piece's sums
 * become those of all.
 */
export function addedSums(context: WasmContext, scale: number): Routine {
  const { lanes } = context;
  const { double } = lanesOf;
  return context.routine(`added sums ${scale}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([total, pieces, count, target, rows, length, kept]) => {
        const piece = variable("i32", i32.add(total, i32.shl(count, 3)));
        repeat(variable("i32", i32.sub(pieces, 1)), () => {
          const sum = variable("i32", total);
          const add = (access: typeof double.whole) => () => {
            access.store(sum, 0, () => f64x2.add(access.load(sum), access.load(piece)));
            for (const place of [sum, piece]) advance(place, access.count * 8);
          };
          repeat(variable("i32", i32.shr_u(count, 1)), add(double.whole));
          repeat(variable("i32", i32.and(count, 1)), add(double.single));
        });
        repeat(rows, () => {
          const sum = variable("i32", total);
          repeat(kept, () => {
            const value = variable("v128", lanes.fromDouble(v128.load64_zero({}, sum)));
            lanes.single.store(target, 0, () =>
              scale === 1 ? local.get(value) : lanes.mul(value, lanes.constant(scale)),
            );
            advance(sum, 8);
            advance(target, lanes.bytes);
          });
          advance(total, i32.shl(length, 3));
        });
      },
    ),
  );
}
