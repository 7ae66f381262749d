import { CntkError } from "../diagnostics/diagnostic.js";
import { formatValue } from "../log/node-values.js";
import type { EvaluatedNode } from "./model-session.js";

/** A grey picture, one byte a pixel, row by row. */
export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Pixels of a tile's longer side; small maps are enlarged by whole factors. */
const tileSize = 112;
const gap = 8;
const background = 255;

/** A 2-D view of one sample: maps of a `[W x H x C]` tensor stand side by side. */
interface Tile {
  readonly width: number;
  readonly height: number;
  readonly values: Float64Array;
}

function tileOf(node: EvaluatedNode, sample: ArrayLike<number>): Tile {
  const [w = 1, h = 1, ...rest] = node.shape.length > 1 ? node.shape : squareShape(node.shape[0] ?? 1);
  const maps = rest.reduce((product, dim) => product * dim, 1);
  const width = w * maps;
  const values = new Float64Array(width * h);
  for (let map = 0; map < maps; map++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) values[y * width + map * w + x] = sample[(map * h + y) * w + x] ?? 0;
    }
  }
  return { width, height: h, values };
}

/** A vector is drawn as a square where it is one, else as a row. */
function squareShape(length: number): number[] {
  const side = Math.round(Math.sqrt(length));
  return side * side === length ? [side, side] : [length, 1];
}

/**
 * Draws the samples of several nodes: one row a sample, one column a node (original, encoding, decoding), each tile
 * scaled from black (its smallest value) to white (its largest).
 */
export function drawSamples(nodes: readonly EvaluatedNode[]): GreyPicture {
  const count = Math.min(...nodes.map((node) => node.samples.length));
  if (!(count > 0)) {
    throw new CntkError({ code: "no-samples", message: "There are no samples to draw." });
  }
  const tiles = nodes.map((node) => node.samples.slice(0, count).map((sample) => tileOf(node, sample)));
  const scales = tiles.map(([tile]) => Math.max(1, Math.floor(tileSize / Math.max(tile?.height ?? 1, 1))));
  const widths = tiles.map(([tile], column) => (tile?.width ?? 1) * (scales[column] ?? 1));
  const heights = tiles.map(([tile], column) => (tile?.height ?? 1) * (scales[column] ?? 1));
  const rowHeight = Math.max(...heights);
  const width = widths.reduce((sum, w) => sum + w + gap, gap);
  const height = count * (rowHeight + gap) + gap;
  const pixels = new Uint8Array(width * height).fill(background);
  let left = gap;
  tiles.forEach((column, index) => {
    column.forEach((tile, row) => {
      const top = gap + row * (rowHeight + gap) + Math.floor((rowHeight - (heights[index] ?? 0)) / 2);
      paint(pixels, width, tile, scales[index] ?? 1, left, top);
    });
    left += (widths[index] ?? 0) + gap;
  });
  return { width, height, pixels };
}

function paint(
  pixels: Uint8Array,
  width: number,
  tile: Tile,
  scale: number,
  left: number,
  top: number,
): void {
  let low = Infinity;
  let high = -Infinity;
  for (const value of tile.values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const range = high > low ? high - low : 1;
  for (let y = 0; y < tile.height * scale; y++) {
    const from = Math.floor(y / scale) * tile.width;
    for (let x = 0; x < tile.width * scale; x++) {
      const value = tile.values[from + Math.floor(x / scale)] ?? 0;
      pixels[(top + y) * width + left + x] = Math.round((255 * (value - low)) / range);
    }
  }
}

/** The text dump beside the picture: per sample and node a heading and the values, one image row a line. */
export function dumpSamples(nodes: readonly EvaluatedNode[]): string {
  const count = Math.min(...nodes.map((node) => node.samples.length));
  const parts: string[] = [];
  for (let index = 0; index < count; index++) {
    for (const node of nodes) {
      const tile = tileOf(node, node.samples[index] ?? []);
      parts.push(`# sample ${index}, ${node.name} [${node.shape.join(" x ")}]\n`);
      for (let y = 0; y < tile.height; y++) {
        const row = tile.values.subarray(y * tile.width, (y + 1) * tile.width);
        parts.push(`${Array.from(row, (value) => formatValue(value)).join(" ")}\n`);
      }
    }
  }
  return parts.join("");
}
