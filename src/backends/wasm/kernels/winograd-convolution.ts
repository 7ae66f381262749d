import { call, i32 } from "wasmati";
import type { Operand } from "../../../primitives/instruction.js";
import type { PlanarGeometry } from "../../javascript/planar-convolution.js";
import { define, variable, type Routine } from "../emit/function.js";
import { lanesOf } from "../emit/lanes.js";
import { advance, forEach, repeat } from "../emit/loops.js";
import { address, columns, handedOn, number, room, type Call, type WasmContext } from "./kernel.js";
import { edgeSize, panelRows, productOfPanels, stripWidth } from "./panels.js";
import { clearedFrame, frameBytes, frameCopied, frameOf, type Patches } from "./patches.js";
import {
  frequencies,
  tilesAbreast,
  transformedCells,
  transformedKernels,
  transformedTiles,
} from "./winograd.js";

/*
 * Convolutions with 3x3 kernels as 16 products of transformed tiles, [tiles x sources], and transformed kernels, [sources x targets]
 * (winograd.ts); forward from channels to maps, for the gradient of the input from maps to channels.
 */

/** A correlation of images with 3x3 kernels. */
export interface WinogradSizes {
  readonly width: number;
  readonly height: number;
  /** First cell of the sources under the first target cell. */
  readonly startX: number;
  readonly startY: number;
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  readonly sources: number;
  readonly targets: number;
}

/** Fewer tiles than this do not fill the panels, fewer channels or maps do not pay for the transforms. */
const fewestTiles = 8;
const fewestImages = 8;
/** Room for the transformed tiles and products of a block. */
const mostBytes = 1 << 19;

/** Is it a convolution for these kernels? They are float only: double is for digits. */
export function suitsWinograd({ lanes }: WasmContext, g: PlanarGeometry): boolean {
  const tiles = Math.ceil(g.outputWidth / 2) * Math.ceil(g.outputHeight / 2);
  return (
    lanes.elementType === "float" &&
    g.kernelWidth === 3 &&
    g.kernelHeight === 3 &&
    Math.min(g.channels, g.maps) >= fewestImages &&
    tiles >= fewestTiles
  );
}

/** Tiles of a sample: vectors in a row, rows, rows that are worked on together. */
function tilesOf({ width, height, sources, targets }: WinogradSizes) {
  const across = Math.ceil(width / 2 / tilesAbreast);
  const down = Math.ceil(height / 2);
  const rowBytes = frequencies * across * 16 * (sources + targets);
  const fit = Math.max(1, Math.floor(mostBytes / rowBytes));
  const blocks = Math.ceil(down / Math.min(fit, down));
  return { across, down, together: Math.ceil(down / blocks) };
}

/** The image with room around it for whole vectors of tiles. */
export function frameFor(sizes: WinogradSizes): Patches {
  const { across, down } = tilesOf(sizes);
  const { sourceWidth, sourceHeight, sources, startX, startY } = sizes;
  const spans = [across * tilesAbreast * 2 + 2, down * 2 + 2, sources];
  const input = [sourceWidth, sourceHeight, sources];
  const frame = frameOf(input, spans, [startX, startY, 0]);
  return { windows: [], taps: [], sampleSize: sourceWidth * sourceHeight * sources, frame };
}

/** to = the correlations of `from`. `steps`: kernels in memory, from source to source and from target to target. */
export function winogradConvolution(
  context: WasmContext,
  sizes: WinogradSizes,
  [weights, from, to]: readonly [Operand, Operand, Operand],
  [sourceStep, targetStep]: readonly [number, number],
  turned: boolean,
): Call[] {
  const { lanes } = context;
  const { sources, targets } = sizes;
  const strips = Math.ceil(targets / stripWidth);
  const { across, together } = tilesOf(sizes);
  const tiles = Math.ceil((across * together * tilesAbreast) / panelRows(lanes)) * panelRows(lanes);
  const kernels = handedOn(0, frequencies * strips * sources * 16);
  const steps = [number(sourceStep * 36), number(targetStep * 36), number(strips * sources * 16)];
  const frame = frameFor(sizes);
  return [
    {
      routine: transformedKernels(context, turned),
      arguments: [address(weights), kernels, number(sources), number(targets), ...steps],
      once: true,
    },
    {
      routine: everySample(context, sizes),
      arguments: [
        address(from),
        address(to),
        columns(to.axis),
        kernels,
        room(0, frameBytes(frame, lanes)),
        room(1, frequencies * tiles * sources * 4),
        room(2, frequencies * tiles * targets * 4),
        room(3, edgeSize),
      ],
    },
  ];
}

/** (from, to, columns, kernels, frame, tiles, products, edge) */
function everySample(context: WasmContext, sizes: WinogradSizes): Routine {
  const { width, height, sources, targets, sourceWidth, sourceHeight } = sizes;
  const { down, together } = tilesOf(sizes);
  const patches = frameFor(sizes);
  const { frame } = patches;
  if (!frame) throw new Error("tiles need a frame");
  return context.routine(`winograd ${JSON.stringify(sizes)}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([from, to, count, kernels, room, tiles, products, edge]) => {
        call(clearedFrame(context, patches), [room]);
        repeat(count, () => {
          call(frameCopied(context, frame), [room, from]);
          for (let row = 0; row < down; row += together) {
            const cellRows = Math.min(together * 2, height - row * 2);
            call(block(context, sizes, Math.min(together, down - row), cellRows), [
              variable("i32", i32.add(room, row * 2 * rowLengthOf(sizes) * 4)),
              variable("i32", i32.add(to, row * 2 * width * 4)),
              kernels,
              tiles,
              products,
              edge,
            ]);
          }
          advance(from, sourceWidth * sourceHeight * sources * 4);
          advance(to, width * height * targets * 4);
        });
      },
    ),
  );
}

/** Numbers of a row of that image. */
export const rowLengthOf = (sizes: WinogradSizes): number => tilesOf(sizes).across * tilesAbreast * 2 + 2;

/** (frame, to, kernels, tiles, products, edge): some rows of tiles of all images. */
function block(context: WasmContext, sizes: WinogradSizes, rows: number, cellRows: number): Routine {
  const { width, height, sources, targets } = sizes;
  const { across, down } = tilesOf(sizes);
  const rowLength = rowLengthOf(sizes);
  const panels = Math.ceil((across * rows) / 2);
  const tiles = panels * panelRows(lanesOf.float);
  const layout = { pair: sources * 32, single: 16, frequency: panels * sources * 32 };
  const strips = Math.ceil(targets / stripWidth);
  return context.routine(`winograd block ${JSON.stringify([sizes, rows, cellRows])}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([image, to, kernels, transformed, products, edge]) => {
        const place = variable("i32", transformed);
        repeat(variable("i32", sources), () => {
          call(transformedTiles(context, [across, rows, rowLength], layout), [image, place]);
          advance(image, rowLength * (down * 2 + 2) * 4);
          advance(place, 32);
        });
        const product = variable("i32", products);
        forEach(0, frequencies, 1, () => {
          const sizesGiven = [tiles, targets, sources, tiles * 4] as const;
          call(productOfPanels(context), [transformed, kernels, product, ...sizesGiven, edge]);
          advance(transformed, layout.frequency);
          advance(kernels, strips * sources * 16);
          advance(product, tiles * targets * 4);
        });
        repeat(variable("i32", targets), () => {
          const cells = transformedCells(context, { width, height: cellRows }, tiles * targets * 4);
          call(cells, [products, to]);
          advance(products, tiles * 4);
          advance(to, width * height * 4);
        });
      },
    ),
  );
}
