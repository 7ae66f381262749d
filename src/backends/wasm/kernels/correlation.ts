import { call, i32, local, type Local } from "wasmati";
import { dataKey } from "../../../plan/rewrite.js";
import { define, variable, type Routine } from "../emit/function.js";
import type { Lanes } from "../emit/lanes.js";
import { advance, forStretches, repeat } from "../emit/loops.js";
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
 * How many vectors are summed up at a time for so many maps. The engine loads all that a turn of a loop needs before it computes:
 * loads, spread weights and sums together must fit into 15 registers, and a turn must be one tap.
 */
const vectorsFor = { 4: 2, 3: 3, 2: 4 } as const;
/** How many maps are worked on together. */
export type Together = 1 | keyof typeof vectorsFor;

/** Two rows of one map are summed up together, so many vectors of each: what is loaded serves both. */
const vectorsOfPair = 4;

type Place = Local<"i32">;

/** (sources, kernels, target): the correlation of one sample. */
export function correlation(context: WasmContext, sizes: CorrelationSizes): Routine {
  const { width, height, sources, kernelWidth, kernelHeight } = sizes;
  const { bytes } = context.lanes;
  const kernelSize = kernelWidth * kernelHeight * sources * bytes;
  return context.routine(`correlation ${dataKey(sizes)}`, () =>
    define(["i32", "i32", "i32"], [], ([source, kernels, target]) => {
      for (const maps of mapsTogether(sizes.maps)) {
        const routine = maps === 1 ? oneMap(context, sizes) : severalMaps(context, sizes, maps);
        call(routine, [source, kernels, target]);
        advance(kernels, maps * kernelSize);
        advance(target, maps * width * height * bytes);
      }
    }),
  );
}

/** Maps in groups that are worked on together; a map that is left alone costs more than its share. */
export function mapsTogether(maps: number): Together[] {
  const groups: Together[] = [];
  for (let left = maps; left > 0; left -= groups.at(-1)!) {
    groups.push(left === 5 ? 3 : (Math.min(left, 4) as Together));
  }
  return groups;
}

/** Numbers of an image that are summed up together: vectors of a few rows, so many of each. */
interface Tile {
  readonly rows: number;
  readonly vectors: number;
}

/** The tile of `vectors` vectors that covers the target with the fewest that are summed up twice. */
function tileOf({ count }: Lanes, { width, height }: CorrelationSizes, vectors: number): Tile {
  const across = Math.ceil(width / count);
  const work = ({ rows, vectors: each }: Tile) =>
    Math.ceil(height / rows) * rows * Math.ceil(across / each) * each;
  const tiles = [1, 2, 3, 4]
    .filter((rows) => vectors % rows === 0)
    .map((rows) => ({ rows: Math.min(rows, height), vectors: Math.min(vectors / rows, across) }));
  return tiles.reduce((best, tile) => (work(tile) <= work(best) ? tile : best));
}

/** Where the vectors of a tile's row begin: the last one ends with the row's numbers. */
function startsOf({ count }: Lanes, { width }: CorrelationSizes, { vectors }: Tile): number[] {
  const last = Math.max(0, Math.min(vectors * count, width) - count);
  return Array.from({ length: vectors }, (_, v) => Math.min(v * count, last));
}

/** (source, kernels, target): `maps` maps; a tile of all of them at a time, all sums in registers. */
function severalMaps(context: WasmContext, sizes: CorrelationSizes, maps: keyof typeof vectorsFor): Routine {
  const { rowLength, sourceRows, kernelWidth, kernelHeight, sources, width, height } = sizes;
  const { lanes } = context;
  const { bytes } = lanes;
  const taps = kernelWidth * kernelHeight;
  const tile = tileOf(lanes, sizes, vectorsFor[maps]);
  const starts = startsOf(lanes, sizes, tile);
  /** The tile's vectors: how far they are from its first number, in rows of so many numbers. */
  const offsets = (length: number) =>
    Array.from({ length: tile.rows }, (_, y) => starts.map((x) => (y * length + x) * bytes)).flat();
  return context.routine(`correlation of ${maps} maps ${dataKey(sizes)}`, () =>
    define(["i32", "i32", "i32"], [], ([sourceImage, kernels, targetImage]) => {
      forTiles(lanes, sizes, tile, [sourceImage, targetImage], (source, target) => {
        const weights = variable("i32", kernels);
        const sums = zeros(lanes, maps, tile.rows * tile.vectors);
        const cells = sums[0]!.map(() => variable("v128"));
        const weight = variable("v128");
        const sourceOffsets = offsets(rowLength);
        repeat(variable("i32", sources), () => {
          repeat(variable("i32", kernelHeight), () => {
            repeat(variable("i32", kernelWidth), () => {
              cells.forEach((cell, v) => local.set(cell, lanes.whole.load(source, sourceOffsets[v])));
              sums.forEach((ofMap, map) => {
                local.set(weight, lanes.spread(weights, map * sources * taps * bytes));
                ofMap.forEach((sum, v) => local.set(sum, lanes.multiplyAdd(cells[v]!, weight, sum)));
              });
              advance(source, bytes);
              advance(weights, bytes);
            });
            advance(source, (rowLength - kernelWidth) * bytes);
          });
          advance(source, (sourceRows - kernelHeight) * rowLength * bytes);
        });
        const targetOffsets = offsets(width);
        sums.forEach((ofMap, map) =>
          ofMap.forEach((sum, v) => {
            const offset = map * height * width * bytes + targetOffsets[v]!;
            lanes.storeFirst(Math.min(lanes.count, width), target, offset, sum);
          }),
        );
      });
    }),
  );
}

