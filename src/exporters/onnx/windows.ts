import { elementCount, type NetworkNode, type SampleShape } from "../../network/network.js";
import { inElementType, newValues, type Values } from "../../numerics/values.js";
import { type PoolDetails, windowDetailsOf } from "../../network/window-details.js";
import type { Geometry } from "../../primitives/geometry.js";
import { type Emission, endOfAxis, noCounterpart, reversed } from "./emission.js";
import { integer, integers, type OnnxAttribute } from "./graph.js";
import type { OperationRules } from "./rules.js";

/** Windows along the spatial axes, in ONNX's order. */
interface SpatialWindows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly before: readonly number[];
  /** Cells in front of the first window: where padding is automatic and steps are wide. */
  readonly skipped: readonly number[];
  /** Cells beyond the end that windows reach; negative where they do not come to it. */
  readonly behind: readonly number[];
}

/** All axes but the last, which has the channels: CNTK's [W x H x C] is ONNX's C, H, W. */
function spatialWindows(
  node: NetworkNode,
  { input, kernel, windows, stride, start, tapsOf }: Geometry,
): SpatialWindows {
  if (tapsOf) throw noCounterpart(node, "with a padding wider than half the kernel");
  const rank = input.length - 1;
  const axes = Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  const at = (list: readonly number[]): number[] => axes.map((axis) => list[axis] ?? 0);
  return {
    kernel: at(kernel),
    strides: at(stride),
    before: at(start).map((first) => Math.max(0 - first, 0)),
    skipped: at(start).map((first) => Math.max(first, 0)),
    behind: axes.map((axis) => {
      const last = (start[axis] ?? 0) + ((windows[axis] ?? 1) - 1) * (stride[axis] ?? 1);
      return last + (kernel[axis] ?? 1) - (input[axis] ?? 1);
    }),
  };
}

function windowAttributes(windows: SpatialWindows): Record<string, OnnxAttribute> {
  const { kernel, strides, before, behind } = windows;
  return {
    kernel_shape: integers(kernel),
    strides: integers(strides),
    pads: integers([...before, ...behind.map((cells) => Math.max(cells, 0))]),
  };
}

/** The image without the cells in front of the first window. */
function withoutSkipped(
  emission: Emission,
  tensor: string,
  { skipped }: SpatialWindows,
  name: string,
): string {
  if (skipped.every((cells) => cells === 0)) return tensor;
  const lists = { from: skipped, to: skipped.map(() => endOfAxis), axes: skipped.map((_, axis) => axis + 2) };
  const operands = Object.entries(lists).map(([what, values]) =>
    emission.graph.numbers(`${name}/reached_${what}`, values),
  );
  return emission.add("Slice", [tensor, ...operands], `${name}/reached`);
}

/** An image with zeros where cells were skipped. */
function withSkipped(emission: Emission, tensor: string, { skipped }: SpatialWindows, name: string): string {
  const pads = [0, 0, ...skipped, 0, 0, ...skipped.map(() => 0)];
  return emission.add("Pad", [tensor, emission.graph.numbers(`${name}/skipped`, pads)], name);
}

/** An image batch [N, C, …]: of sequences, time and N are laid together before, and taken apart after. */
function onImages(
  node: NetworkNode,
  x: NetworkNode,
  emission: Emission,
  apply: (tensor: string, name: string) => string,
): string {
  const { name } = node;
  const leads = emission.leads(x);
  if (leads === 1) return apply(emission.tensor(x), name);
  const own = reversed(emission.shape(x));
  const flat = emission.graph.numbers(`${name}/flat`, [-1, ...own]);
  const images = emission.add("Reshape", [emission.tensor(x), flat], `${name}/images`);
  const result = apply(images, `${name}/result`);
  if (leads === 0) return reshapeTo(emission, result, reversed(emission.shape(node)), name);
  const shape = emission.add("Shape", [emission.tensor(x)], `${name}/dims`);
  const front = emission.add(
    "Slice",
    [shape, emission.graph.numbers(`${name}/from`, [0]), emission.graph.numbers(`${name}/to`, [leads])],
    `${name}/leading`,
  );
  const rest = emission.graph.numbers(`${name}/rest`, reversed(emission.shape(node)));
  const whole = emission.add("Concat", [front, rest], `${name}/shape`, { axis: integer(0) });
  return emission.add("Reshape", [result, whole], name);
}

