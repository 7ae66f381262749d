import { call, i32, local, memory } from "wasmati";
import type { Geometry } from "../../../primitives/geometry.js";
import type { Operand } from "../../../primitives/instruction.js";
import { operandAt } from "../../host/kernel.js";
import { planarGeometry, type PlanarGeometry } from "../../javascript/planar-convolution.js";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, forEach, repeat, scope, when } from "../emit/loops.js";
import { correlation, type CorrelationSizes } from "./correlation.js";
import { framed, framesSize, type Frames } from "./images.js";
import { kernelCorrelation, tapsLength, tapTable } from "./kernel-correlation.js";
import { address, columns, gaps, room, sums, table } from "./kernel.js";
import type { Argument, Call, WasmCompiler, WasmContext } from "./kernel.js";
import {
  convolutionByPatches,
  inputGradientByPatches,
  patchSizes,
  type PatchSizes,
} from "./patch-convolution.js";
import { inputGradientByPlaces, weightGradientByPlaces } from "./placed-images.js";
import { patchesOf } from "./patches.js";
import { weightGradientByPatches } from "./weight-gradient.js";
import { suitsWinograd, winogradConvolution } from "./winograd-convolution.js";
import { winogradWeightGradient } from "./winograd-gradient.js";

/*
 * The convolutions of images with stride 1, as correlations of images with room around them (javascript/planar-convolution.ts
 * says the same in its loops). Others are products of patches (patch-convolution.ts), or the host's.
 */

/**
 * From so many channels and maps on the gradient of kernels is a product: packing what lies under the windows is little then. So it
 * is for many maps of images so large that several do not fit into a processor's own cache.
 */
const deepForPatches = 8;
const largeImage = 1 << 12;

/** From so many channels and maps on the gradient of 3x3 kernels is worth the transforms of both factors. */
const deepForGradient = 24;

/** Wider kernels' rows do not fit the registers. */
const widestKernel = 16;

/** Images from which the correlations read: so long that vectors beginning in the target's width stay inside. */
function sourcesOf(
  { lanes }: WasmContext,
  [width, height]: readonly [number, number],
  [startX, startY]: readonly [number, number],
  [targetWidth, targetHeight]: readonly [number, number],
  { kernelWidth, kernelHeight }: PlanarGeometry,
): Frames {
  const vectors = Math.ceil(targetWidth / lanes.count) * lanes.count;
  const rowLength = vectors + kernelWidth - 1;
  return { width, height, rowLength, rows: targetHeight + kernelHeight - 1, startX, startY };
}

function planar(geometry: Geometry): PlanarGeometry | undefined {
  const found = planarGeometry(geometry);
  if (!found || found.kernelWidth > widestKernel) return undefined;
  return found.kernelWidth * found.kernelHeight > 1 ? found : undefined;
}

/** The products that make up a convolution of any geometry, or undefined where it is none. */
function productSizes(geometry: Geometry): PatchSizes | undefined {
  const patches = patchesOf(geometry);
  return patches && patchSizes(patches, geometry);
}

/** Each map is the sum over the channels of their correlations with the kernels. */
export const compileConvolution: WasmCompiler<"convolution"> = (instruction, context) => {
  const { reads, writes, parameters } = instruction;
  const [weights, input] = [operandAt(reads, 0), operandAt(reads, 1)];
  const g = planar(parameters.geometry);
  if (!g) {
    const sizes = productSizes(parameters.geometry);
    return sizes && convolutionByPatches(context, sizes, [weights, input, writes]);
  }
  if (suitsWinograd(context, g)) {
    const { outputWidth: width, outputHeight: height, channels: sources, maps: targets, startX, startY } = g;
    const source = { sourceWidth: g.width, sourceHeight: g.height, startX, startY };
    const sizes = { width, height, ...source, sources, targets };
    return winogradConvolution(context, sizes, [weights, input, writes], [1, sources], false);
  }
  const target = [g.outputWidth, g.outputHeight] as const;
  const frames = sourcesOf(context, [g.width, g.height], [g.startX, g.startY], target, g);
  const sizes = sizesOf(g, frames, target, g.channels, g.maps);
  return [correlationStep(context, frames, sizes, [address(weights), input, writes])];
};

