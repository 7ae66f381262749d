import type { Tensor, Tensor4D } from "@tensorflow/tfjs-core";
import type { InstructionOf, Operand } from "../../primitives/instruction.js";
import {
  operandAt,
  type Kernel,
  type KernelCompiler,
  type KernelContext,
  type KernelRun,
  type KernelTable,
} from "../host/kernel.js";
import { javascriptKernels } from "../javascript/kernels.js";
import type { Device } from "./device.js";
import {
  convolutionAsImage,
  marginsOf,
  poolingAsImage,
  type ImageGeometry,
  type Margins,
} from "./image-geometry.js";

/**
 * What TensorFlow.js computes itself, with the javascript kernels for all else: other kinds, other geometries, and what it
 * knows nothing of (gaps in a contracted axis, sparse factors).
 *
 * CNTK's memory has the first axis contiguous: a matrix is tfjs's transposed matrix, an image `[W x H x C]` is row-major
 * `[N][C][H][W]`, where tfjs wants `[N][H][W][C]`.
 */
export function tfjsKernels(device: Device): KernelTable {
  return {
    ...javascriptKernels,
    matmul: matmulOn(device),
    convolution: convolutionOn(device),
    convolutionInputGradient: inputGradientOn(device),
    convolutionWeightGradient: weightGradientOn(device),
    pool: poolOn(device),
  };
}

/** (A·B)ᵀ = Bᵀ·Aᵀ: the factors change places and nothing is moved. */
function matmulOn(device: Device): KernelCompiler<"matmul"> {
  return (instruction, context) => {
    const { reads, writes, parameters } = instruction;
    const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
    const ours = javascriptKernels.matmul(instruction, context);
    if (b.storage !== "dense" || writes.storage !== "dense") return ours;
    const { transposeA, transposeB } = parameters;
    return (run) => {
      if (transposeB && run.gaps(b.axis)) return ours(run);
      if (run.columns(a.axis) * run.columns(b.axis) === 0) return ours(run);
      device.compute(run.view(writes), () =>
        device.tf.matMul(factor(device, run, b, transposeB), factor(device, run, a, transposeA)),
      );
    };
  };
}

/** A matrix as tfjs's transposed one; the wasm kernel is fast only if it is not told to transpose. */
function factor(device: Device, run: KernelRun, matrix: Operand, transpose: boolean): Tensor {
  const [rows = 1, columns = 1] = matrix.dims;
  const tensor = device.tensor(run.view(matrix), [columns * run.columns(matrix.axis), rows]);
  return transpose ? device.tf.transpose(tensor, [1, 0]) : tensor;
}

function convolutionOn(device: Device): KernelCompiler<"convolution"> {
  return imageKernel("convolution", (g, [weights, x], writes) => (run) => {
    const samples = run.columns(writes.axis);
    device.compute(run.view(writes), () => {
      const image = imageOf(device, run, x, [samples, g.channels, g.height, g.width]);
      return correlate(device, image, filterOf(device, run, weights, g), marginsOf(g), g.strideX, g.strideY);
    });
  });
}

/** The gradient correlated with the kernels turned by 180 degrees, maps and channels exchanged; strides are left to us. */
function inputGradientOn(device: Device): KernelCompiler<"convolutionInputGradient"> {
  const { tf } = device;
  return imageKernel("convolutionInputGradient", (g, [weights, gradient], writes) => {
    if (g.strideX !== 1 || g.strideY !== 1) return null;
    const top = g.kernelHeight - 1 + g.startY;
    const left = g.kernelWidth - 1 + g.startX;
    const margins: Margins = {
      top,
      left,
      bottom: g.height - g.windowsY - top + g.kernelHeight - 1,
      right: g.width - g.windowsX - left + g.kernelWidth - 1,
    };
    return (run) => {
      const samples = run.columns(writes.axis);
      device.compute(run.view(writes), () => {
        const image = imageOf(device, run, gradient, [samples, g.maps, g.windowsY, g.windowsX]);
        const turned = tf.transpose(tf.reverse(filterOf(device, run, weights, g), [0, 1]), [0, 1, 3, 2]);
        return correlate(device, image, turned, margins, 1, 1);
      });
    };
  });
}

/** tfjs's own kernel, which its wasm backend lacks. */
function weightGradientOn(device: Device): KernelCompiler<"convolutionWeightGradient"> {
  const { tf } = device;
  if (device.variant === "wasm") return javascriptKernels.convolutionWeightGradient;
  return imageKernel("convolutionWeightGradient", (g, [x, gradient], writes, ours) => (run) => {
    if (run.gaps(x.axis)) return ours(run);
    const samples = run.columns(x.axis);
    device.compute(run.view(writes), () => {
      const image = imageOf(device, run, x, [samples, g.channels, g.height, g.width]);
      const dy = imageOf(device, run, gradient, [samples, g.maps, g.windowsY, g.windowsX]);
      const filter = tf.engine().runKernel<Tensor>(
        "Conv2DBackpropFilter",
        { x: fitted(device, image, marginsOf(g)), dy },
        {
          strides: [g.strideY, g.strideX],
          pad: "valid",
          dataFormat: "NHWC",
          dimRoundingMode: "floor",
          filterShape: [g.kernelHeight, g.kernelWidth, g.channels, g.maps],
        },
      );
      return tf.transpose(filter, [3, 2, 0, 1]);
    });
  });
}