function reshapeTo(emission: Emission, tensor: string, dims: readonly number[], name: string): string {
  return emission.add("Reshape", [tensor, emission.graph.numbers(`${name}/shape`, dims)], name);
}

/** Convolution and pooling. */
export const windowRules: OperationRules = {
  Convolution: convolution,
  Pooling(node, emission) {
    const { mode, includePad, geometry } = windowDetailsOf<PoolDetails>(emission.facts(node));
    return pooling(node, emission, mode, includePad, geometry);
  },
  MaxUnpooling: unpooling,
  MaxPooling: legacyPooling,
  AveragePooling: legacyPooling,
  BatchNormalization: normalization,
};

function legacyPooling(node: NetworkNode, emission: Emission): string {
  const { mode, geometry, isCut } = windowDetailsOf<PoolDetails>(emission.facts(node));
  if (isCut !== true) return pooling(node, emission, mode, false, geometry);
  // CNTK's engine for HWC takes the axes for others than they are, and what it computes too much is cut off.
  const attributes = windowAttributes(spatialWindows(node, geometry));
  const own = reversed(emission.shape(node));
  return onImages(node, emission.input(node, 0), emission, (tensor, name) => {
    const laid = emission.reshape(tensor, reversed(geometry.input), 1, `${name}/laid`);
    const pooled = emission.add(poolingOperations[mode], [laid], `${name}/pooled`, attributes);
    const flat = emission.reshape(pooled, [-1], 1, `${name}/flat_result`);
    const bounds = Object.entries({ from: [0], to: [elementCount(own)], axis: [1] }).map(([what, values]) =>
      emission.graph.numbers(`${name}/${what}_of_cut`, values),
    );
    const cut = emission.add("Slice", [flat, ...bounds], `${name}/cut`);
    return emission.reshape(cut, own, 1, name);
  });
}

const poolingOperations = { max: "MaxPool", average: "AveragePool" } as const;

function pooling(
  node: NetworkNode,
  emission: Emission,
  mode: "max" | "average",
  includePad: boolean,
  geometry: Geometry,
): string {
  if (geometry.kernel.at(-1) !== 1) throw noCounterpart(node, "across channels");
  const windows = spatialWindows(node, geometry);
  const attributes: Record<string, OnnxAttribute> = windowAttributes(windows);
  if (mode === "average") attributes["count_include_pad"] = integer(includePad ? 1 : 0);
  return onImages(node, emission.input(node, 0), emission, (tensor, name) => {
    const reached = withoutSkipped(emission, tensor, windows, name);
    return emission.add(poolingOperations[mode], [reached], name, attributes);
  });
}

/** The places of the maxima come from pooling once more; then the values are put there. */
function unpooling(node: NetworkNode, emission: Emission): string {
  const [values, pooled] = [emission.input(node, 0), emission.input(node, 1)];
  const { geometry } = windowDetailsOf(emission.facts(node));
  if (geometry.kernel.at(-1) !== 1) throw noCounterpart(node, "across channels");
  if (emission.leads(values) !== 1 || emission.leads(pooled) !== 1) throw noCounterpart(node, "in sequences");
  const { name } = node;
  const windows = spatialWindows(node, geometry);
  if (windows.skipped.some((cells) => cells > 0))
    throw noCounterpart(node, "whose first window begins inside of the image");
  const attributes = windowAttributes(windows);
  const [maxima, places] = [emission.graph.take(`${name}/maxima`), emission.graph.take(`${name}/places`)];
  const inputs = [emission.tensor(pooled)];
  emission.graph.push({ operation: "MaxPool", inputs, outputs: [maxima, places], attributes });
  const shape = emission.add("Shape", inputs, `${name}/shape`);
  return emission.add("MaxUnpool", [emission.tensor(values), places, shape], name, attributes);
}

