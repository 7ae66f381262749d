import { call, f64x2, local, v128 } from "wasmati";
import { dataKey } from "../../../plan/rewrite.js";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, repeat } from "../emit/loops.js";
import type { CorrelationSizes } from "./correlation.js";
import type { WasmContext } from "./kernel.js";

/** Do a vector of each map's gradient, a row of cells and their sums fit into the registers? */
const fits = (maps: number, width: number) => maps + width + maps * width <= 15;

/**
 * (sources, gradients, sums): adds Σ over y, x: gradient[map][y][x] · source[source][y + ky][x + kx] to the double
 * sums[map][source][ky][kx], for one sample. The gradients' rows are `gradientLength` numbers long, a multiple of a vector, with
 * zeros beyond the width.
 */
export function kernelCorrelation(
  context: WasmContext,
  sizes: CorrelationSizes,
  gradientLength: number,
): Routine {
  const { kernelWidth, kernelHeight, sources, maps, rowLength, sourceRows, height } = sizes;
  const { bytes } = context.lanes;
  const taps = kernelWidth * kernelHeight;
  return context.routine(`kernel correlation ${dataKey(sizes)} ${gradientLength}`, () =>
    define(["i32", "i32", "i32"], [], ([source, gradient, sums]) => {
      let left = maps;
      for (const together of [4, 3, 2, 1].filter((n) => n === 1 || fits(n, kernelWidth))) {
        const blocks = Math.floor(left / together);
        left -= blocks * together;
        if (blocks === 0) continue;
        repeat(variable("i32", blocks), () => {
          const from = variable("i32", source);
          const to = variable("i32", sums);
          repeat(variable("i32", sources), () => {
            const row = variable("i32", from);
            repeat(variable("i32", kernelHeight), () => {
              call(rowOfKernel(context, sizes, gradientLength, together), [row, gradient, to]);
              advance(row, rowLength * bytes);
              advance(to, kernelWidth * 8);
            });
            advance(from, sourceRows * rowLength * bytes);
          });
          advance(gradient, together * gradientLength * height * bytes);
          advance(sums, together * sources * taps * 8);
        });
      }
    }),
  );
}

/** (source, gradient, sums): one row of the kernels of `maps` maps. */
function rowOfKernel(
  context: WasmContext,
  sizes: CorrelationSizes,
  gradientLength: number,
  maps: number,
): Routine {
  const { kernelWidth, kernelHeight, sources, rowLength, height } = sizes;
  const { lanes } = context;
  const { bytes } = lanes;
  const key = `row of kernels ${dataKey(sizes)} ${gradientLength} ${maps}`;
  return context.routine(key, () =>
    define(["i32", "i32", "i32"], [], ([source, gradient, sums]) => {
      const totals = Array.from({ length: maps }, () =>
        Array.from({ length: kernelWidth }, () => variable("v128", lanes.constant(0))),
      );
      const slopes = totals.map(() => variable("v128"));
      const cell = variable("v128");
      const add = () => {
        slopes.forEach((slope, map) => {
          local.set(slope, lanes.whole.load(gradient, map * gradientLength * height * bytes));
        });
        for (let kx = 0; kx < kernelWidth; kx++) {
          local.set(cell, lanes.whole.load(source, kx * bytes));
          totals.forEach((row, map) =>
            local.set(row[kx]!, lanes.add(lanes.mul(cell, slopes[map]!), row[kx]!)),
          );
        }
      };
      repeat(variable("i32", height), () => {
        repeat(variable("i32", gradientLength / lanes.count), () => {
          add();
          advance(source, 16);
          advance(gradient, 16);
        });
        advance(source, (rowLength - gradientLength) * bytes);
      });
      totals.forEach((row, map) =>
        row.forEach((total, kx) => {
          const offset = (map * sources * kernelWidth * kernelHeight + kx) * 8;
          const sum = variable("v128", lanes.sumAcross(total));
          if (lanes.elementType === "float") local.set(sum, f64x2.promote_low_f32x4(sum));
          local.get(sums);
          f64x2.add(v128.load64_zero({ offset }, sums), sum);
          v128.store64_lane({ offset }, 0);
        }),
      );
    }),
  );
}
