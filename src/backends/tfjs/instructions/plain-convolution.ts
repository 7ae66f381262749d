import type { Tensor } from "@tensorflow/tfjs-core";
import type { Device } from "../device.js";
import type { ImageGeometry } from "../image-geometry.js";
import type { WasmMemory } from "../simd/assembler.js";
import {
  compileConvolution,
  compileFilterGradient,
  convolutionScratch,
  filterGradientScratch,
  suitsPlainConvolution,
  type PlainConvolution,
} from "../simd/convolution.js";

/** The sizes of a convolution for the SIMD loops, or null where they do not fit. */
export function forwardSizes(g: ImageGeometry): PlainConvolution | null {
  if (g.strideX !== 1 || g.strideY !== 1) return null;
  const sizes: PlainConvolution = {
    width: g.width,
    height: g.height,
    channels: g.channels,
    kernelWidth: g.kernelWidth,
    kernelHeight: g.kernelHeight,
    outWidth: g.windowsX,
    outHeight: g.windowsY,
    maps: g.maps,
    left: -g.startX,
    top: -g.startY,
  };
  return suitsPlainConvolution(sizes) ? sizes : null;
}

/** Sizes of the convolution that takes the output's gradient back to the input, with the kernel turned around. */
export function backwardSizes(g: ImageGeometry): PlainConvolution | null {
  if (g.strideX !== 1 || g.strideY !== 1) return null;
  const sizes: PlainConvolution = {
    width: g.windowsX,
    height: g.windowsY,
    channels: g.maps,
    kernelWidth: g.kernelWidth,
    kernelHeight: g.kernelHeight,
    outWidth: g.width,
    outHeight: g.height,
    maps: g.channels,
    left: g.kernelWidth - 1 + g.startX,
    top: g.kernelHeight - 1 + g.startY,
  };
  return suitsPlainConvolution(sizes) ? sizes : null;
}

/** A convolution of `samples` images in CNTK's order; the weights are given by their address. */
export function plainConvolution(device: Device, memory: WasmMemory, sizes: PlainConvolution) {
  const run = compileConvolution(memory, sizes);
  const scratchSize = convolutionScratch(sizes);
  const outputSize = sizes.maps * sizes.outWidth * sizes.outHeight;
  return (samples: number, weights: number, image: Tensor): Tensor => {
    const output = device.allocate(samples * outputSize);
    const scratch = zeros(device, scratchSize);
    run(samples, device.address(output), device.address(image), weights, scratch);
    return output;
  };
}

/** The gradient of a convolution with respect to its weights, images in CNTK's order. */
export function plainFilterGradient(device: Device, memory: WasmMemory, sizes: PlainConvolution) {
  const run = compileFilterGradient(memory, sizes);
  const scratchSize = filterGradientScratch(sizes);
  const count = sizes.maps * sizes.channels * sizes.kernelHeight * sizes.kernelWidth;
  return (samples: number, image: Tensor, gradient: Tensor): Tensor => {
    const output = device.allocate(count);
    const scratch = zeros(device, scratchSize);
    const sums = zeros(device, 2 * count);
    run(samples, device.address(output), device.address(image), device.address(gradient), scratch, sums);
    return output;
  };
}

/** The address of `count` zeros that live until the step is over. */
function zeros(device: Device, count: number): number {
  if (count === 0) return 0;
  const tensor = device.untilEndOfStep(device.allocate(count));
  device.view(tensor).fill(0);
  return device.address(tensor);
}