function convolution(node: NetworkNode, emission: Emission): string {
  const [weights, x] = [emission.input(node, 0), emission.input(node, 1)];
  const { transpose } = emission.facts(node).attributes;
  const { geometry: given, legacyWeights } = windowDetailsOf(emission.facts(node));
  const geometry = legacyWeights ? channelsBehind(given) : given;
  if (!geometry.sharing.every(Boolean)) throw noCounterpart(node, "with weights of each place's own");
  if (geometry.kernel.at(-1) !== geometry.input.at(-1))
    throw noCounterpart(node, "across part of the channels");
  if (geometry.maps.slice(0, -1).some((maps) => maps !== 1))
    throw noCounterpart(node, "with maps along the image");
  const windows = spatialWindows(node, geometry);
  const kernels = legacyWeights
    ? legacyKernels(weights, legacyWeights, emission)
    : kernelTensor(weights, geometry, emission);
  const attributes = windowAttributes(windows);
  if (transpose === true) {
    // What the windows leave over at the end of the larger image.
    attributes["output_padding"] = integers(windows.behind.map((cells) => Math.max(0 - cells, 0)));
  }
  const convolve = (image: string, name: string): string => {
    if (transpose !== true) {
      const reached = withoutSkipped(emission, image, windows, name);
      return emission.add("Conv", [reached, kernels], name, attributes);
    }
    const isWhole = windows.skipped.every((cells) => cells === 0);
    const result = emission.add(
      "ConvTranspose",
      [image, kernels],
      isWhole ? name : `${name}/spread`,
      attributes,
    );
    return isWhole ? result : withSkipped(emission, result, windows, name);
  };
  return onImages(node, x, emission, (tensor, name) => {
    if (!legacyWeights) return convolve(tensor, name);
    const laid = reversed(transpose === true ? given.output : given.input);
    const image = emission.reshape(tensor, laid, 1, `${name}/laid`);
    const forwards = { perm: integers([0, 3, 1, 2]) };
    const turned = emission.add("Transpose", [image], `${name}/channels_first`, forwards);
    const result = convolve(turned, `${name}/convolved`);
    const back = { perm: integers([0, 2, 3, 1]) };
    const found = emission.add("Transpose", [result], `${name}/channels_last`, back);
    return emission.reshape(found, reversed(emission.shape(node)), 1, name);
  });
}

/** The geometry of the layout HWC, in which channels are the first axis, with them as the last one. */
function channelsBehind(geometry: Geometry): Geometry {
  const moved = <T>([channels, ...others]: readonly T[]): T[] =>
    channels === undefined ? others : [...others, channels];
  const { input, output, kernel, windows, maps, stride, start, sharing } = geometry;
  return {
    input: moved(input),
    output: moved(output),
    kernel: moved(kernel),
    windows: moved(windows),
    maps: moved(maps),
    stride: moved(stride),
    start: moved(start),
    sharing: moved(sharing),
  };
}

/** Weights [out x h x w x in] of that layout as ONNX's [out, in, w, h]. */
function legacyKernels(weights: NetworkNode, shape: readonly number[], emission: Emission): string {
  const laid = reshapeTo(emission, emission.tensor(weights), reversed(shape), `${weights.name}/laid`);
  return emission.add("Transpose", [laid], `${weights.name}/kernels`, { perm: integers([3, 0, 1, 2]) });
}

/** [w x h x in x out] is ONNX's [out, in, h, w]. Weights in a matrix lie in memory just so. */
function kernelTensor(weights: NetworkNode, { kernel, maps }: Geometry, emission: Emission): string {
  const shape = emission.shape(weights);
  const wanted = reversed([...kernel, maps.at(-1) ?? 1]);
  if (reversed(shape).join() === wanted.join()) return emission.tensor(weights);
  return reshapeTo(emission, emission.tensor(weights), wanted, `${weights.name}/kernels`);
}

/** At evaluation normalization is a scale and a shift for each channel (or element): both are worked out here. */
function normalization(node: NetworkNode, emission: Emission): string {
  const x = emission.input(node, 0);
  const { epsilon, spatial } = emission.facts(node).attributes;
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) =>
    emission.values.get(emission.input(node, index)),
  );
  if (!scale || !bias || !mean || !variance) throw noCounterpart(node, "with computed statistics");
  const factors = newValues(emission.elementType, scale.length);
  const shifts = newValues(emission.elementType, scale.length);
  for (let i = 0; i < scale.length; i++) {
    const factor = (scale[i] ?? 0) / Math.sqrt((variance[i] ?? 0) + Number(epsilon));
    factors[i] = factor;
    shifts[i] = (bias[i] ?? 0) - (mean[i] ?? 0) * factor;
  }
  const own = emission.shape(x);
  const shape: SampleShape =
    spatial === true ? own.map((dim, axis) => (axis === own.length - 1 ? dim : 1)) : own;
  const constant = (name: string, values: Values): string =>
    emission.constant(`${node.name}/${name}`, shape, inElementType(values, emission.elementType));
  const scaled = emission.add("Mul", [emission.tensor(x), constant("scale", factors)], `${node.name}/scaled`);
  return emission.add("Add", [scaled, constant("shift", shifts)], node.name);
}
