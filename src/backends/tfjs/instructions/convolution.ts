import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import type { Instruction, Operand } from "../../../primitives/instruction.js";
import type { Device } from "../device.js";
import { convolutionAsImage, marginsOf, type ImageGeometry, type Margins } from "../image-geometry.js";
import {
  genericConvolution,
  genericConvolutionInputGradient,
  genericConvolutionWeightGradient,
} from "../kernels/generic-windows.js";
import { dilate, flipFilter } from "../kernels/filters.js";
import { windowTable } from "../kernels/window-table.js";
import { channelsLast, plain, type Layout } from "../layout.js";
import { factsOfOperand, tensorOf, type Frame, type ProgramBuilder } from "../program.js";
import { convolutionAttributes, correlate, fit, opposite, type ImageShape } from "./images.js";

type ConvolutionInstruction = Extract<Instruction, { kind: "convolution" }>;
type InputGradientInstruction = Extract<Instruction, { kind: "convolutionInputGradient" }>;
type WeightGradientInstruction = Extract<Instruction, { kind: "convolutionWeightGradient" }>;

function inputLayout(g: ImageGeometry): Layout {
  return channelsLast(g.width * g.height * g.channels, g.channels);
}

function outputLayout(g: ImageGeometry): Layout {
  return channelsLast(g.windowsX * g.windowsY * g.maps, g.maps);
}

function batch(operand: Operand, frame: Frame): number {
  return operand.perSample ? frame.samples : 1;
}

function inputShape(g: ImageGeometry, samples: number): ImageShape {
  return [samples, g.height, g.width, g.channels];
}

function outputShape(g: ImageGeometry, samples: number): ImageShape {
  return [samples, g.windowsY, g.windowsX, g.maps];
}

/** CNTK's weights, row-major maps x channels x height x width, as tfjs's filter: height x width x channels x maps. */
function filterOf(device: Device, weights: Tensor, g: ImageGeometry): TensorInfo {
  if (g.channels === 1 && g.maps === 1) {
    return device.shaped(weights, [g.kernelHeight, g.kernelWidth, 1, 1]);
  }
  const x = device.shaped(weights, [g.maps, g.channels, g.kernelHeight, g.kernelWidth]);
  return device.untilEndOfStep(device.call("Transpose", { x }, { perm: [2, 3, 1, 0] }));
}

/** Convolution: tfjs's `Conv2D` where the geometry is an image's, a loop over the window table otherwise. */
export function addConvolution(builder: ProgramBuilder, instruction: ConvolutionInstruction): void {
  const { geometry, weights, input, output } = instruction;
  const { device } = builder;
  const g = convolutionAsImage(geometry);
  const w = builder.read(weights, plain);
  if (!g) {
    const table = windowTable(geometry);
    const reads = [w, builder.read(input, plain)];
    const value = builder.own(reads, factsOfOperand(output), (frame, to, [kernel, from]) =>
      genericConvolution(table, batch(output, frame), kernel as Float32Array, from as Float32Array, to),
    );
    return builder.assign(output, value);
  }
  const x = builder.read(input, inputLayout(g));
  const margins = marginsOf(g);
  const value = builder.compute([w, x], factsOfOperand(output, outputLayout(g)), (frame) => {
    const shape = inputShape(g, batch(output, frame));
    const image = device.shaped(tensorOf(frame, x), [...shape]);
    const filter = filterOf(device, tensorOf(frame, w), g);
    return correlate(device, image, shape, filter, margins, g.strideX, g.strideY);
  });
  builder.assign(output, value);
}

/** Gradient with respect to the input, also the transposed convolution. */
export function addConvolutionInputGradient(
  builder: ProgramBuilder,
  instruction: InputGradientInstruction,
): void {
  const { geometry, weights, outputGradient, output } = instruction;
  const { device } = builder;
  const g = convolutionAsImage(geometry);
  const w = builder.read(weights, plain);
  if (!g) {
    const table = windowTable(geometry);
    const reads = [w, builder.read(outputGradient, plain)];
    const value = builder.own(reads, factsOfOperand(output), (frame, to, [kernel, gradient]) =>
      genericConvolutionInputGradient(
        table,
        batch(output, frame),
        kernel as Float32Array,
        gradient as Float32Array,
        to,
      ),
    );
    return builder.assign(output, value);
  }
  const dy = builder.read(outputGradient, outputLayout(g));
  const compute = device.variant === "wasm" ? inputGradientByCorrelation : inputGradientByTfjs;
  const value = builder.compute([w, dy], factsOfOperand(output, inputLayout(g)), (frame) =>
    compute(device, g, batch(output, frame), tensorOf(frame, w), tensorOf(frame, dy)),
  );
  builder.assign(output, value);
}

