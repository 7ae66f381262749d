import { call, i32, local } from "wasmati";
import { define, variable, type Routine } from "../emit/function.js";
import { type Lanes } from "../emit/lanes.js";
import { advance, forEach, repeat, smaller, when } from "../emit/loops.js";
import type { WasmContext } from "./kernel.js";

/*
 * c[i + cColumn·j] = Σ_p a(i, p)·b(p, j) with both factors packed so that the innermost loop reads them from one end to the other:
 * a in *panels* of as many rows as a tile has, all rows of p behind those of p − 1; b in *strips* of four columns, likewise.
 * What lies beyond the last row or column is 0 there. Every sum is added up in the order of p, however the work is cut.
 */

const vectors = 2;
/** Columns of a strip. */
export const stripWidth = 4;

/** Rows of a panel. */
export const panelRows = ({ count }: Lanes): number => vectors * count;

/** So much of b, or of a's panels, is worked on at a time: about half of the nearest cache. */
export const blockBytes = 1 << 17;

/** Room for a tile that does not fit the result. */
export const edgeSize = 16 * vectors * stripWidth;

/** (panel, strip, c, k, cColumn): a tile; cColumn in bytes. */
function tile(context: WasmContext): Routine {
  const { lanes } = context;
  return context.routine("panel tile", () =>
    define(["i32", "i32", "i32", "i32", "i32"], [], ([panel, strip, c, k, cColumn]) => {
      const sums = Array.from({ length: stripWidth }, () =>
        Array.from({ length: vectors }, () => variable("v128", lanes.constant(0))),
      );
      const rows = Array.from({ length: vectors }, () => variable("v128"));
      const factor = variable("v128");
      repeat(k, () => {
        rows.forEach((row, v) => local.set(row, lanes.whole.load(panel, v * 16)));
        sums.forEach((column, j) => {
          local.set(factor, lanes.spread(strip, j * lanes.bytes));
          column.forEach((sum, v) => local.set(sum, lanes.multiplyAdd(rows[v]!, factor, sum)));
        });
        advance(panel, vectors * 16);
        advance(strip, stripWidth * lanes.bytes);
      });
      for (const column of sums) {
        column.forEach((sum, v) => lanes.whole.store(c, v * 16, () => local.get(sum)));
        advance(c, cColumn);
      }
    }),
  );
}

/** (panel, strip, c, k, cColumn, rows, columns, edge): of a tile only the first rows and columns are stored. */
function partOfTile(context: WasmContext): Routine {
  const { lanes } = context;
  return context.routine("part of a panel tile", () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([panel, strip, c, k, cColumn, rows, columns, edge]) => {
        call(tile(context), [panel, strip, edge, k, vectors * 16]);
        repeat(columns, () => {
          const [from, to] = [variable("i32", edge), variable("i32", c)];
          repeat(rows, () => {
            lanes.single.store(to, 0, () => lanes.single.load(from));
            advance(from, lanes.bytes);
            advance(to, lanes.bytes);
          });
          advance(edge, vectors * 16);
          advance(c, cColumn);
        });
      },
    ),
  );
}

/** (panels, strips, c, m, n, k, cColumn, edge): the product; every strip goes along all panels. */
export function productOfPanels(context: WasmContext): Routine {
  const { lanes } = context;
  const height = panelRows(lanes);
  return context.routine("product of panels", () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([panels, strips, c, m, n, k, cColumn, edge]) => {
        const panelSize = variable("i32", i32.mul(k, vectors * 16));
        forEach(0, n, stripWidth, (column) => {
          const width = smaller(variable("i32", i32.sub(n, column)), stripWidth);
          const at = variable("i32", panels);
          const to = variable("i32", c);
          forEach(0, m, height, (row) => {
            const rows = smaller(variable("i32", i32.sub(m, row)), height);
            when(
              i32.eq(i32.mul(rows, width), height * stripWidth),
              () => call(tile(context), [at, strips, to, k, cColumn]),
              () => call(partOfTile(context), [at, strips, to, k, cColumn, rows, width, edge]),
            );
            advance(at, panelSize);
            advance(to, vectors * 16);
          });
          advance(strips, i32.mul(k, stripWidth * lanes.bytes));
          advance(c, i32.mul(cColumn, stripWidth));
        });
      },
    ),
  );
}

/** (from, to, k, n, kStep, columnStep): packs columns into strips; from(p, j) lies at p·kStep + j·columnStep, in bytes. */
export function packedStrips(context: WasmContext): Routine {
  const { lanes } = context;
  const { bytes } = lanes;
  return context.routine("packed strips", () =>
    define(["i32", "i32", "i32", "i32", "i32", "i32"], [], ([from, to, k, n, kStep, columnStep]) => {
      forEach(0, n, stripWidth, (column) => {
        const width = smaller(variable("i32", i32.sub(n, column)), stripWidth);
        const row = variable("i32", from);
        const rows = (copy: () => void) =>
          repeat(k, () => {
            copy();
            advance(to, stripWidth * bytes);
            advance(row, kStep);
          });
        const neighbours = () => {
          for (let offset = 0; offset < stripWidth * bytes; offset += 16) {
            lanes.whole.store(to, offset, () => lanes.whole.load(row, offset));
          }
        };
        const apart = () => {
          const at = variable("i32", row);
          for (let j = 0; j < stripWidth; j++) {
            when(
              i32.lt_s(j, width),
              () => lanes.single.store(to, j * bytes, () => lanes.single.load(at)),
              () => lanes.single.store(to, j * bytes, () => lanes.constant(0)),
            );
            advance(at, columnStep);
          }
        };
        when(
          i32.and(i32.eq(columnStep, bytes), i32.eq(width, stripWidth)),
          () => rows(neighbours),
          () => rows(apart),
        );
        advance(from, i32.mul(columnStep, stripWidth));
      });
    }),
  );
}

/** (from, to, m, k, kStep): packs rows into panels; the rows are neighbours, from p to p it is kStep bytes. */
export function packedPanels(context: WasmContext): Routine {
  const { lanes } = context;
  const { bytes } = lanes;
  const height = panelRows(lanes);
  return context.routine("packed panels", () =>
    define(["i32", "i32", "i32", "i32", "i32"], [], ([from, to, m, k, kStep]) => {
      forEach(0, m, height, (row) => {
        const rows = smaller(variable("i32", i32.sub(m, row)), height);
        const column = variable("i32", from);
        const columns = (copy: () => void) =>
          repeat(k, () => {
            copy();
            advance(to, height * bytes);
            advance(column, kStep);
          });
        const whole = () => {
          for (let v = 0; v < vectors; v++) {
            lanes.whole.store(to, v * 16, () => lanes.whole.load(column, v * 16));
          }
        };
        // What stands beyond the last row makes numbers that are not stored.
        const part = () => {
          const [source, target] = [variable("i32", column), variable("i32", to)];
          repeat(rows, () => {
            lanes.single.store(target, 0, () => lanes.single.load(source));
            advance(source, bytes);
            advance(target, bytes);
          });
        };
        when(
          i32.eq(rows, height),
          () => columns(whole),
          () => columns(part),
        );
        advance(from, height * bytes);
      });
    }),
  );
}
