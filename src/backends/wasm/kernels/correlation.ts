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

/** The same where two rows of one map are summed up together: what is loaded serves both. */
const vectorsOfPair = 4;

type Place = Local<"i32">;

/** (sources, kernels, target): the correlation of one sample. */
export function correlation(context: WasmContext, sizes: CorrelationSizes): Routine {
  const { width, height, maps, sources, kernelWidth, kernelHeight } = sizes;
  const { bytes } = context.lanes;
  const kernelSize = kernelWidth * kernelHeight * sources * bytes;
  return context.routine(`correlation ${dataKey(sizes)}`, () =>
    define(["i32", "i32", "i32"], [], ([source, kernels, target]) => {
      let left = maps;
      for (const together of [4, 2, 1] as const) {
        const blocks = Math.floor(left / together);
        left -= blocks * together;
        if (blocks === 0) continue;
        repeat(variable("i32", blocks), () => {
          const [row, to] = [variable("i32", source), variable("i32", target)];
          const pairs = together === 1 ? Math.floor(height / 2) : 0;
          if (pairs > 0) {
            const numbers = vectorsOfPair * context.lanes.count;
            repeat(variable("i32", pairs), () =>
              tilesOfRow(context, sizes, 2, numbers, [row, kernels, to], pairTile),
            );
          }
          const rest = height - 2 * pairs;
          if (rest > 0) {
            const numbers = vectorsFor[together] * context.lanes.count;
            const routine = (_: WasmContext, __: CorrelationSizes, count: number) =>
              tile(context, sizes, together, count);
            repeat(variable("i32", rest), () =>
              tilesOfRow(context, sizes, 1, numbers, [row, kernels, to], routine),
            );
          }
          advance(kernels, together * kernelSize);
          advance(target, together * width * height * bytes);
        });
      }
    }),
  );
}

/** Tiles of at most so many numbers along a row, or `rows` rows; source and target move on to the next ones. */
function tilesOfRow(
  context: WasmContext,
  sizes: CorrelationSizes,
  rows: number,
  most: number,
  [row, kernels, to]: readonly [Place, Place, Place],
  routine: (context: WasmContext, sizes: CorrelationSizes, numbers: number) => Routine,
): void {
  const { width, rowLength } = sizes;
  const { bytes } = context.lanes;
  for (let x = 0; x < width; x += most) {
    const at = (place: Place) => {
      const moved = variable("i32", place);
      advance(moved, x * bytes);
      return moved;
    };
    call(routine(context, sizes, Math.min(width - x, most)), [at(row), kernels, at(to)]);
  }
  advance(row, rows * rowLength * bytes);
  advance(to, rows * width * bytes);
}

/** (source, kernels, target): `numbers` neighbours of two rows for one map, all in registers. */
function pairTile(context: WasmContext, sizes: CorrelationSizes, numbers: number): Routine {
  const { rowLength, sourceRows, kernelWidth, kernelHeight, sources, width } = sizes;
  const { lanes } = context;
  const { bytes } = lanes;
  const vectors = Math.ceil(numbers / lanes.count);
  return context.routine(`correlation of two rows ${dataKey(sizes)} ${numbers}`, () =>
    define(["i32", "i32", "i32"], [], ([source, kernels, target]) => {
      const sums = [0, 1].map(() =>
        Array.from({ length: vectors }, () => variable("v128", lanes.constant(0))),
      );
      const cells = Array.from({ length: vectors }, () => variable("v128"));
      const weights = sums.map(() => variable("v128"));
      /** A row of cells; the second row of sums sees it under the kernel's row before. */
      const row = (rows: readonly (0 | 1)[]) => {
        repeat(variable("i32", kernelWidth), () => {
          cells.forEach((cell, v) => local.set(cell, lanes.whole.load(source, v * 16)));
          for (const r of rows) {
            local.set(weights[r]!, lanes.spread(kernels, (1 - r) * kernelWidth * bytes));
          }
          for (const r of rows) {
            sums[r]!.forEach((sum, v) => local.set(sum, lanes.multiplyAdd(cells[v]!, weights[r]!, sum)));
          }
          advance(source, bytes);
          advance(kernels, bytes);
        });
        advance(source, (rowLength - kernelWidth) * bytes);
      };
      // The second row of sums is one row of the kernel behind.
      advance(kernels, -kernelWidth * bytes);
      repeat(variable("i32", sources), () => {
        row([0]);
        if (kernelHeight > 1) repeat(variable("i32", kernelHeight - 1), () => row([0, 1]));
        row([1]);
        advance(kernels, -kernelWidth * bytes);
        advance(source, (sourceRows - kernelHeight - 1) * rowLength * bytes);
      });
      sums.forEach((of, r) =>
        of.forEach((sum, v) => {
          const count = Math.min(lanes.count, numbers - v * lanes.count);
          lanes.storeFirst(count, target, r * width * bytes + v * 16, sum);
        }),
      );
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
