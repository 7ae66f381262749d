import { elementCount } from "../../network/network.js";
import type { Values } from "../../numerics/values.js";
import type { Geometry } from "../../primitives/geometry.js";
import type { InstructionOf } from "../../primitives/instruction.js";
import { operandAt, type Kernel } from "../host/kernel.js";
import { compileCorrelate, compileCorrelateKernel, paddedWidth, type PlaneSizes } from "./planar-code.js";
import { Scratch } from "./scratch.js";

/**
 * The usual convolution of images: stride 1 along the first two axes, one set of weights for all positions, and all
 * channels under each window. Weights memory is `[kernelWidth x kernelHeight x channels x maps]`.
 */
export interface PlanarGeometry {
  readonly width: number;
  readonly height: number;
  readonly outputWidth: number;
  readonly outputHeight: number;
  readonly kernelWidth: number;
  readonly kernelHeight: number;
  readonly startX: number;
  readonly startY: number;
  readonly channels: number;
  readonly maps: number;
}

/** Kernels up to this size are written out as code; a larger one takes the general loops. */
const largestKernel = 81;

/** The geometry as a planar one, or undefined if it is not. */
export function planarGeometry(geometry: Geometry): PlanarGeometry | undefined {
  const { input, kernel, windows, stride, start, maps, sharing } = geometry;
  const [width, height, ...rest] = input;
  const [kernelWidth = 0, kernelHeight = 0] = kernel;
  if (width === undefined || height === undefined || geometry.tapsOf) return undefined;
  const isImageAxis = (axis: number) =>
    stride[axis] === 1 && maps[axis] === 1 && (sharing[axis] === true || windows[axis] === 1);
  // Beyond the image: one window that covers the whole axis; maps there simply follow one another in memory.
  const isCovered = (axis: number) =>
    windows[axis] === 1 && start[axis] === 0 && kernel[axis] === input[axis];
  const otherAxes = rest.map((_, i) => i + 2);
  if (!isImageAxis(0) || !isImageAxis(1) || !otherAxes.every(isCovered)) return undefined;
  if (kernelWidth * kernelHeight > largestKernel) return undefined;
  return {
    width,
    height,
    outputWidth: windows[0] ?? 1,
    outputHeight: windows[1] ?? 1,
    kernelWidth,
    kernelHeight,
    startX: start[0] ?? 0,
    startY: start[1] ?? 0,
    channels: elementCount(rest),
    maps: elementCount(maps),
  };
}

/** A stack of images in doubles with room around them: cell (x, y) holds image cell (x + startX, y + startY) or 0. */
class ScratchImages {
  private readonly values: Float64Array;
  private readonly size: number;

  constructor(
    private readonly images: number,
    private readonly rowLength: number,
    private readonly rows: number,
    private readonly width: number,
    private readonly height: number,
    private readonly startX: number,
    private readonly startY: number,
  ) {
    this.size = rowLength * rows;
    // What lies outside the image is never written and stays 0.
    this.values = new Float64Array(images * this.size);
  }

  /** Fills the scratch from `from` on; returns it. */
  load(source: Values, from: number): Float64Array {
    const { values, width, height, startX, startY, rowLength, size } = this;
    const firstX = Math.max(0, -startX);
    const endX = Math.min(rowLength, width - startX);
    const firstY = Math.max(0, -startY);
    const endY = Math.min(this.rows, height - startY);
    for (let image = 0; image < this.images; image++) {
      for (let y = firstY; y < endY; y++) {
        const to = image * size + y * rowLength;
        const at = from + (image * height + y + startY) * width + startX;
        for (let x = firstX; x < endX; x++) values[to + x] = source[at + x] as number;
      }
    }
    return values;
  }

  /** Where image number `image` begins. */
  place(image: number): number {
    return image * this.size;
  }
}

/** Sizes of the scratch images for one direction, and the images themselves. */
function sourceImages(
  images: number,
  [width, height]: readonly [number, number],
  [startX, startY]: readonly [number, number],
  sizes: PlaneSizes,
): ScratchImages {
  const rows = sizes.height + sizes.kernelHeight - 1;
  return new ScratchImages(images, sizes.sourceWidth, rows, width, height, startX, startY);
}

function planeSizes(width: number, height: number, kernelWidth: number, kernelHeight: number): PlaneSizes {
  const padded = paddedWidth(width);
  return { width: padded, height, sourceWidth: padded + kernelWidth - 1, kernelWidth, kernelHeight };
}

/** Correlates every source image with its kernel for every target image; used forward and, mirrored, backward. */
function correlation(
  sizes: PlaneSizes,
  targetWidth: number,
  sources: ScratchImages,
  sourceCount: number,
  targetCount: number,
) {
  const correlate = compileCorrelate(sizes);
  const sum = new Float64Array(sizes.width * sizes.height);
  const taps = sizes.kernelWidth * sizes.kernelHeight;
  /** `kernels` holds one kernel per target and source, sources first. */
  return (source: Values, from: number, kernels: Float64Array, target: Values, to: number) => {
    const images = sources.load(source, from);
    for (let t = 0; t < targetCount; t++) {
      sum.fill(0);
      for (let s = 0; s < sourceCount; s++) {
        correlate(sum, images, sources.place(s), kernels, (t * sourceCount + s) * taps);
      }
      let at = to + t * targetWidth * sizes.height;
      for (let y = 0; y < sizes.height; y++) {
        const row = y * sizes.width;
        for (let x = 0; x < targetWidth; x++) target[at++] = sum[row + x] as number;
      }
    }
  };
}

