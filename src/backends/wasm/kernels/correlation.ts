import { call, local, type Local } from "wasmati";
import { dataKey } from "../../../plan/rewrite.js";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, repeat } from "../emit/loops.js";
import type { WasmContext } from "./kernel.js";

/**
 * target[map][y][x] = Σ over sources, ky, kx: kernel[map][source][ky][kx] · source[source][y + ky][x + kx]. The sources' rows
 * are `rowLength` numbers long, so long that a vector that begins in the target's width stays inside; each source has
 * `sourceRows` rows.
 */
export interface CorrelationSizes {
  readonly width: number;
  readonly height: number;
  readonly rowLength: number;
  readonly sourceRows: number;
  readonly kernelWidth: number;
  readonly kernelHeight: number;
  readonly sources: number;
  readonly maps: number;
}

/**
 * How many vectors of a row are summed up at a time, for as many maps at a time. The engine loads all that a turn of a loop
 * needs before it computes: loads, spread weights and sums together must fit into 15 registers, and a turn must be one tap.
 */
const vectorsFor: Readonly<Record<1 | 2 | 4, number>> = { 4: 2, 2: 4, 1: 7 };

/** (sources, kernels, target): the correlation of one sample. */
export function correlation(context: WasmContext, sizes: CorrelationSizes): Routine {
  const { width, height, rowLength, maps, sources, kernelWidth, kernelHeight } = sizes;
  const { lanes } = context;
  const { bytes } = lanes;
  const kernelSize = kernelWidth * kernelHeight * sources * bytes;
  return context.routine(`correlation ${dataKey(sizes)}`, () =>
    define(["i32", "i32", "i32"], [], ([source, kernels, target]) => {
      let left = maps;
      for (const together of [4, 2, 1] as const) {
        const blocks = Math.floor(left / together);
        left -= blocks * together;
        if (blocks === 0) continue;
        repeat(variable("i32", blocks), () => {
          const row = variable("i32", source);
          const to = variable("i32", target);
          repeat(variable("i32", height), () => {
            for (let x = 0; x < width;) {
              const numbers = Math.min(width - x, vectorsFor[together] * lanes.count);
              const routine = tile(context, sizes, together, numbers);
              const at = (place: Local<"i32">) => {
                const moved = variable("i32", place);
                advance(moved, x * bytes);
                return moved;
              };
              call(routine, [at(row), kernels, at(to)]);
              x += numbers;
            }
            advance(row, rowLength * bytes);
            advance(to, width * bytes);
          });
          advance(kernels, together * kernelSize);
          advance(target, together * width * height * bytes);
        });
      }
    }),
  );
}

/** (source, kernels, target): `numbers` neighbours of one row for `maps` maps, all in registers. */
function tile(context: WasmContext, sizes: CorrelationSizes, maps: number, numbers: number): Routine {
  const { rowLength, sourceRows, kernelWidth, kernelHeight, sources, width, height } = sizes;
  const { lanes } = context;
  const { bytes } = lanes;
  const vectors = Math.ceil(numbers / lanes.count);
  const taps = kernelWidth * kernelHeight;
  return context.routine(`correlation tile ${dataKey(sizes)} ${maps} ${numbers}`, () =>
    define(["i32", "i32", "i32"], [], ([source, kernels, target]) => {
      const sums = Array.from({ length: maps }, () =>
        Array.from({ length: vectors }, () => variable("v128", lanes.constant(0))),
      );
      const cells = Array.from({ length: vectors }, () => variable("v128"));
      const weight = variable("v128");
      const add = () => {
        cells.forEach((cell, v) => local.set(cell, lanes.whole.load(source, v * 16)));
        sums.forEach((row, map) => {
          local.set(weight, lanes.spread(kernels, map * sources * taps * bytes));
          row.forEach((sum, v) => local.set(sum, lanes.multiplyAdd(cells[v]!, weight, sum)));
        });
      };
      repeat(variable("i32", sources), () => {
        repeat(variable("i32", kernelHeight), () => {
          repeat(variable("i32", kernelWidth), () => {
            add();
            advance(source, bytes);
            advance(kernels, bytes);
          });
          advance(source, (rowLength - kernelWidth) * bytes);
        });
        advance(source, (sourceRows - kernelHeight) * rowLength * bytes);
      });
      sums.forEach((row, map) =>
        row.forEach((sum, v) => {
          const count = Math.min(lanes.count, numbers - v * lanes.count);
          lanes.storeFirst(count, target, map * width * height * bytes + v * 16, sum);
        }),
      );
    }),
  );
}