/** The same with maps and channels exchanged and every kernel turned by 180 degrees. */
export const compileConvolutionInputGradient: WasmCompiler<"convolutionInputGradient"> = (
  instruction,
  context,
) => {
  const placed = inputGradientByPlaces(context, instruction);
  if (placed) return placed;
  const { reads, writes, parameters } = instruction;
  const [weights, gradient] = [operandAt(reads, 0), operandAt(reads, 1)];
  const g = planar(parameters.geometry);
  if (!g) {
    const sizes = productSizes(parameters.geometry);
    return sizes && inputGradientByPatches(context, sizes, [weights, gradient, writes]);
  }
  const start = [-g.startX - g.kernelWidth + 1, -g.startY - g.kernelHeight + 1] as const;
  if (suitsWinograd(context, g)) {
    const { width, height, outputWidth: sourceWidth, outputHeight: sourceHeight } = g;
    const [startX, startY] = start;
    const images = { sources: g.maps, targets: g.channels };
    const sizes = { width, height, sourceWidth, sourceHeight, startX, startY, ...images };
    return winogradConvolution(context, sizes, [weights, gradient, writes], [g.channels, 1], true);
  }
  const target = [g.width, g.height] as const;
  const frames = sourcesOf(context, [g.outputWidth, g.outputHeight], start, target, g);
  const sizes = sizesOf(g, frames, target, g.maps, g.channels);
  const { bytes } = context.lanes;
  const kernels = room(1, g.kernelWidth * g.kernelHeight * g.channels * g.maps * bytes);
  return [
    { routine: turnedKernels(context, g), arguments: [address(weights), kernels] },
    correlationStep(context, frames, sizes, [kernels, gradient, writes]),
  ];
};

/** Correlates every sample of a value with kernels. */
function correlationStep(
  context: WasmContext,
  frames: Frames,
  sizes: CorrelationSizes,
  [kernels, from, to]: readonly [Argument, Operand, Operand],
): Call {
  const images = room(0, framesSize(frames, sizes.sources) * context.lanes.bytes);
  return {
    routine: everySample(context, frames, sizes),
    arguments: [kernels, address(from), address(to), columns(to.axis), images],
  };
}

/** Correlation of each channel with each map's gradient, added up over the samples; gaps add nothing. */
export const compileConvolutionWeightGradient: WasmCompiler<"convolutionWeightGradient"> = (
  instruction,
  context,
) => {
  const placed = weightGradientByPlaces(context, instruction);
  if (placed) return placed;
  const { reads, writes, parameters } = instruction;
  const [input, gradient] = [operandAt(reads, 0), operandAt(reads, 1)];
  const g = planar(parameters.geometry);
  const depth = g ? Math.min(g.channels, g.maps) : 0;
  if (g && depth >= deepForGradient && suitsWinograd(context, g))
    return winogradWeightGradient(context, g, [input, gradient, writes]);
  const isLarge = g && g.maps >= deepForPatches && g.outputWidth * g.outputHeight > largeImage;
  if (!g || depth >= deepForPatches || isLarge) {
    const sizes = productSizes(parameters.geometry);
    return sizes && weightGradientByPatches(context, sizes, [input, gradient, writes]);
  }
  const target = [g.outputWidth, g.outputHeight] as const;
  const frames = sourcesOf(context, [g.width, g.height], [g.startX, g.startY], target, g);
  const sizes = sizesOf(g, frames, target, g.channels, g.maps);
  const { bytes } = context.lanes;
  const slopes = slopesOf(context, g);
  const length = tapsLength(sizes);
  return [
    {
      routine: weightGradient(context, g, frames, sizes),
      arguments: [
        address(input),
        address(gradient),
        sums,
        columns(input.axis),
        gaps(input.axis),
        room(0, framesSize(frames, g.channels) * bytes),
        room(1, framesSize(slopes, g.maps) * bytes),
        table(tapTable(context, sizes)),
      ],
      sums: {
        count: length * g.maps,
        scale: 1,
        target: writes,
        rows: { count: g.maps, length, kept: g.kernelWidth * g.kernelHeight * g.channels },
      },
    },
  ];
};