/** Forward: each map is the sum over the channels of their correlations with the kernels. */
export function compilePlanarConvolution(
  instruction: InstructionOf<"convolution">,
  g: PlanarGeometry,
): Kernel {
  const { writes } = instruction;
  const weights = operandAt(instruction.reads, 0);
  const input = operandAt(instruction.reads, 1);
  const sizes = planeSizes(g.outputWidth, g.outputHeight, g.kernelWidth, g.kernelHeight);
  const sources = sourceImages(g.channels, [g.width, g.height], [g.startX, g.startY], sizes);
  const correlateAll = correlation(sizes, g.outputWidth, sources, g.channels, g.maps);
  const kernels = new Float64Array(g.kernelWidth * g.kernelHeight * g.channels * g.maps);
  const inputSize = g.width * g.height * g.channels;
  const outputSize = g.outputWidth * g.outputHeight * g.maps;
  return (run) => {
    const columns = run.columns(writes.axis);
    kernels.set(run.view(weights).subarray(0, kernels.length));
    const x = run.view(input);
    const y = run.view(writes);
    for (let n = 0; n < columns; n++) correlateAll(x, n * inputSize, kernels, y, n * outputSize);
  };
}

/** Input gradient: the same with maps and channels exchanged and every kernel turned by 180 degrees. */
export function compilePlanarInputGradient(
  instruction: InstructionOf<"convolutionInputGradient">,
  g: PlanarGeometry,
): Kernel {
  const { writes } = instruction;
  const weights = operandAt(instruction.reads, 0);
  const outputGradient = operandAt(instruction.reads, 1);
  const sizes = planeSizes(g.width, g.height, g.kernelWidth, g.kernelHeight);
  const start = [-g.startX - g.kernelWidth + 1, -g.startY - g.kernelHeight + 1] as const;
  const sources = sourceImages(g.maps, [g.outputWidth, g.outputHeight], start, sizes);
  const correlateAll = correlation(sizes, g.width, sources, g.maps, g.channels);
  const taps = g.kernelWidth * g.kernelHeight;
  const kernels = new Float64Array(taps * g.channels * g.maps);
  const inputSize = g.width * g.height * g.channels;
  const outputSize = g.outputWidth * g.outputHeight * g.maps;
  return (run) => {
    const columns = run.columns(writes.axis);
    turnKernels(run.view(weights), kernels, taps, g.channels, g.maps);
    const gradient = run.view(outputGradient);
    const x = run.view(writes);
    for (let n = 0; n < columns; n++) correlateAll(gradient, n * outputSize, kernels, x, n * inputSize);
  };
}

/** turned[tap, map, channel] = weights[taps−1−tap, channel, map]. */
function turnKernels(
  weights: Values,
  turned: Float64Array,
  taps: number,
  channels: number,
  maps: number,
): void {
  for (let map = 0; map < maps; map++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (map * channels + channel) * taps;
      const to = (channel * maps + map) * taps;
      for (let tap = 0; tap < taps; tap++) turned[to + taps - 1 - tap] = weights[from + tap] as number;
    }
  }
}

/** Weight gradient: correlation of each channel with each map's gradient, summed over the samples; gaps add nothing. */
export function compilePlanarWeightGradient(
  instruction: InstructionOf<"convolutionWeightGradient">,
  g: PlanarGeometry,
): Kernel {
  const { writes } = instruction;
  const input = operandAt(instruction.reads, 0);
  const outputGradient = operandAt(instruction.reads, 1);
  const sizes = planeSizes(g.outputWidth, g.outputHeight, g.kernelWidth, g.kernelHeight);
  const sources = sourceImages(g.channels, [g.width, g.height], [g.startX, g.startY], sizes);
  const gradients = new ScratchImages(g.maps, sizes.width, sizes.height, g.outputWidth, g.outputHeight, 0, 0);
  const correlateKernel = compileCorrelateKernel(sizes);
  const taps = g.kernelWidth * g.kernelHeight;
  const weightCount = taps * g.channels * g.maps;
  const scratch = new Scratch();
  const inputSize = g.width * g.height * g.channels;
  const outputSize = g.outputWidth * g.outputHeight * g.maps;
  return (run) => {
    const columns = run.columns(input.axis);
    const gaps = run.gaps(input.axis);
    const x = run.view(input);
    const gradient = run.view(outputGradient);
    const sums = scratch.ofSize(weightCount);
    sums.fill(0);
    for (let n = 0; n < columns; n++) {
      if (gaps && gaps[n] !== 0) continue;
      const images = sources.load(x, n * inputSize);
      const maps = gradients.load(gradient, n * outputSize);
      for (let map = 0; map < g.maps; map++) {
        for (let channel = 0; channel < g.channels; channel++) {
          const kernelAt = (map * g.channels + channel) * taps;
          correlateKernel(sums, kernelAt, images, sources.place(channel), maps, gradients.place(map));
        }
      }
    }
    const w = run.view(writes);
    for (let i = 0; i < weightCount; i++) w[i] = sums[i] as number;
  };
}