/** tfjs's own kernel, on the input's extent under the windows. */
function inputGradientByTfjs(
  device: Device,
  g: ImageGeometry,
  samples: number,
  weights: Tensor,
  gradient: Tensor,
): Tensor {
  const margins = marginsOf(g);
  const extent: ImageShape = [
    samples,
    g.height + margins.top + margins.bottom,
    g.width + margins.left + margins.right,
    g.channels,
  ];
  const image = device.call(
    "Conv2DBackpropInput",
    { dy: device.shaped(gradient, [...outputShape(g, samples)]), filter: filterOf(device, weights, g) },
    { ...convolutionAttributes(g.strideX, g.strideY), inputShape: [...extent] },
  );
  const fitted = fit(device, image, extent, opposite(margins));
  // What `fit` made belongs to the step; the result must outlive it.
  if (fitted.image === image) return image;
  image.dispose();
  return device.share(fitted.image as Tensor);
}

/**
 * The same as a convolution of the gradient with the flipped filter: on wasm that is XNNPACK's, and twenty times faster
 * than tfjs's loops. Strides first spread the gradient out with zeros between.
 */
function inputGradientByCorrelation(
  device: Device,
  g: ImageGeometry,
  samples: number,
  weights: Tensor,
  gradient: Tensor,
): Tensor {
  const filter = device.untilEndOfStep(device.allocate(weights.size));
  flipFilter(g, device.view(weights), device.view(filter));
  const height = (g.windowsY - 1) * g.strideY + 1;
  const width = (g.windowsX - 1) * g.strideX + 1;
  let image = gradient;
  if (g.strideX > 1 || g.strideY > 1) {
    image = device.untilEndOfStep(device.allocate(samples * height * width * g.maps));
    dilate(g, samples, device.view(gradient), device.view(image));
  }
  const top = g.kernelHeight - 1 + g.startY;
  const left = g.kernelWidth - 1 + g.startX;
  const margins: Margins = {
    top,
    bottom: g.height - height - top + g.kernelHeight - 1,
    left,
    right: g.width - width - left + g.kernelWidth - 1,
  };
  const shape: ImageShape = [samples, height, width, g.maps];
  return correlate(
    device,
    device.shaped(image, [...shape]),
    shape,
    device.shaped(filter, [g.kernelHeight, g.kernelWidth, g.maps, g.channels]),
    margins,
  );
}

/** Gradient with respect to the weights: `Conv2DBackpropFilter`, which on wasm is ours (kernels/filter-gradient.ts). */
export function addConvolutionWeightGradient(
  builder: ProgramBuilder,
  instruction: WeightGradientInstruction,
): void {
  const { geometry, input, outputGradient, output } = instruction;
  const { device } = builder;
  const g = convolutionAsImage(geometry);
  if (!g) {
    const table = windowTable(geometry);
    const reads = [builder.read(input, plain), builder.read(outputGradient, plain)];
    const value = builder.own(reads, factsOfOperand(output), (frame, to, [from, gradient]) =>
      genericConvolutionWeightGradient(
        table,
        batch(outputGradient, frame),
        from as Float32Array,
        gradient as Float32Array,
        to,
      ),
    );
    return builder.assign(output, value);
  }
  const x = builder.read(input, inputLayout(g));
  const dy = builder.read(outputGradient, outputLayout(g));
  const margins = marginsOf(g);
  const filterShape = [g.kernelHeight, g.kernelWidth, g.channels, g.maps];
  const value = builder.compute([x, dy], factsOfOperand(output), (frame) => {
    const samples = batch(outputGradient, frame);
    const image = device.shaped(tensorOf(frame, x), [...inputShape(g, samples)]);
    const fitted = fit(device, image, inputShape(g, samples), margins);
    const filter = device.call(
      "Conv2DBackpropFilter",
      { x: fitted.image, dy: device.shaped(tensorOf(frame, dy), [...outputShape(g, samples)]) },
      { ...convolutionAttributes(g.strideX, g.strideY), filterShape },
    );
    if (g.channels === 1 && g.maps === 1) return filter;
    device.untilEndOfStep(filter);
    return device.call("Transpose", { x: filter }, { perm: [3, 2, 0, 1] });
  });
  builder.assign(output, value);
}