/** (source, kernels, target): one map; two rows at a time, or the only one. */
function oneMap(context: WasmContext, sizes: CorrelationSizes): Routine {
  const { rowLength, sourceRows, kernelWidth, kernelHeight, sources, width, height } = sizes;
  const { lanes } = context;
  const { bytes } = lanes;
  const rows = Math.min(2, height);
  const tile = { rows, vectors: Math.min(vectorsOfPair, Math.ceil(width / lanes.count)) };
  const starts = startsOf(lanes, sizes, tile);
  return context.routine(`correlation of one map ${dataKey(sizes)}`, () =>
    define(["i32", "i32", "i32"], [], ([sourceImage, kernels, targetImage]) => {
      forTiles(lanes, sizes, tile, [sourceImage, targetImage], (source, target) => {
        const sums = zeros(lanes, rows, tile.vectors);
        const cells = starts.map(() => variable("v128"));
        const weights = sums.map(() => variable("v128"));
        // The last row of sums is one row of the kernel behind.
        const kernel = variable("i32", kernels);
        advance(kernel, -(rows - 1) * kernelWidth * bytes);
        /** Rows of cells, each under a row of the kernel; the second row of sums sees it under the row before. */
        const under = (seen: readonly number[], kernelRows: number) =>
          repeat(variable("i32", kernelRows), () => {
            repeat(variable("i32", kernelWidth), () => {
              cells.forEach((cell, v) => local.set(cell, lanes.whole.load(source, starts[v]! * bytes)));
              for (const y of seen) {
                local.set(weights[y]!, lanes.spread(kernel, (rows - 1 - y) * kernelWidth * bytes));
              }
              for (const y of seen) {
                sums[y]!.forEach((sum, v) => local.set(sum, lanes.multiplyAdd(cells[v]!, weights[y]!, sum)));
              }
              advance(source, bytes);
              advance(kernel, bytes);
            });
            advance(source, (rowLength - kernelWidth) * bytes);
          });
        repeat(variable("i32", sources), () => {
          if (rows === 1) under([0], kernelHeight);
          else {
            under([0], 1);
            if (kernelHeight > 1) under([0, 1], kernelHeight - 1);
            under([1], 1);
          }
          advance(kernel, -(rows - 1) * kernelWidth * bytes);
          advance(source, (sourceRows - kernelHeight - rows + 1) * rowLength * bytes);
        });
        sums.forEach((ofRow, y) =>
          ofRow.forEach((sum, v) =>
            lanes.storeFirst(Math.min(lanes.count, width), target, (y * width + starts[v]!) * bytes, sum),
          ),
        );
      });
    }),
  );
}

/** Every tile: where it begins in the first source and in the first map. */
function forTiles(
  { count, bytes }: Lanes,
  { width, height, rowLength }: CorrelationSizes,
  { rows, vectors }: Tile,
  [source, target]: readonly [Place, Place],
  body: (source: Place, target: Place) => void,
): void {
  forStretches(height, rows, (y) => {
    forStretches(width, vectors * count, (x) => {
      const at = (image: Place, length: number) => {
        const cell = i32.mul(i32.add(i32.mul(y, length), x), bytes);
        return variable("i32", i32.add(cell, image));
      };
      body(at(source, rowLength), at(target, width));
    });
  });
}

const zeros = (lanes: Lanes, rows: number, columns: number): Local<"v128">[][] =>
  Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => variable("v128", lanes.constant(0))),
  );