/** Max pooling without padding. Channels do not mix: every one is an image by itself, and nothing has to be moved. */
function poolOn(device: Device): KernelCompiler<"pool"> {
  const { tf } = device;
  return (instruction, context) => {
    const { reads, writes, parameters } = instruction;
    const x = operandAt(reads, 0);
    const ours = javascriptKernels.pool(instruction, context);
    const g = parameters.geometry.tapsOf ? null : poolingAsImage(parameters.geometry);
    if (!g || parameters.mode !== "max") return ours;
    // XNNPACK refuses windows of one cell and strides beyond the window.
    const suits =
      g.kernelWidth * g.kernelHeight > 1 && g.strideX <= g.kernelWidth && g.strideY <= g.kernelHeight;
    const { left, right, top, bottom } = marginsOf(g);
    if (!suits || left !== 0 || right !== 0 || top !== 0 || bottom !== 0) return ours;
    return (run) => {
      const images = run.columns(writes.axis) * g.channels;
      if (images === 0) return;
      device.compute(run.view(writes), () => {
        const image = device.tensor(run.view(x), [images, g.height, g.width, 1]) as Tensor4D;
        return tf.maxPool(image, [g.kernelHeight, g.kernelWidth], [g.strideY, g.strideX], "valid");
      });
    };
  };
}

type ConvolutionKind = "convolution" | "convolutionInputGradient" | "convolutionWeightGradient";
type CompileConvolution = (instruction: InstructionOf<ConvolutionKind>, context: KernelContext) => Kernel;

/** A convolution that is one of images, by tfjs; the javascript kernel otherwise, and for minibatches without columns. */
function imageKernel(
  kind: ConvolutionKind,
  make: (
    g: ImageGeometry,
    reads: readonly [Operand, Operand],
    writes: Operand,
    ours: Kernel,
  ) => Kernel | null,
): CompileConvolution {
  const compile = javascriptKernels[kind] as CompileConvolution;
  return (instruction, context) => {
    const { reads, writes, parameters } = instruction;
    const ours = compile(instruction, context);
    const g = parameters.geometry.tapsOf ? null : convolutionAsImage(parameters.geometry);
    const operands = [operandAt(reads, 0), operandAt(reads, 1)] as const;
    const kernel = g && make(g, operands, writes, ours);
    if (!kernel) return ours;
    return (run) => (run.columns(operands[1].axis) === 0 ? ours(run) : kernel(run));
  };
}

/** Images of CNTK's order as tfjs's: samples, height, width, channels. */
function imageOf(
  device: Device,
  run: KernelRun,
  operand: Operand,
  [samples, channels, height, width]: readonly [number, number, number, number],
): Tensor4D {
  const values = run.view(operand);
  if (channels === 1) return device.tensor(values, [samples, height, width, 1]) as Tensor4D;
  return device.tf.transpose(
    device.tensor(values, [samples, channels, height, width]),
    [0, 2, 3, 1],
  ) as Tensor4D;
}

/** CNTK's weights, row-major maps x channels x height x width, as tfjs's filter: height x width x channels x maps. */
function filterOf(device: Device, run: KernelRun, weights: Operand, g: ImageGeometry): Tensor4D {
  const tensor = device.tensor(run.view(weights), [g.maps, g.channels, g.kernelHeight, g.kernelWidth]);
  return device.tf.transpose(tensor, [2, 3, 1, 0]) as Tensor4D;
}

/** tfjs's convolution (no kernel flip) with margins of either sign; the result in CNTK's order. */
function correlate(
  device: Device,
  image: Tensor4D,
  filter: Tensor4D,
  margins: Margins,
  strideX: number,
  strideY: number,
): Tensor {
  const { left, right, top, bottom } = margins;
  const strides: [number, number] = [strideY, strideX];
  // tfjs adds margins as it goes; images made larger first would be copied.
  const result =
    Math.min(left, right, top, bottom) >= 0
      ? device.tf.conv2d(image, filter, strides, [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ])
      : device.tf.conv2d(fitted(device, image, margins), filter, strides, "valid");
  return result.shape[3] === 1 ? result : device.tf.transpose(result, [0, 3, 1, 2]);
}

/** Adds zeros around the images where a margin is positive, cuts cells off where it is negative. */
function fitted({ tf }: Device, image: Tensor4D, { left, right, top, bottom }: Margins): Tensor4D {
  const [samples, height, width, channels] = image.shape;
  const cut = (margin: number) => Math.max(0, -margin);
  const add = (margin: number) => Math.max(0, margin);
  let result = image;
  if (Math.min(left, right, top, bottom) < 0) {
    const size = [height - cut(top) - cut(bottom), width - cut(left) - cut(right)] as const;
    result = tf.slice(result, [0, cut(top), cut(left), 0], [samples, ...size, channels]);
  }
  if (Math.max(left, right, top, bottom) > 0) {
    const pads: [number, number][] = [
      [0, 0],
      [add(top), add(bottom)],
      [add(left), add(right)],
      [0, 0],
    ];
    result = tf.pad<Tensor4D>(result, pads);
  }
  return result;
}
