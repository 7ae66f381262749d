import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import type { Device } from "../device.js";
import type { Margins } from "../image-geometry.js";

/** Sizes of a batch of images as tfjs has them: samples, height, width, channels. */
export type ImageShape = readonly [number, number, number, number];

const none: Margins = { left: 0, right: 0, top: 0, bottom: 0 };

/** Explicit padding of a tfjs op, or of `PadV2`. */
function paddings({ top, bottom, left, right }: Margins): [number, number][] {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

/** Adds zeros around the images where a margin is positive, cuts cells off where it is negative. */
export function fit(
  device: Device,
  image: TensorInfo,
  shape: ImageShape,
  margins: Margins,
): { readonly image: TensorInfo; readonly shape: ImageShape } {
  const [samples, height, width, channels] = shape;
  const { left, right, top, bottom } = margins;
  let fitted = image;
  let size: ImageShape = shape;
  if (left < 0 || right < 0 || top < 0 || bottom < 0) {
    const cut = (margin: number) => Math.max(0, -margin);
    size = [samples, height - cut(top) - cut(bottom), width - cut(left) - cut(right), channels];
    const begin = [0, cut(top), cut(left), 0];
    fitted = device.untilEndOfStep(device.call("Slice", { x: fitted }, { begin, size: [...size] }));
  }
  if (left > 0 || right > 0 || top > 0 || bottom > 0) {
    const add = (margin: number) => Math.max(0, margin);
    const padding = { left: add(left), right: add(right), top: add(top), bottom: add(bottom) };
    const attributes = { paddings: paddings(padding), constantValue: 0 };
    fitted = device.untilEndOfStep(device.call("PadV2", { x: fitted }, attributes));
    size = [
      samples,
      size[1] + padding.top + padding.bottom,
      size[2] + padding.left + padding.right,
      channels,
    ];
  }
  return { image: fitted, shape: size };
}

/** The margins that undo `margins`. */
export function opposite({ left, right, top, bottom }: Margins): Margins {
  return { left: -left, right: -right, top: -top, bottom: -bottom };
}

/** Attributes that tfjs's convolution kernels have in common. */
export function convolutionAttributes(strideX: number, strideY: number, margins: Margins = none) {
  return {
    strides: [strideY, strideX],
    pad: paddings(margins),
    dataFormat: "NHWC",
    dilations: [1, 1],
    dimRoundingMode: "floor",
  };
}

/** tfjs's convolution (no kernel flip) with margins of either sign. `filter` is height, width, channels, maps. */
export function correlate(
  device: Device,
  image: TensorInfo,
  shape: ImageShape,
  filter: TensorInfo,
  margins: Margins,
  strideX = 1,
  strideY = 1,
): Tensor {
  const { left, right, top, bottom } = margins;
  // XNNPACK pads as it reads; native TensorFlow and the JavaScript backend get the padded image.
  const padsItself = device.variant === "wasm" && left >= 0 && right >= 0 && top >= 0 && bottom >= 0;
  const input = padsItself ? { image } : fit(device, image, shape, margins);
  const attributes = convolutionAttributes(strideX, strideY, padsItself ? margins : none);
  return device.call("Conv2D", { x: input.image, filter }, attributes);
}
