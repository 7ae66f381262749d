import type { ConstantValue, ImportRules, NodeValue, OperationImport, Value } from "./graph-import.js";

/** The windows of an operation in CNTK's order of axes, which has that of channels last. */
interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly before: readonly number[];
  readonly behind: readonly number[];
}

/** Windows over an image [C, H, W]: pads are told, or follow from the sizes (`auto_pad`). */
function windowsOf(operation: OperationImport, image: readonly number[], kernel: readonly number[]): Windows {
  const rank = image.length - 1;
  const strides = operation.numbers("strides") ?? kernel.map(() => 1);
  if ((operation.numbers("dilations") ?? []).some((dilation) => dilation !== 1))
    throw operation.problem("its windows have gaps (dilations)");
  if (kernel.length !== rank)
    throw operation.problem(`its windows have ${kernel.length} axes, the image ${rank}`);
  const pads = operation.numbers("pads") ?? automaticPads(operation, image.slice(1), kernel, strides);
  const reversed = (list: readonly number[]): number[] => [...list].reverse();
  return {
    kernel: reversed(kernel),
    strides: reversed(strides),
    before: reversed(pads.slice(0, rank)),
    behind: reversed(pads.slice(rank)),
  };
}

function automaticPads(
  operation: OperationImport,
  sizes: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
): number[] {
  const mode = operation.word("auto_pad", "NOTSET");
  if (!mode.startsWith("SAME")) return [...kernel, ...kernel].map(() => 0);
  const totals = sizes.map((size, axis) => {
    const stride = strides[axis] ?? 1;
    return Math.max((Math.ceil(size / stride) - 1) * stride + (kernel[axis] ?? 1) - size, 0);
  });
  const less = totals.map((total) => Math.floor(total / 2));
  const more = totals.map((total) => Math.ceil(total / 2));
  return mode === "SAME_LOWER" ? [...more, ...less] : [...less, ...more];
}

/** What convolution and pooling say of their windows; `channels` is the kernel's and the stride's last size. */
function windowAttributes(
  { kernel, strides, before, behind }: Windows,
  channels: number,
): Record<string, unknown> {
  return {
    kernelShape: [...kernel, channels],
    strideShape: [...strides, channels],
    dimPadding: [false],
    dimPadLower: [...before, 0],
    dimPadUpper: [...behind, 0],
    imageLayout: "CHW",
  };
}

const windowCounts = (
  image: readonly number[],
  { kernel, strides, before, behind }: Windows,
  isCeiling = false,
): number[] =>
  image.slice(1).map((size, index) => {
    const axis = kernel.length - 1 - index;
    const room = size + (before[axis] ?? 0) + (behind[axis] ?? 0) - (kernel[axis] ?? 1);
    const steps = room / (strides[axis] ?? 1);
    return (isCeiling ? Math.ceil(steps) : Math.floor(steps)) + 1;
  });

