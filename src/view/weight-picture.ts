import type { Values } from "../numerics/values.js";
import type { WeightPicture } from "./view-data.js";

/** Tiles of weights: where each pixel lies in memory. */
interface Tiles {
  readonly caption: string;
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
  readonly channels: 1 | 3;
  /** Index of the value of a channel of a pixel of a tile. */
  readonly index: (column: number, row: number, x: number, y: number, channel: number) => number;
}

/** The kernels of a convolution, as they lie in memory: [width x height x channels x maps]. */
export interface KernelShape {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly maps: number;
}

/** A picture holds as many values; what is beyond is left out. */
const mostPixels = 40_000;
const mostTiles = 48;

/** The kernels of a convolution: a row of tiles for each channel, or coloured tiles where channels are colours. */
export function kernelPicture(values: Values, shape: KernelShape, isColour: boolean): WeightPicture {
  const { width, height, channels, maps } = shape;
  const size = width * height * channels;
  const at = (map: number, channel: number, x: number, y: number): number =>
    map * size + (channel * height + y) * width + x;
  const kernels = `${maps} kernels of ${width} x ${height}`;
  if (width * height === 1) {
    // Kernels of one pixel are a matrix.
    const [columns, rows] = [Math.min(channels, 256), Math.min(maps, 256)];
    return picture(values, {
      caption: `${kernels}: a row for each of ${shown(rows, maps, "maps")}, a column for each of ${shown(columns, channels, "channels")}`,
      width: columns,
      height: rows,
      columns: 1,
      rows: 1,
      channels: 1,
      index: (_column, _row, x, y) => at(y, x, 0, 0),
    });
  }
  if (channels === 1 || (channels === 3 && isColour)) {
    const { tiles, columns, rows, tileAt } = gridOf(maps, size);
    return picture(values, {
      caption: `${tiles < maps ? `${tiles} of ` : ""}${kernels}${channels === 3 ? ", channels as colours" : ""}`,
      width,
      height,
      columns,
      rows,
      channels: channels === 3 ? 3 : 1,
      index: (column, row, x, y, channel) => {
        const map = tileAt(column, row);
        return map === undefined ? -1 : at(map, channel, x, y);
      },
    });
  }
  const most = Math.max(1, Math.min(mostTiles, Math.floor(Math.sqrt(mostPixels / (width * height)))));
  const [columns, rows] = [Math.min(maps, most), Math.min(channels, most)];
  return picture(values, {
    caption: `${kernels}: a column for each of ${shown(columns, maps, "maps")}, a row for each of ${shown(rows, channels, "channels")}`,
    width,
    height,
    columns,
    rows,
    channels: 1,
    index: (column, row, x, y) => at(column, row, x, y),
  });
}

/** Weights [outputs x width x height x channels] of images, a tile for each output; of channels the first one. */
export function imageWeightsPicture(
  values: Values,
  outputs: number,
  width: number,
  height: number,
): WeightPicture {
  const { tiles, columns, rows, tileAt } = gridOf(outputs, width * height);
  return picture(values, {
    caption: `weights of an image of ${width} x ${height}, a tile for each of ${shown(tiles, outputs, "outputs")}`,
    width,
    height,
    columns,
    rows,
    channels: 1,
    index: (column, row, x, y) => {
      const output = tileAt(column, row);
      return output === undefined ? -1 : (y * width + x) * outputs + output;
    },
  });
}

/** A matrix, first dimension downwards. */
export function matrixPicture(values: Values, rows: number, columns: number): WeightPicture {
  const [height, width] = [Math.min(rows, 128), Math.min(columns, 256)];
  return picture(values, {
    caption: `matrix: ${shown(height, rows, "rows")}, ${shown(width, columns, "columns")}`,
    width,
    height,
    columns: 1,
    rows: 1,
    channels: 1,
    index: (_column, _row, x, y) => x * rows + y,
  });
}

/** As many of `count` tiles of so many values as a picture holds, in rows nearly as long as there are rows. */
function gridOf(
  count: number,
  valuesEach: number,
): {
  readonly tiles: number;
  readonly columns: number;
  readonly rows: number;
  /** Which tile is at a place; undefined behind the last one. */
  readonly tileAt: (column: number, row: number) => number | undefined;
} {
  const tiles = Math.min(count, Math.max(1, Math.floor(mostPixels / valuesEach)));
  const columns = Math.min(tiles, Math.max(8, Math.ceil(Math.sqrt(tiles))));
  const tileAt = (column: number, row: number): number | undefined => {
    const tile = row * columns + column;
    return tile < tiles ? tile : undefined;
  };
  return { tiles, columns, rows: Math.ceil(tiles / columns), tileAt };
}

function shown(some: number, all: number, what: string): string {
  return some < all ? `the first ${some} of ${all} ${what}` : `${all} ${what}`;
}

/** Bytes around 128, the largest shown value at the end of the scale. */
function picture(values: Values, { index, ...tiles }: Tiles): WeightPicture {
  const { width, height, columns, rows, channels } = tiles;
  const found = new Float64Array(width * height * columns * rows * channels);
  let [place, scale] = [0, 0];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          for (let channel = 0; channel < channels; channel++) {
            const at = index(column, row, x, y, channel);
            const value = at < 0 ? NaN : (values[at] ?? NaN);
            found[place++] = value;
            if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
          }
  const bytes = Uint8Array.from(found, (value) =>
    Number.isFinite(value) ? Math.round(128 + (scale > 0 ? (127 * value) / scale : 0)) : 0,
  );
  return { ...tiles, pixels: base64(bytes), scale };
}

/** Bytes as text. */
export function base64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let from = 0; from < bytes.length; from += 0x6000)
    pieces.push(btoa(String.fromCharCode(...bytes.subarray(from, from + 0x6000))));
  return pieces.join("");
}
