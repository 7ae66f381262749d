import { elementCount, type SampleShape } from "../../network/network.js";
import type { Values } from "../../numerics/values.js";
import type { Canvas } from "./canvas.js";

/** How the samples of a node lie in a picture: maps side by side, in rows. */
export interface TileLayout {
  /** Of one map. */
  readonly width: number;
  readonly height: number;
  readonly maps: number;
  /** Maps in a row. */
  readonly columns: number;
  /** Three maps are red, green and blue of one. */
  readonly isColour: boolean;
  /** Pixels of a value's side. */
  readonly scale: number;
}

/** Pixels of a tile's longer side; small maps are enlarged by whole factors. */
const tileSize = 112;
/** Pixels between maps. */
const gap = 2;

/**
 * The layout of samples [W x H x …]: all further axes are maps. Vectors are squares where they are one, rows, or where they are long,
 * rows that are cut. Three maps of an input are colours.
 */
export function tileLayout(shape: SampleShape, isInput: boolean): TileLayout {
  const [width = 1, height = 1, ...rest] = shape.length > 1 ? shape : vectorShape(shape[0] ?? 1);
  const isColour = isInput && rest.length === 1 && rest[0] === 3;
  const maps = isColour ? 1 : elementCount(rest);
  const columns = Math.ceil(Math.sqrt(maps));
  const scale = Math.max(1, Math.floor(tileSize / (Math.max(width, height) * columns)));
  return { width, height, maps, columns, isColour, scale };
}

function vectorShape(length: number): [number, number] {
  const side = Math.ceil(Math.sqrt(length));
  return length > tileSize || side * side === length ? [side, Math.ceil(length / side)] : [length, 1];
}

export const widthOf = ({ width, columns, scale }: TileLayout): number =>
  columns * (width * scale + gap) - gap;

export const heightOf = ({ height, maps, columns, scale }: TileLayout): number =>
  Math.ceil(maps / columns) * (height * scale + gap) - gap;

/** Paints a sample, from black (its smallest value) to white (its largest). */
export function paintTile(
  canvas: Canvas,
  layout: TileLayout,
  sample: Values,
  left: number,
  top: number,
): void {
  const { width, height, maps, columns, isColour, scale } = layout;
  let [low, high] = [Infinity, -Infinity];
  for (const value of sample) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const range = high > low ? high - low : 1;
  const brightness = (index: number): number => Math.round((255 * ((sample[index] ?? low) - low)) / range);
  const size = width * height;
  for (let place = 0; place < maps * size; place++) {
    const [map, x, y] = [Math.floor(place / size), place % width, Math.floor(place / width) % height];
    if (place >= sample.length) return;
    const grey = brightness(place);
    const colour = isColour
      ? [grey, brightness(place + size), brightness(place + 2 * size)]
      : [grey, grey, grey];
    const across = (map % columns) * (width * scale + gap) + x * scale;
    const down = Math.floor(map / columns) * (height * scale + gap) + y * scale;
    canvas.fill(left + across, top + down, scale, scale, colour);
  }
}
