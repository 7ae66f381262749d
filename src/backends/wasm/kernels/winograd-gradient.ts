import { call, i32, local, type Local } from "wasmati";
import type { Operand } from "../../../primitives/instruction.js";
import type { PlanarGeometry } from "../../javascript/planar-convolution.js";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, forEach, repeat, scope, when } from "../emit/loops.js";
import { address, columns, gaps, room, sums, type Call, type WasmContext } from "./kernel.js";
import { cleared } from "./patch-convolution.js";
import { clearedFrame, frameBytes, frameCopied, frameOf, type Patches } from "./patches.js";
import { addedProduct, mapsTogether, tapsTogether } from "./weight-gradient.js";
import { frameFor, rowLengthOf, type WinogradSizes } from "./winograd-convolution.js";
import {
  frequencies,
  tilesAbreast,
  transformedSlopes,
  transformedSums,
  transformedTiles,
} from "./winograd.js";

/*
 * The gradient of 3x3 kernels as 16 products over the tiles of all samples: transformed tiles, [channels x tiles], times
 * transformed gradients, [tiles x maps]; what they add up to is transformed once, in double (winograd.ts). Packed as
 * weight-gradient.ts has it, channels in the place of taps.
 */

/** Vectors of tiles that are transformed at a time, at most, and that are wanted before sums are added to those in double. */
const mostVectors = 64;
const wantedVectors = 32;

interface Sizes extends WinogradSizes {
  readonly across: number;
  readonly down: number;
  /** Rows of tiles in a block, and vectors of tiles for which there is room. */
  readonly together: number;
  readonly packed: number;
  /** Channels and maps up to whole panels and strips. */
  readonly allSources: number;
  readonly allTargets: number;
}

function sizesOf(g: PlanarGeometry): Sizes {
  const { outputWidth: width, outputHeight: height, startX, startY, channels: sources, maps: targets } = g;
  const [across, down] = [Math.ceil(width / 2 / tilesAbreast), Math.ceil(height / 2)];
  const together = Math.min(down, Math.max(1, Math.floor(mostVectors / across)));
  const block = across * together;
  return {
    ...{ width, height, startX, startY, sources, targets, sourceWidth: g.width, sourceHeight: g.height },
    ...{ across, down, together },
    packed: block * Math.max(1, Math.floor(wantedVectors / block)),
    allSources: Math.ceil(sources / tapsTogether) * tapsTogether,
    allTargets: Math.ceil(targets / mapsTogether) * mapsTogether,
  };
}

/** The gradients with zeros around them up to whole vectors of tiles. */
function slopeFrame({ width, height, targets, across, down }: Sizes): Patches {
  const spans = [across * tilesAbreast * 2, down * 2, targets];
  const fits = spans[0] === width && spans[1] === height;
  const frame = fits ? null : frameOf([width, height, targets], spans, [0, 0, 0]);
  return { windows: [], taps: [], sampleSize: width * height * targets, frame };
}

/** writes = the gradient; gaps add nothing. */
export function winogradWeightGradient(
  context: WasmContext,
  g: PlanarGeometry,
  [x, gradient, writes]: readonly [Operand, Operand, Operand],
): Call[] {
  const sizes = sizesOf(g);
  const { packed, allSources, allTargets, sources, targets } = sizes;
  return [
    {
      routine: overSamples(context, sizes),
      arguments: [
        address(x),
        address(gradient),
        sums,
        columns(x.axis),
        gaps(x.axis),
        room(0, frameBytes(frameFor(sizes), context.lanes)),
        room(1, frameBytes(slopeFrame(sizes), context.lanes)),
        room(2, frequencies * allSources * packed * 16),
        room(3, frequencies * allTargets * packed * 16),
        room(5, frequencies * allSources * allTargets * 8),
      ],
      sums: { count: sources * targets * 9, scale: 1, target: writes },
    },
  ];
}

