import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { KernelFunc, NamedAttrMap, NamedTensorInfoMap, TensorInfo } from "@tensorflow/tfjs-core";
import type { Tfjs } from "../device.js";
import { generate } from "./generated.js";

/**
 * `Conv2DBackpropFilter`, which TensorFlow.js's wasm backend lacks, on its heap and with its meaning: NHWC images,
 * filters height x width x channels x maps.
 */

/** Sizes of one call. */
interface Problem {
  readonly samples: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly maps: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly top: number;
  readonly left: number;
}

/** From so many maps on, unrolling the images for XNNPACK's matrix product is quicker than plain loops. */
const mapsWorthUnrolling = 3;
/** Size of the unrolled images of a chunk, in floats: about what the second-level cache holds. */
const chunkFloats = 1 << 18;

/** Makes the kernel known to tfjs-core, once, unless tfjs has grown one itself. */
export function registerFilterGradient(tf: Tfjs): void {
  if (tf.getKernel("Conv2DBackpropFilter", "wasm")) return;
  tf.registerKernel({
    kernelName: "Conv2DBackpropFilter",
    backendName: "wasm",
    kernelFunc: ((call: { inputs: NamedTensorInfoMap; backend: BackendWasm; attrs?: NamedAttrMap }) =>
      filterGradient(tf, call.inputs, call.backend, call.attrs ?? {})) as unknown as KernelFunc,
  });
}

type Padding = Parameters<Tfjs["backend_util"]["computeConv2DInfo"]>[4];

function filterGradient(
  tf: Tfjs,
  inputs: NamedTensorInfoMap,
  backend: BackendWasm,
  attributes: NamedAttrMap,
) {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attributes as unknown as {
    strides: [number, number];
    pad: Padding;
    dataFormat: "NHWC" | "NCHW";
    dimRoundingMode?: "floor" | "round" | "ceil";
    filterShape: [number, number, number, number];
  };
  const info = tf.backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
    false,
    tf.backend_util.convertConv2DDataFormat(dataFormat),
  );
  if (info.dataFormat !== "channelsLast") throw new Error("Conv2DBackpropFilter on wasm supports NHWC only.");
  const problem: Problem = {
    samples: info.batchSize,
    height: info.inHeight,
    width: info.inWidth,
    channels: info.inChannels,
    kernelHeight: info.filterHeight,
    kernelWidth: info.filterWidth,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    maps: info.outChannels,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    top: info.padInfo.top,
    left: info.padInfo.left,
  };
  const output = backend.makeOutput(filterShape, "float32");
  const sums =
    problem.maps >= mapsWorthUnrolling
      ? unrolledSums(tf, problem, backend, x, dy)
      : directSums(problem, heap(backend, x), heap(backend, dy));
  heap(backend, output).set(sums);
  return output;
}