export const windowRules: ImportRules = {
  Conv(operation) {
    const { x, weights, windows } = convolutionParts(operation);
    const [out = 1, channels = 1] = weights.dims;
    const dims = [out, ...windowCounts(x.dims, windows)];
    const attributes = {
      ...windowAttributes(windows, channels),
      mapCount: [out],
      dimSharing: [true],
      transpose: false,
      dimOutputShape: [0],
      maxTempMemSizeInSamples: 0,
    };
    return withBias(operation, dims, (name) =>
      operation.add("Convolution", [operation.asNode(weights), x], dims, attributes, name),
    );
  },
  ConvTranspose(operation) {
    const { x, weights, windows } = convolutionParts(operation);
    const [, channels = 1] = weights.dims;
    const extra = [...(operation.numbers("output_padding") ?? windows.kernel.map(() => 0))].reverse();
    if (operation.numbers("output_shape"))
      throw operation.problem("the shape of its output is told (output_shape)");
    const { kernel, strides, before, behind } = windows;
    const sizes = kernel.map((cells, axis) => {
      const count = x.dims[x.dims.length - 1 - axis] ?? 1;
      const pads = (before[axis] ?? 0) + (behind[axis] ?? 0);
      return (count - 1) * (strides[axis] ?? 1) + cells - pads + (extra[axis] ?? 0);
    });
    const attributes = {
      ...windowAttributes(windows, channels),
      mapCount: [weights.dims[0] ?? 1],
      dimSharing: [true],
      transpose: true,
      dimOutputShape: [...sizes, channels],
      maxTempMemSizeInSamples: 0,
    };
    const dims = [channels, ...[...sizes].reverse()];
    return withBias(operation, dims, (name) =>
      operation.add("Convolution", [operation.asNode(weights), x], dims, attributes, name),
    );
  },
  MaxPool(operation) {
    const pooled = pooling(operation, "max");
    return operation.source.outputs.length > 1 ? [pooled, operation.operand(0)] : pooled;
  },
  AveragePool: (operation) => pooling(operation, "average"),
  GlobalMaxPool: (operation) => globalPooling(operation, "max"),
  GlobalAveragePool: (operation) => globalPooling(operation, "average"),
  /** The places of the maxima, its second input, stand for the image that was pooled. */
  MaxUnpool(operation) {
    const [values, image] = [operation.operand(0), operation.operand(1)];
    const windows = windowsOf(operation, image.dims, operation.numbers("kernel_shape") ?? []);
    return operation.add("MaxUnpooling", [values, image], image.dims, windowAttributes(windows, 1));
  },
  BatchNormalization(operation) {
    const x = operation.operand(0);
    const parts = [1, 2, 3, 4].map((index) => operation.value(index));
    const isSpatial = x.dims.length > 1;
    const statistic = (value: Value, index: number): NodeValue =>
      // What is counted is no parameter to learn.
      operation.asNode(value.kind === "constant" && index > 1 ? { ...value, multiplier: 0 } : value);
    const count = operation.scalar(0, `${operation.name}/run_sample_count`);
    const attributes = {
      spatial: isSpatial,
      normalizationTimeConstant: 5000,
      blendTimeConstant: 0,
      epsilon: operation.number("epsilon", 1e-5),
      useCntkEngine: true,
      imageLayout: "CHW",
    };
    return operation.add("BatchNormalization", [x, ...parts.map(statistic), count], x.dims, attributes);
  },
};

function convolutionParts(operation: OperationImport): {
  x: NodeValue;
  weights: ConstantValue;
  windows: Windows;
} {
  const x = operation.operand(0);
  const weights = operation.value(1);
  if (weights.kind !== "constant") throw operation.problem("its weights are computed");
  if (operation.number("group", 1) !== 1) throw operation.problem("its channels are in groups");
  return { x, weights, windows: windowsOf(operation, x.dims, weights.dims.slice(2)) };
}

/** A result, and the third input added to its channels. */
function withBias(
  operation: OperationImport,
  dims: readonly number[],
  make: (name: string) => NodeValue,
): NodeValue {
  if (!operation.has(2)) return make(operation.name);
  const result = make(`${operation.name}/convolved`);
  const bias = operation.value(2);
  const shape = [dims[0] ?? 1, ...dims.slice(1).map(() => 1)];
  const added = operation.asNode(bias.kind === "constant" ? { ...bias, dims: shape } : bias);
  return operation.add("Plus", [result, added], dims);
}

function pooling(operation: OperationImport, pool: "max" | "average"): NodeValue {
  const x = operation.operand(0);
  const windows = windowsOf(operation, x.dims, operation.numbers("kernel_shape") ?? []);
  const ceilOut = operation.number("ceil_mode", 0) !== 0;
  const poolIncludePad = operation.number("count_include_pad", 0) !== 0;
  const attributes = { ...windowAttributes(windows, 1), pool, ceilOut, poolIncludePad };
  return operation.add(
    "Pooling",
    [x],
    [x.dims[0] ?? 1, ...windowCounts(x.dims, windows, ceilOut)],
    attributes,
  );
}

function globalPooling(operation: OperationImport, pool: "max" | "average"): NodeValue {
  const x = operation.operand(0);
  const sizes = [...x.dims.slice(1)].reverse();
  const nothing = sizes.map(() => 0);
  const windows = { kernel: sizes, strides: sizes, before: nothing, behind: nothing };
  const attributes = { ...windowAttributes(windows, 1), pool, ceilOut: false, poolIncludePad: false };
  return operation.add("Pooling", [x], [x.dims[0] ?? 1, ...sizes.map(() => 1)], attributes);
}
