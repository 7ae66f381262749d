import { type Attribute, type Dims, elementsOf, type Tensor, text, whole, wholes } from "./graph.js";
import type { Translation, TranslationRule, TranslationRules } from "./translation.js";

/** Nothing in a float is less. */
const lowest = -3.4028234663852886e38;

/** The windows of an operation along the axes of an image. */
interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly before: readonly number[];
  readonly behind: readonly number[];
}

function windowsOf(translation: Translation): Windows {
  const kernel = translation.integers("kernel_shape");
  const pads = translation.integers("pads");
  const rank = kernel.length;
  if (rank < 1 || rank > 3) throw translation.refuse(`its windows have ${rank} axes, not 1 to 3`);
  return {
    kernel,
    strides: translation.integers("strides"),
    before: pads.slice(0, rank),
    behind: pads.slice(rank),
  };
}

/*
 * TensorFlow's images are [N, H, W, C], those of ONNX and CNTK's memory [N, C, H, W]: they are turned before and after. What has
 * one axis becomes an image of one row.
 */

function channelsLast(translation: Translation, x: Tensor): Tensor {
  const { name } = translation;
  const rank = x.dims.length - 2;
  const order = [0, ...Array.from({ length: rank }, (_, axis) => axis + 2), 1];
  const turned = translation.transpose(x, order, `${name}/channels_last`);
  if (rank !== 1) return turned;
  const [samples, width, channels] = turned.dims;
  return translation.reshape(turned, [samples, 1, width, channels], `${name}/row`);
}

function channelsFirst(translation: Translation, image: Tensor, isRow: boolean): Tensor {
  const { name } = translation;
  const [samples, , width, channels] = image.dims;
  const given = isRow ? translation.reshape(image, [samples, width, channels], `${name}/of_row`) : image;
  const rank = given.dims.length - 2;
  const order = [0, rank + 1, ...Array.from({ length: rank }, (_, axis) => axis + 1)];
  return translation.transpose(given, order, name);
}