function sizesOf(
  { kernelWidth, kernelHeight }: PlanarGeometry,
  { rowLength, rows }: Frames,
  [width, height]: readonly [number, number],
  sources: number,
  maps: number,
): CorrelationSizes {
  return { width, height, rowLength, sourceRows: rows, kernelWidth, kernelHeight, sources, maps };
}

/** Gradients with zeros behind each row, up to whole vectors. */
function slopesOf({ lanes }: WasmContext, g: PlanarGeometry): Frames {
  const rowLength = Math.ceil(g.outputWidth / lanes.count) * lanes.count;
  const [width, height] = [g.outputWidth, g.outputHeight];
  return { width, height, rowLength, rows: height, startX: 0, startY: 0 };
}

/** (kernels, sources, target, columns, room): frames and correlates sample after sample. */
function everySample(context: WasmContext, frames: Frames, sizes: CorrelationSizes): Routine {
  const { bytes } = context.lanes;
  const { sources, maps, width, height } = sizes;
  return context.routine(`every sample ${JSON.stringify([frames, sizes])}`, () =>
    define(["i32", "i32", "i32", "i32", "i32"], [], ([kernels, from, to, count, images]) => {
      repeat(count, () => {
        call(framed(context, frames, sources), [from, images]);
        call(correlation(context, sizes), [images, kernels, to]);
        advance(from, frames.width * frames.height * sources * bytes);
        advance(to, width * height * maps * bytes);
      });
    }),
  );
}

/** (input, gradient, sums, columns, gaps, roomForImages, roomForGradients, taps) */
function weightGradient(
  context: WasmContext,
  g: PlanarGeometry,
  frames: Frames,
  sizes: CorrelationSizes,
): Routine {
  const { bytes } = context.lanes;
  const slopes = slopesOf(context, g);
  return context.routine(`weight gradient ${JSON.stringify([frames, sizes])}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([input, gradient, totals, count, mask, images, maps, taps]) => {
        local.get(totals);
        i32.const(0);
        i32.const(tapsLength(sizes) * g.maps * 8);
        memory.fill();
        forEach(0, count, 1, (column) => {
          scope((leave) => {
            when(local.get(mask), () => {
              when(i32.load8_u({}, i32.add(mask, column)), () => leave());
            });
            call(framed(context, frames, g.channels), [input, images]);
            const rows = variable("i32", gradient);
            if (slopes.rowLength !== slopes.width) {
              call(framed(context, slopes, g.maps), [gradient, maps]);
              local.set(rows, maps);
            }
            call(kernelCorrelation(context, sizes, slopes.rowLength), [images, rows, totals, taps]);
          });
          advance(input, g.width * g.height * g.channels * bytes);
          advance(gradient, g.outputWidth * g.outputHeight * g.maps * bytes);
        });
      },
    ),
  );
}

/** (weights, turned): turned[taps − 1 − tap, map, channel] = weights[tap, channel, map]. */
function turnedKernels(context: WasmContext, g: PlanarGeometry): Routine {
  const { single, bytes } = context.lanes;
  const taps = g.kernelWidth * g.kernelHeight;
  const key = `turned kernels ${taps} ${g.channels} ${g.maps}`;
  return context.routine(key, () =>
    define(["i32", "i32"], [], ([from, to]) => {
      repeat(variable("i32", g.maps), () => {
        const target = variable("i32", to);
        repeat(variable("i32", g.channels), () => {
          const last = variable("i32", i32.add(target, (taps - 1) * bytes));
          repeat(variable("i32", taps), () => {
            single.store(last, 0, () => single.load(from));
            advance(from, bytes);
            advance(last, -bytes);
          });
          advance(target, g.maps * taps * bytes);
        });
        advance(to, taps * bytes);
      });
    }),
  );
}