function heap(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/**
 * Unrolls the images into a matrix (filter cells x output cells) and multiplies it by the gradient, some samples at a
 * time; the chunks' products are added in double.
 */
function unrolledSums(
  tf: Tfjs,
  p: Problem,
  backend: BackendWasm,
  x: TensorInfo,
  dy: TensorInfo,
): Float64Array {
  const multiply = tf.getKernel("BatchMatMul", "wasm").kernelFunc;
  const cells = p.kernelHeight * p.kernelWidth * p.channels;
  const pixels = p.outHeight * p.outWidth;
  const chunk = Math.max(1, Math.min(p.samples, Math.floor(chunkFloats / (cells * pixels))));
  const sums = new Float64Array(cells * p.maps);
  for (let first = 0; first < p.samples; first += chunk) {
    const count = Math.min(chunk, p.samples - first);
    const columns = count * pixels;
    const a = backend.makeOutput([cells, columns], "float32");
    // XNNPACK packs the right-hand side once per tensor: each chunk needs a tensor of its own.
    const b = backend.makeOutput([columns, p.maps], "float32");
    unroll(p, first, count, heap(backend, x), heap(backend, a));
    const from = first * pixels * p.maps;
    heap(backend, b).set(heap(backend, dy).subarray(from, from + columns * p.maps));
    const product = multiply({
      inputs: { a, b },
      backend,
      attrs: { transposeA: false, transposeB: false },
    }) as TensorInfo;
    const values = heap(backend, product);
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (values[i] as number);
    for (const tensor of [a, b, product]) backend.disposeData(tensor.dataId);
  }
  return sums;
}

/** Row (ky, kx, channel) of `matrix`: the input cell under that filter cell, for each output cell of the samples. */
function unroll(p: Problem, first: number, count: number, x: Float32Array, matrix: Float32Array): void {
  const columns = count * p.outHeight * p.outWidth;
  const step = p.strideWidth * p.channels;
  for (let ky = 0, row = 0; ky < p.kernelHeight; ky++) {
    for (let kx = 0; kx < p.kernelWidth; kx++) {
      // Output columns whose cell lies inside the image.
      const begin = Math.min(p.outWidth, Math.max(0, Math.ceil((p.left - kx) / p.strideWidth)));
      const end = Math.max(
        begin,
        Math.min(p.outWidth, Math.floor((p.width - 1 + p.left - kx) / p.strideWidth) + 1),
      );
      for (let c = 0; c < p.channels; c++, row += columns) {
        let to = row;
        for (let n = first; n < first + count; n++) {
          for (let oy = 0; oy < p.outHeight; oy++, to += p.outWidth) {
            const y = oy * p.strideHeight + ky - p.top;
            if (y < 0 || y >= p.height) {
              matrix.fill(0, to, to + p.outWidth);
              continue;
            }
            for (let i = 0; i < begin; i++) matrix[to + i] = 0;
            let from = ((n * p.height + y) * p.width + begin * p.strideWidth + kx - p.left) * p.channels + c;
            for (let i = begin; i < end; i++, from += step) matrix[to + i] = x[from] as number;
            for (let i = end; i < p.outWidth; i++) matrix[to + i] = 0;
          }
        }
      }
    }
  }
}

/** Plain loops in double over one padded sample at a time; a row of filter cells is summed side by side. */
function directSums(p: Problem, x: Float32Array, dy: Float32Array): Float64Array {
  const height = (p.outHeight - 1) * p.strideHeight + p.kernelHeight;
  const width = (p.outWidth - 1) * p.strideWidth + p.kernelWidth;
  const image = new Float64Array(p.channels * height * width);
  const gradient = new Float64Array(p.maps * p.outHeight * p.outWidth);
  const sums = new Float64Array(p.kernelHeight * p.kernelWidth * p.channels * p.maps);
  const accumulate = compileAccumulate(p, height, width);
  const rows = Math.min(p.height, height - p.top);
  const columns = Math.min(p.width, width - p.left);
  for (let n = 0; n < p.samples; n++) {
    for (let c = 0; c < p.channels; c++) {
      for (let y = 0; y < rows; y++) {
        let from = (n * p.height + y) * p.width * p.channels + c;
        let to = (c * height + y + p.top) * width + p.left;
        for (let i = 0; i < columns; i++, from += p.channels) image[to++] = x[from] as number;
      }
    }
    const pixels = p.outHeight * p.outWidth;
    for (let m = 0; m < p.maps; m++) {
      let from = n * pixels * p.maps + m;
      for (let i = 0; i < pixels; i++, from += p.maps) gradient[m * pixels + i] = dy[from] as number;
    }
    accumulate(image, gradient, sums);
  }
  return sums;
}

type Accumulate = (image: Float64Array, gradient: Float64Array, sums: Float64Array) => void;

function compileAccumulate(p: Problem, height: number, width: number): Accumulate {
  const taps = Array.from({ length: p.kernelWidth }, (_, kx) => kx);
  const place = (kx: number) => `((ky * ${p.kernelWidth} + ${kx}) * ${p.channels} + c) * ${p.maps} + m`;
  return generate<Accumulate>(
    ["image", "gradient", "sums"],
    [
      `for (let m = 0; m < ${p.maps}; m++) for (let c = 0; c < ${p.channels}; c++)`,
      `for (let ky = 0; ky < ${p.kernelHeight}; ky++) {`,
      `let ${taps.map((kx) => `s${kx} = 0`).join(", ")};`,
      `for (let y = 0; y < ${p.outHeight}; y++) {`,
      `let from = (c * ${height} + y * ${p.strideHeight} + ky) * ${width};`,
      `const begin = (m * ${p.outHeight} + y) * ${p.outWidth};`,
      `for (let i = begin; i < begin + ${p.outWidth}; i++, from += ${p.strideWidth}) {`,
      `const d = gradient[i];`,
      ...taps.map((kx) => `s${kx} += d * image[from + ${kx}];`),
      `}}`,
      ...taps.map((kx) => `sums[${place(kx)}] += s${kx};`),
      `}`,
    ],
  );
}
