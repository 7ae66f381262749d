import { call, i32, local } from "wasmati";
import { define, variable, type Routine } from "../emit/function.js";
import { addressOf, sumsAcross } from "../emit/lanes.js";
import { advance, repeat, whileBelow, whileFits } from "../emit/loops.js";
import type { WasmContext } from "./kernel.js";

/*
 * c[i + m·j] = Σ_p a[p + k·i] · b[p + k·j]: the contracted index is contiguous in both factors, so vectors run along it and
 * every sum is one of partial sums, added up at the end.
 */

/** (a, b, c, k, cColumn): a tile of `height` by `width` sums; cColumn in bytes. */
function tile(context: WasmContext, height: number, width: number): Routine {
  const { lanes } = context;
  return context.routine(`inner tile ${height}:${width}`, () =>
    define(["i32", "i32", "i32", "i32", "i32"], [], ([a, b, c, k, cColumn]) => {
      const run = variable("i32", i32.shl(k, lanes.shift));
      const following = (first: typeof a, count: number) => {
        const places = [first];
        for (let i = 1; i < count; i++) places.push(variable("i32", i32.add(places[i - 1]!, run)));
        return places;
      };
      const [lefts, rights] = [following(a, height), following(b, width)];
      const sums = lefts.map(() => rights.map(() => variable("v128", lanes.constant(0))));
      const [x, ys] = [variable("v128"), rights.map(() => variable("v128"))];
      const add = (access: typeof lanes.whole) => {
        rights.forEach((place, j) => local.set(ys[j]!, access.load(place)));
        lefts.forEach((place, i) => {
          local.set(x, access.load(place));
          sums[i]!.forEach((sum, j) => local.set(sum, lanes.multiplyAdd(x, ys[j]!, sum)));
        });
        for (const place of [...lefts, ...rights]) advance(place, access.count * lanes.bytes);
      };
      repeat(variable("i32", i32.div_u(k, lanes.count)), () => add(lanes.whole));
      repeat(variable("i32", i32.and(k, lanes.count - 1)), () => add(lanes.single));
      rights.forEach((_, j) => {
        const column = sums.map((ofRow) => ofRow[j]!);
        const together = height - (height % lanes.count);
        for (let i = 0; i < together; i += lanes.count) {
          const all = sumsAcross(lanes, column.slice(i, i + lanes.count));
          lanes.whole.store(c, i * lanes.bytes, () => local.get(all));
        }
        column
          .slice(together)
          .forEach((sum, i) =>
            lanes.single.store(c, (together + i) * lanes.bytes, () => lanes.sumAcross(sum)),
          );
        advance(c, cColumn);
      });
    }),
  );
}

/** (a, b, c, m, n, k): the product. */
export function innerProduct(context: WasmContext): Routine {
  const { lanes } = context;
  return context.routine("inner product", () =>
    define(["i32", "i32", "i32", "i32", "i32", "i32"], [], ([a, b, c, m, n, k]) => {
      const run = variable("i32", i32.shl(k, lanes.shift));
      const cColumn = variable("i32", i32.shl(m, lanes.shift));
      const row = variable("i32");
      const column = variable("i32", 0);
      const columns = (width: number) => {
        local.set(row, 0);
        const left = variable("i32", a);
        for (const height of [width === 1 ? 6 : 4, 1]) {
          whileFits(row, height, m, () => {
            call(tile(context, height, width), [left, b, addressOf(c, row, lanes), k, cColumn]);
            advance(left, i32.mul(run, height));
            advance(row, height);
          });
        }
        advance(b, i32.mul(run, width));
        advance(c, i32.mul(cColumn, width));
        advance(column, width);
      };
      whileFits(column, 2, n, () => columns(2));
      whileBelow(column, n, () => columns(1));
    }),
  );
}
