import { i32, local, type Local, v128 } from "wasmati";
import { define, variable, type Routine } from "../emit/function.js";
import { joined, lanesOf, type Vector } from "../emit/lanes.js";
import { advance, forEach, repeat } from "../emit/loops.js";
import type { WasmContext } from "./kernel.js";
import { stripWidth } from "./panels.js";

/*
 * Winograd's F(2x2, 3x3) in float: 2x2 cells of a correlation with 3x3 kernels from 16 products instead of 36 (Lavin and Gray 2015).
 * With a 4x4 tile d, kernel g and gradient y of the 2x2 cells:
 *   tile Bᵀ·d·B, kernel G·g·Gᵀ, cells Aᵀ·(their product)·A; for the gradient of g the transposes A·y·Aᵀ and Gᵀ·(…)·G.
 * Each is one step applied to the columns, then to the rows. Vectors hold the same number of four tiles side by side.
 */

type V = Local<"v128">;
/** Places of a transformed tile. */
export const frequencies = 16;
/** Tiles are worked on so many at a time, all of one row. */
export const tilesAbreast = 4;

const { float } = lanesOf;
type Step = (x: readonly V[]) => V[];

const add = (a: V, b: V): V => variable("v128", float.add(a, b));
const sub = (a: V, b: V): V => variable("v128", float.sub(a, b));
const half = (a: V): V => variable("v128", float.mul(a, float.constant(0.5)));

const tileStep: Step = ([a, b, c, d]) => [sub(a!, c!), add(b!, c!), sub(c!, b!), sub(b!, d!)];
const kernelStep: Step = ([a, b, c]) => {
  const ends = half(add(a!, c!));
  const middle = half(b!);
  return [a!, add(ends, middle), sub(ends, middle), c!];
};
const cellStep: Step = ([a, b, c, d]) => [add(add(a!, b!), c!), sub(sub(b!, c!), d!)];
const slopeStep: Step = ([a, b]) => [a!, add(a!, b!), sub(a!, b!), variable("v128", float.neg(b!))];
/** In double. */
const kernelGradientStep: Step = ([a, b, c, d]) => {
  const { double } = lanesOf;
  const half = (x: Vector): V => variable("v128", double.mul(x, double.constant(0.5)));
  const [sum, difference] = [half(double.add(b!, c!)), half(double.sub(b!, c!))];
  const plus = (x: V): V => variable("v128", double.add(x, sum));
  return [plus(a!), difference, plus(d!)];
};

/** A step applied to the columns, then to the rows, of rows[y][x]. */
function bothWays(step: Step, rows: readonly (readonly V[])[]): V[][] {
  const along = rows.map((row) => step(row));
  const columns = along[0]!.map((_, x) => step(along.map((row) => row[x]!)));
  return columns[0]!.map((_, y) => columns.map((column) => column[y]!));
}

/** How a routine's vectors of tiles lie in its result: vector v at (v >> 1)·pair + (v & 1)·single, frequencies `frequency` apart; in bytes. */
export interface TileLayout {
  readonly pair: number;
  readonly single: number;
  readonly frequency: number;
}

function vectorPlace(base: Local<"i32">, vector: Local<"i32">, { pair, single }: TileLayout): Local<"i32"> {
  const odd = i32.mul(i32.and(vector, 1), single);
  const place = variable("i32", i32.add(odd, base));
  advance(place, i32.mul(i32.shr_u(vector, 1), pair));
  return place;
}

/** (image, to): Bᵀ·d·B of `across` vectors of tiles in each of `down` rows of tiles; the image's rows are `rowLength` numbers long. */
export function transformedTiles(
  context: WasmContext,
  [across, down, rowLength]: readonly [number, number, number],
  layout: TileLayout,
): Routine {
  const key = `winograd tiles ${[across, down, rowLength, layout.pair, layout.single, layout.frequency].join()}`;
  const load = (at: Local<"i32">, offset: number) => float.whole.load(at, offset);
  return context.routine(key, () =>
    define(["i32", "i32"], [], ([image, to]) => {
      const vector = variable("i32", 0);
      repeat(variable("i32", down), () => {
        const from = variable("i32", image);
        repeat(variable("i32", across), () => {
          const rows = Array.from({ length: 4 }, (_, y) => {
            const cells = [0, 4, 2, 6].map((x) => variable("v128", load(from, (y * rowLength + x) * 4)));
            return [0, 2].flatMap((i) => [
              variable("v128", joined(cells[i]!, cells[i + 1]!, [0, 2, 4, 6], 4)),
              variable("v128", joined(cells[i]!, cells[i + 1]!, [1, 3, 5, 7], 4)),
            ]);
          });
          const place = vectorPlace(to, vector, layout);
          stored(place, bothWays(tileStep, rows), layout.frequency);
          advance(from, tilesAbreast * 8);
          advance(vector, 1);
        });
        advance(image, rowLength * 8);
      });
    }),
  );
}

/** Stores the numbers of a transformed tile, one frequency behind the other. */
function stored(place: Local<"i32">, rows: readonly (readonly V[])[], step: number): void {
  rows.flat().forEach((value, frequency) => {
    v128.store({ offset: frequency * step }, place, value);
  });
}

