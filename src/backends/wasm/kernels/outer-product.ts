import { call, i32, type Local, local } from "wasmati";
import { addressOf, type Access } from "../emit/lanes.js";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, forEach, repeat, whileBelow, whileFits, when } from "../emit/loops.js";
import type { WasmContext } from "./kernel.js";

/*
 * c[i + m·j] = Σ_p a[i + aStep·p] · b(p, j): every column of the result is a sum of columns of a, times numbers of b. The
 * rows are contiguous in a and in the result, so vectors run along them; b may lie in any way, its numbers are spread.
 */

/**
 * Vectors of rows for 1, 2, 3, 4 columns at a time. The engine loads all that a turn of the loop needs before it computes: the
 * vectors, the spread numbers and the sums together fit into 15 registers.
 */
const tallest = [0, 6, 4, 3, 2] as const;
type Width = 1 | 2 | 3 | 4;

/** (a, b, c, k, aStep, bStep, bColumn, cColumn): a tile of `vectors` by `width`; steps in bytes, along p and from column to column. */
function tile(context: WasmContext, vectors: number, width: Width, access: Access): Routine {
  const { lanes } = context;
  const key = `outer tile ${vectors}:${width}:${access.count}`;
  return context.routine(key, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([a, b, c, k, aStep, bStep, bColumn, cColumn]) => {
        const columnsOf = (first: Local<"i32">, step: Local<"i32">) => {
          const places = [first];
          for (let j = 1; j < width; j++) places.push(variable("i32", i32.add(places[j - 1]!, step)));
          return places;
        };
        const factors = columnsOf(b, bColumn);
        const sums = factors.map(() =>
          Array.from({ length: vectors }, () => variable("v128", lanes.constant(0))),
        );
        const rows = Array.from({ length: vectors }, () => variable("v128"));
        const factor = variable("v128");
        repeat(k, () => {
          rows.forEach((row, v) => local.set(row, access.load(a, v * 16)));
          factors.forEach((place, j) => {
            local.set(factor, lanes.spread(place));
            sums[j]!.forEach((sum, v) => local.set(sum, lanes.multiplyAdd(rows[v]!, factor, sum)));
            advance(place, bStep);
          });
          advance(a, aStep);
        });
        columnsOf(c, cColumn).forEach((place, j) =>
          sums[j]!.forEach((sum, v) => access.store(place, v * 16, () => local.get(sum))),
        );
      },
    ),
  );
}

/** (a, b, c, m, columns, k, aStep, bStep, bColumn): `columns`, a multiple of `width`, of the result; rows tile after tile. */
function strip(context: WasmContext, width: Width): Routine {
  const { lanes } = context;
  return context.routine(`outer strip ${width}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([a, b, c, m, columns, k, aStep, bStep, bColumn]) => {
        const cColumn = variable("i32", i32.shl(m, lanes.shift));
        const row = variable("i32", 0);
        const from = variable("i32");
        const to = variable("i32");
        const tiles = (vectors: number, access: Access) => {
          local.set(from, b);
          local.set(to, addressOf(c, row, lanes));
          const at = variable("i32", addressOf(a, row, lanes));
          forEach(0, columns, width, () => {
            call(tile(context, vectors, width, access), [at, from, to, k, aStep, bStep, bColumn, cColumn]);
            advance(from, i32.mul(bColumn, width));
            advance(to, i32.mul(cColumn, width));
          });
          return vectors * access.count;
        };
        for (const vectors of new Set([tallest[width], 1])) {
          whileFits(row, vectors * lanes.count, m, () => advance(row, tiles(vectors, lanes.whole)));
        }
        when(i32.lt_s(row, m), () =>
          when(
            i32.ge_s(m, lanes.count),
            () => {
              // The last vector once more, ending with the last row: the same sums at the same places.
              local.set(row, i32.sub(m, lanes.count));
              tiles(1, lanes.whole);
            },
            () => whileBelow(row, m, () => advance(row, tiles(1, lanes.single))),
          ),
        );
      },
    ),
  );
}

/** (a, b, c, m, n, k, aStep, bStep, bColumn): the product; steps in bytes. */
export function outerProduct(context: WasmContext): Routine {
  const { lanes } = context;
  return context.routine("outer product", () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([a, b, c, m, n, k, aStep, bStep, bColumn]) => {
        const full = variable("i32", i32.and(n, -4));
        call(strip(context, 4), [a, b, c, m, full, k, aStep, bStep, bColumn]);
        const rest = variable("i32", i32.sub(n, full));
        local.set(b, i32.add(i32.mul(full, bColumn), b));
        local.set(c, i32.add(i32.mul(full, i32.shl(m, lanes.shift)), c));
        for (const width of [3, 2, 1] as const) {
          when(i32.eq(rest, width), () =>
            call(strip(context, width), [a, b, c, m, rest, k, aStep, bStep, bColumn]),
          );
        }
      },
    ),
  );
}