/** An image with cells around it. */
function padded(translation: Translation, image: Tensor, windows: Windows, value: number): Tensor {
  const { before, behind } = windows;
  if ([...before, ...behind].every((cells) => cells === 0)) return image;
  const around = [[0, 0], ...before.map((cells, axis) => [cells, behind[axis] ?? 0]), [0, 0]];
  const dims = image.dims.map((dim, axis) => dim && dim + sum(around[axis] ?? []));
  const pads = translation.graph.constant("", [around.length, 2], Int32Array.from(around.flat()));
  const filling = translation.graph.constant("", [], Float32Array.of(value));
  return translation.step("PadV2", [image, pads, filling], "padded", dims);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Windows of an image of one row. */
function asImage(windows: Windows): Windows {
  const { kernel, strides, before, behind } = windows;
  if (kernel.length !== 1) return windows;
  return {
    kernel: [1, ...kernel],
    strides: [1, ...strides],
    before: [0, ...before],
    behind: [0, ...behind],
  };
}

const windowSizes = (image: Dims, { kernel, strides }: Windows): Dims =>
  kernel.map((cells, axis) => {
    const size = image[axis + 1];
    return size && Math.floor((size - cells) / (strides[axis] ?? 1)) + 1;
  });

function windowAttributes({ strides }: Windows): Record<string, Attribute> {
  const format = strides.length === 3 ? "NDHWC" : "NHWC";
  return { strides: wholes([1, ...strides, 1]), padding: text("VALID"), data_format: text(format) };
}

/** Convolution and pooling, by their names in ONNX. */
export const windowTranslations: TranslationRules = {
  Conv(translation) {
    const given = windowsOf(translation);
    const windows = asImage(given);
    const is3d = windows.kernel.length === 3;
    const image = padded(translation, channelsLast(translation, translation.input(0)), windows, 0);
    const kernels = kernelsOf(translation, [1, 0]);
    const dims = [image.dims[0], ...windowSizes(image.dims, windows), kernels.dims.at(-1)];
    const attr = { ...windowAttributes(windows), dilations: wholes(dims.map(() => 1)) };
    const result = translation.step(is3d ? "Conv3D" : "Conv2D", [image, kernels], "convolved", dims, attr);
    return channelsFirst(translation, result, given.kernel.length === 1);
  },
  ConvTranspose: transposedConvolution,
  MaxPool: pooling("MaxPool", lowest),
  AveragePool: pooling("AvgPool", 0),
  MaxUnpool: unpooling,
};

/** [out, in, h, w] with the axes of an image in front, and then these two. */
function kernelsOf(translation: Translation, last: readonly number[]): Tensor {
  const weights = translation.input(1);
  const rank = weights.dims.length - 2;
  const order = [...Array.from({ length: rank }, (_, axis) => axis + 2), ...last];
  const turned = translation.transpose(weights, order, `${weights.name}/kernels`);
  return rank === 1 ? translation.reshape(turned, [1, ...turned.dims], `${weights.name}/row`) : turned;
}

/** The gradient of a convolution as to its image: computed whole, then what pads were is cut off. */
function transposedConvolution(translation: Translation): Tensor {
  const { graph, name } = translation;
  const given = windowsOf(translation);
  const windows = asImage(given);
  if (windows.kernel.length === 3) throw translation.refuse("it makes an image of three axes");
  const behindLast = [...(given.kernel.length === 1 ? [0] : []), ...translation.integers("output_padding")];
  const image = channelsLast(translation, translation.input(0));
  const kernels = kernelsOf(translation, [1, 0]);
  const sizes = windows.kernel.map(
    (cells, axis) =>
      ((image.dims[axis + 1] ?? 1) - 1) * (windows.strides[axis] ?? 1) + cells + (behindLast[axis] ?? 0),
  );
  const larger = [...sizes, kernels.dims.at(-2) ?? 1];
  const shape = translation.step("Shape", [image], "like", [image.dims.length], {}, "int32");
  const [from, to, by] = [graph.list([0]), graph.list([1]), graph.list([1])];
  const samples = translation.step("StridedSlice", [shape, from, to, by], "samples", [1], {}, "int32");
  const operands = [samples, graph.list(larger), graph.number(0)];
  const target = translation.step("ConcatV2", operands, "sizes", [4], { N: whole(2) }, "int32");
  const dims = [image.dims[0], ...larger];
  const attr = { ...windowAttributes(windows), T: { type: "DT_FLOAT" } };
  const result = translation.step(
    "Conv2DBackpropInput",
    [target, kernels, image],
    "spread",
    dims,
    attr,
    "float32",
  );
  return channelsFirst(
    translation,
    cropped(translation, result, windows, `${name}/cropped`),
    given.kernel.length === 1,
  );
}

/** An image without the cells that pads stand for. */
function cropped(translation: Translation, image: Tensor, { before, behind }: Windows, name: string): Tensor {
  if ([...before, ...behind].every((cells) => cells === 0)) return image;
  const { graph } = translation;
  const first = [0, ...before, 0];
  const dims = image.dims.map(
    (dim, axis) => dim && dim - (first[axis] ?? 0) - ([0, ...behind, 0][axis] ?? 0),
  );
  const size = graph.list(dims.map((dim) => dim ?? -1));
  return graph.add("Slice", [image, graph.list(first), size], name, dims);
}

function pooling(op: "MaxPool" | "AvgPool", around: number): TranslationRule {
  return (translation) => {
    const given = windowsOf(translation);
    const windows = asImage(given);
    const image = channelsLast(translation, translation.input(0));
    const filled = padded(translation, image, windows, around);
    const channels = filled.dims.at(-1);
    const dims = [filled.dims[0], ...windowSizes(filled.dims, windows), channels];
    const suffix = windows.kernel.length === 3 ? "3D" : "";
    const attr = { ...windowAttributes(windows), ksize: wholes([1, ...windows.kernel, 1]) };
    const pooled = translation.step(`${op}${suffix}`, [filled], "pooled", dims, attr);
    const isCounted =
      op === "MaxPool" || translation.integer("count_include_pad", 0) === 1 || filled === image;
    const result = isCounted ? pooled : correctedMean(translation, pooled, image.dims, windows);
    return channelsFirst(translation, result, given.kernel.length === 1);
  };
}

/** Means over what is inside the image only: TensorFlow has divided by the whole window. */
function correctedMean(translation: Translation, pooled: Tensor, image: Dims, windows: Windows): Tensor {
  const factorsAlong = windows.kernel.map((cells, axis) =>
    Array.from({ length: pooled.dims[axis + 1] ?? 1 }, (_, place) => {
      const begin = place * (windows.strides[axis] ?? 1) - (windows.before[axis] ?? 0);
      const inside = Math.min(begin + cells, image[axis + 1] ?? 1) - Math.max(begin, 0);
      return cells / inside;
    }),
  );
  let factors = [1];
  for (const along of factorsAlong)
    factors = factors.flatMap((factor) => along.map((other) => factor * other));
  const dims = [1, ...factorsAlong.map(({ length }) => length), 1];
  const constant = translation.graph.constant(`${translation.name}/inside`, dims, Float32Array.from(factors));
  return translation.step("Mul", [pooled, constant], "mean", pooled.dims);
}

/**
 * Values go to where the maxima stood. Windows that do not overlap are the axes of a tensor; the first maximum of each is marked
 * and multiplied by the value.
 */
function unpooling(translation: Translation): Tensor {
  const { graph, name } = translation;
  const values = translation.input(0);
  const pooled = translation.input(1);
  const windows = windowsOf(translation);
  const { kernel, strides, before } = windows;
  if (kernel.some((cells, axis) => cells !== strides[axis]))
    throw translation.refuse("its windows overlap, or leave something out");
  const counts = values.dims.slice(2).map(Number);
  const sizes = counts.map((count, axis) => count * (kernel[axis] ?? 1));
  const shape = pooled.dims.slice(2).map(Number);
  const ends = sizes.map((size, axis) => size - (before[axis] ?? 0) - (shape[axis] ?? 0));
  const behind = ends.map((cells) => Math.max(cells, 0));
  const isImage = { ...windows, behind };
  // Samples and channels are one axis here.
  const stretch = (tensor: Tensor, dims: Dims, what: string): Tensor =>
    translation.reshape(tensor, dims, `${name}/${what}`);
  const planes = stretch(pooled, [undefined, ...shape, 1], "planes");
  const complete = padded(translation, cut(translation, planes, sizes, before), isImage, lowest);
  const apart = stretch(
    complete,
    [undefined, ...counts.flatMap((count, axis) => [count, kernel[axis] ?? 1])],
    "apart",
  );
  const rank = kernel.length;
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const order = [0, ...axes.map((axis) => 1 + 2 * axis), ...axes.map((axis) => 2 + 2 * axis)];
  const cells = elementsOf(kernel);
  const inWindows = stretch(
    translation.transpose(apart, order, `${name}/windows`),
    [undefined, cells],
    "each",
  );
  const first = translation.step("ArgMax", [inWindows, graph.number(1)], "first", [undefined], {}, "int32");
  const [on, off] = [1, 0].map((value) => graph.constant("", [], Float32Array.of(value)));
  if (!on || !off) throw new Error("no marks");
  const attr = { axis: whole(-1), T: { type: "DT_FLOAT" } };
  const marks = graph.add(
    "OneHot",
    [first, graph.number(cells), on, off],
    `${name}/marks`,
    [undefined, cells],
    attr,
  );
  const spread = translation.step("Mul", [marks, stretch(values, [undefined, 1], "values")], "spread", [
    undefined,
    cells,
  ]);
  const back = stretch(spread, [undefined, ...counts, ...kernel], "in_windows");
  const inverse = [0, ...axes.flatMap((axis) => [1 + axis, 1 + rank + axis])];
  const joined = stretch(
    translation.transpose(back, inverse, `${name}/joined`),
    [undefined, ...sizes, 1],
    "image",
  );
  const inside = cropped(translation, joined, { ...windows, behind }, `${name}/inside`);
  // What no window reached is zero.
  const rest = ends.map((one) => Math.max(0 - one, 0));
  const result = padded(translation, inside, { ...windows, before: before.map(() => 0), behind: rest }, 0);
  return stretch(result, pooled.dims, "unpooled");
}

/** The part of an image that windows reach. */
function cut(
  translation: Translation,
  image: Tensor,
  sizes: readonly number[],
  before: readonly number[],
): Tensor {
  const { graph } = translation;
  const dims = image.dims.map((dim, axis) =>
    axis === 0 || axis > sizes.length
      ? dim
      : Math.min(dim ?? 1, (sizes[axis - 1] ?? 0) - (before[axis - 1] ?? 0)),
  );
  if (dims.join() === image.dims.join()) return image;
  const size = graph.list(dims.map((dim) => dim ?? -1));
  const from = graph.list(dims.map(() => 0));
  return graph.add("Slice", [image, from, size], `${translation.name}/reached`, dims);
}