/** (kernels, to, sources, targets, sourceStep, targetStep, frequencyStep): G·g·Gᵀ in strips of four targets; `turned` by 180 degrees. */
export function transformedKernels(context: WasmContext, turned: boolean): Routine {
  return context.routine(`winograd kernels ${turned}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([kernels, to, sources, targets, sourceStep, targetStep, frequencyStep]) => {
        forEach(0, targets, stripWidth, (target) => {
          const from = variable("i32", kernels);
          repeat(sources, () => {
            const places = placesOfTargets(from, target, targets, targetStep);
            const rows = Array.from({ length: 3 }, (_, y) =>
              Array.from({ length: 3 }, (_, x) => {
                const tap = turned ? 8 - y * 3 - x : y * 3 + x;
                const taps = variable("v128", float.single.load(places[0]!, tap * 4));
                places.forEach((place, lane) => {
                  if (lane > 0) local.set(taps, float.loadLane(lane, place, tap * 4, taps));
                });
                return taps;
              }),
            );
            const place = variable("i32", to);
            for (const value of bothWays(kernelStep, rows).flat()) {
              v128.store({}, place, value);
              advance(place, frequencyStep);
            }
            advance(to, 16);
            advance(from, sourceStep);
          });
          advance(kernels, i32.mul(targetStep, stripWidth));
        });
      },
    ),
  );
}

/** The kernels of four targets; beyond the last one the last again, whose products nobody reads. */
function placesOfTargets(
  first: Local<"i32">,
  target: Local<"i32">,
  targets: Local<"i32">,
  step: Local<"i32">,
): Local<"i32">[] {
  const places = [first];
  for (let lane = 1; lane < stripWidth; lane++) {
    const isThere = i32.lt_s(i32.add(target, lane), targets);
    places.push(variable("i32", i32.add(i32.mul(isThere, step), places[lane - 1]!)));
  }
  return places;
}

/** What cells a row of tiles has. */
export interface CellRows {
  readonly width: number;
  readonly height: number;
}

/** (products, to): Aᵀ·m·A of all tiles, `across` vectors in a row, into an image; products of a frequency are `frequencyStep` bytes apart. */
export function transformedCells(
  context: WasmContext,
  { width, height }: CellRows,
  frequencyStep: number,
): Routine {
  const load = (at: Local<"i32">, offset: number) => float.whole.load(at, offset);
  const cellsAbreast = tilesAbreast * 2;
  return context.routine(`winograd cells ${width} ${height} ${frequencyStep}`, () =>
    define(["i32", "i32"], [], ([products, to]) => {
      const vector = (count: number, rows: number) => {
        const tile = Array.from({ length: 4 }, (_, y) =>
          Array.from({ length: 4 }, (_, x) => variable("v128", load(products, (y * 4 + x) * frequencyStep))),
        );
        bothWays(cellStep, tile)
          .slice(0, rows)
          .forEach(([even, odd], y) => {
            [
              [0, 4, 1, 5],
              [2, 6, 3, 7],
            ].forEach((order, i) => {
              const cells = Math.min(4, count - i * 4);
              if (cells <= 0) return;
              const both = variable("v128", joined(even!, odd!, order, 4));
              float.storeFirst(cells, to, (y * width + i * 4) * 4, both);
            });
          });
        advance(products, 16);
        advance(to, count * 4);
      };
      const row = (rows: number) => {
        const whole = Math.floor(width / cellsAbreast);
        if (whole > 0) repeat(variable("i32", whole), () => vector(cellsAbreast, rows));
        if (width % cellsAbreast > 0) vector(width % cellsAbreast, rows);
        advance(to, width * (rows - 1) * 4);
      };
      if (height >= 2) repeat(variable("i32", Math.floor(height / 2)), () => row(2));
      if (height % 2 === 1) row(1);
    }),
  );
}

/** (gradient, to): A·y·Aᵀ of `across` vectors of tiles in each of `down` rows of tiles; the image's rows are `rowLength` numbers long. */
export function transformedSlopes(
  context: WasmContext,
  [across, down, rowLength]: readonly [number, number, number],
  layout: TileLayout,
): Routine {
  const load = (at: Local<"i32">, offset: number) => float.whole.load(at, offset);
  const key = `winograd slopes ${[across, down, rowLength, layout.pair, layout.single, layout.frequency].join()}`;
  return context.routine(key, () =>
    define(["i32", "i32"], [], ([gradient, to]) => {
      const vector = variable("i32", 0);
      repeat(variable("i32", down), () => {
        const from = variable("i32", gradient);
        repeat(variable("i32", across), () => {
          const rows = [0, 1].map((y) => {
            const [a, b] = [0, 4].map((x) => variable("v128", load(from, (y * rowLength + x) * 4)));
            return [
              variable("v128", joined(a!, b!, [0, 2, 4, 6], 4)),
              variable("v128", joined(a!, b!, [1, 3, 5, 7], 4)),
            ];
          });
          stored(vectorPlace(to, vector, layout), bothWays(slopeStep, rows), layout.frequency);
          advance(from, tilesAbreast * 8);
          advance(vector, 1);
        });
        advance(gradient, rowLength * 8);
      });
    }),
  );
}

/** (sums, to, pairs): Gᵀ·(…)·G of the double sums of two neighbouring kernels, frequencies `frequencyStep` bytes apart, for `pairs` pairs. */
export function transformedSums(context: WasmContext, frequencyStep: number): Routine {
  const kernelSize = 9 * 8;
  return context.routine(`winograd sums ${frequencyStep}`, () =>
    define(["i32", "i32", "i32"], [], ([sums, to, pairs]) => {
      repeat(pairs, () => {
        const tile = Array.from({ length: 4 }, (_, y) =>
          Array.from({ length: 4 }, (_, x) =>
            variable("v128", v128.load({ offset: (y * 4 + x) * frequencyStep }, sums)),
          ),
        );
        bothWays(kernelGradientStep, tile)
          .flat()
          .forEach((taps, tap) => {
            v128.store64_lane({ offset: tap * 8 }, 0, to, taps);
            v128.store64_lane({ offset: tap * 8 + kernelSize }, 1, to, taps);
          });
        advance(sums, 16);
        advance(to, 2 * kernelSize);
      });
    }),
  );
}