/** (x, gradient, totals, columns, gaps, image, slopes, panels, strips, sums) */
function overSamples(context: WasmContext, sizes: Sizes): Routine {
  const { width, height, sourceWidth, sourceHeight, sources, targets, allSources, allTargets } = sizes;
  const { across, down, together, packed } = sizes;
  const [tilesFrame, slopesFrame] = [frameFor(sizes), slopeFrame(sizes)];
  const allSums = allSources * allTargets * 8;
  return context.routine(`winograd gradient ${JSON.stringify(sizes)}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([x, gradient, totals, count, mask, image, slopes, panels, strips, products]) => {
        call(cleared(context), [products, frequencies * allSums]);
        call(clearedFrame(context, tilesFrame), [image]);
        if (slopesFrame.frame) call(clearedFrame(context, slopesFrame), [slopes]);
        const filled = variable("i32", 0);
        const multiply = () => {
          call(allFrequencies(context, sizes), [panels, strips, products, filled]);
          local.set(filled, 0);
        };
        forEach(0, count, 1, (column) => {
          scope((leave) => {
            when(local.get(mask), () => when(i32.load8_u({}, i32.add(mask, column)), () => leave()));
            call(frameCopied(context, tilesFrame.frame!), [image, x]);
            if (slopesFrame.frame) call(frameCopied(context, slopesFrame.frame), [slopes, gradient]);
            for (let row = 0; row < down; row += together) {
              const rows = Math.min(together, down - row);
              when(i32.gt_s(i32.add(filled, across * rows), packed), multiply);
              call(packedTiles(context, sizes, rows), [
                variable("i32", i32.add(image, row * 2 * rowLengthOf(sizes) * 4)),
                variable("i32", i32.add(panels, i32.mul(filled, tapsTogether * 16))),
              ]);
              const from = slopesFrame.frame ? slopes : gradient;
              call(packedSlopes(context, sizes, rows), [
                variable("i32", i32.add(from, row * 2 * across * tilesAbreast * 2 * 4)),
                variable("i32", i32.add(strips, i32.mul(filled, mapsTogether * 16))),
              ]);
              advance(filled, across * rows);
            }
          });
          advance(x, sourceWidth * sourceHeight * sources * 4);
          advance(gradient, width * height * targets * 4);
        });
        when(local.get(filled), multiply);
        kernelSums(context, sizes, products, totals);
      },
    ),
  );
}

/** (image, panels): the tiles of some rows, of all channels. */
function packedTiles(context: WasmContext, sizes: Sizes, rows: number): Routine {
  const { across, down, packed, sources, allSources } = sizes;
  const rowLength = rowLengthOf(sizes);
  const step = tapsTogether * 16;
  const layout = { pair: step * 2, single: step, frequency: (allSources / tapsTogether) * packed * step };
  return context.routine(`winograd packed tiles ${JSON.stringify([sizes, rows])}`, () =>
    define(["i32", "i32"], [], ([image, panels]) => {
      const tiles = transformedTiles(context, [across, rows, rowLength], layout);
      const size = rowLength * (down * 2 + 2) * 4;
      everyImage(sources, tapsTogether, packed, image, size, panels, (from, to) => call(tiles, [from, to]));
    }),
  );
}

/** (gradient, strips): the gradients of some rows of tiles, of all maps. */
function packedSlopes(context: WasmContext, sizes: Sizes, rows: number): Routine {
  const { across, down, packed, targets, allTargets } = sizes;
  const rowLength = across * tilesAbreast * 2;
  const step = mapsTogether * 16;
  const layout = { pair: step * 2, single: step, frequency: (allTargets / mapsTogether) * packed * step };
  return context.routine(`winograd packed slopes ${JSON.stringify([sizes, rows])}`, () =>
    define(["i32", "i32"], [], ([gradient, strips]) => {
      const tiles = transformedSlopes(context, [across, rows, rowLength], layout);
      const size = rowLength * down * 2 * 4;
      everyImage(targets, mapsTogether, packed, gradient, size, strips, (from, to) =>
        call(tiles, [from, to]),
      );
    }),
  );
}

/** `body` for every image: where it begins, and where its vectors go, of which those of `together` images lie side by side. */
function everyImage(
  images: number,
  together: number,
  packed: number,
  first: Local<"i32">,
  size: number,
  target: Local<"i32">,
  body: (from: Local<"i32">, to: Local<"i32">) => void,
): void {
  forEach(0, images, 1, (image) => {
    body(first, target);
    advance(first, size);
    advance(target, 16);
    const isLast = i32.eq(i32.and(image, together - 1), together - 1);
    when(isLast, () => advance(target, (packed - 1) * together * 16));
  });
}

/** (panels, strips, sums, vectors): adds the products of what is packed to the sums, frequency after frequency. */
function allFrequencies(context: WasmContext, sizes: Sizes): Routine {
  const { packed, allSources, allTargets } = sizes;
  return context.routine(`winograd products ${[packed, allSources, allTargets].join()}`, () =>
    define(["i32", "i32", "i32", "i32"], [], ([panels, strips, products, vectors]) => {
      repeat(variable("i32", frequencies), () => {
        const sizesGiven = [vectors, packed, allSources, allTargets] as const;
        call(addedProduct(context), [panels, strips, products, ...sizesGiven]);
        advance(panels, allSources * packed * 16);
        advance(strips, allTargets * packed * 16);
        advance(products, allSources * allTargets * 8);
      });
    }),
  );
}

/** The kernels' gradients from the sums of all frequencies; two channels at a time, an odd last one with the one before it again. */
function kernelSums(context: WasmContext, sizes: Sizes, products: Local<"i32">, totals: Local<"i32">): void {
  const { sources, targets, allSources, allTargets } = sizes;
  const pairs = transformedSums(context, allSources * allTargets * 8);
  repeat(variable("i32", targets), () => {
    call(pairs, [products, totals, Math.floor(sources / 2)]);
    if (sources % 2 === 1) {
      const last = variable("i32", i32.add(products, (sources - 2) * 8));
      const to = variable("i32", i32.add(totals, (sources - 2) * 9 * 8));
      call(pairs, [last, to, 1]);
    }
    advance(products, allSources * 8);
    advance(totals, sources * 9 * 8);
  });
}
