import type { AttributesOf } from "../network/attributes.js";
import type { Attributes, NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { GraphBuilder, OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import { field, type StoredLayout } from "../network/stored-fields.js";
import type { Geometry } from "../primitives/geometry.js";
import type { PoolParameters } from "../primitives/parameters.js";
import {
  chooseEngine,
  dumpedWindows,
  engineLine,
  expandToRank,
  imageLayoutOf,
  outputShape,
  windowAttributes,
  windowGeometry,
} from "./convolution-geometry.js";
import type { WindowAttributes } from "./convolution-geometry.js";
import { at, defineOp, formatDims, memoryAll, memoryInputs, shapeProblem } from "./define-op.js";
import { flat } from "./lowering.js";
import { inferDynamicAxis } from "./shape-rules.js";
import { imageLayout, poolKinds, sharedEverywhere, storedWindows, withoutSharing } from "./stored-parts.js";
import type { PoolDetails, WindowDetails } from "../network/window-details.js";

const source = "Source/ComputationNetworkLib/ConvolutionalNodes.h, Source/Math/ConvolveGeometry.h";

const ties =
  "where several cells of a window are the maximum, the first one (first axis fastest) gets the whole gradient";

/** The window attributes that pooling nodes read. */
const windowDeclarations = {
  kernelShape: { kind: "shape", doc: "Window; axes not given are pooled cell by cell." },
  strideShape: { kind: "shape", doc: "Step of the windows per axis." },
  dimPadding: { kind: "booleans", doc: "Pad automatically so that window centers cover the input." },
  dimPadLower: {
    kind: "shape",
    doc: "Cells added before the first one, where there is no automatic padding.",
  },
  dimPadUpper: { kind: "shape", doc: "Cells added after the last one, where there is no automatic padding." },
  imageLayout: { kind: "string", doc: "CHW (cudnn)." },
  engine: { kind: "string", doc: "CNTK's engine, chosen in the first compile.", computed: true },
} as const;

type WindowedAttributes = AttributesOf<typeof windowDeclarations>;

/** `pool` as CNTK reads it, in any case. Throws CNTK's message for other kinds. */
function poolMode(node: NetworkNode, text: string): "max" | "average" {
  const kind = text.toLowerCase();
  if (kind === "max" || kind === "average") return kind;
  if (kind === "" || kind === "none") {
    throw shapeProblem(
      node,
      "unknown-pooling-kind",
      "Pooling type 0 is not supported.",
      "use 'max' or 'average'",
    );
  }
  throw shapeProblem(
    node,
    "unknown-pooling-kind",
    `Unknown pooling kind: '${text}'. Supported values: 'none', 'max', 'average'.`,
  );
}

function requireChannelsLast(context: ShapeContext<WindowedAttributes>): void {
  const { node, attributes } = context;
  if (imageLayoutOf(node, attributes.imageLayout) === "CHW") return;
  throw shapeProblem(
    node,
    "unknown-image-layout",
    `${node.name} ${node.op.name} supports only cuDNN (CHW) data layout. Please specify imageLayout="cudnn" in ` +
      `${node.name} node in your script and make sure input data layout is CHW`,
  );
}

/** Completed attributes; in the final pass of the first compile CNTK makes the engine and says so. */
function completed(
  context: ShapeContext<WindowedAttributes>,
  windows: WindowAttributes,
  from: SampleShape,
  to: SampleShape,
  engineName = chooseEngine(windows, "CHW"),
): Attributes {
  const { attributes, node } = context;
  const engine = attributes.engine ?? (context.isFinalPass ? engineName : undefined);
  if (engine !== attributes.engine)
    context.message(engineLine(node, engineName, windows, from, to), "mathLibrary");
  return { ...attributes, ...windows, ...(engine !== undefined && { engine }) };
}

const storedPooling: StoredLayout = {
  fields: storedWindows({
    mapCount: { constant: [1] },
    poolKind: { attribute: "pool", words: poolKinds },
    maxTempMemSizeInSamples: { constant: 0 },
    transpose: { constant: false },
    outputShape: { constant: [0] },
  }),
  attributes: withoutSharing,
  toFields: sharedEverywhere,
};

const storedUnpooling: StoredLayout = {
  fields: storedWindows({
    mapCount: { constant: [1] },
    poolKind: { constant: 1 },
    maxTempMemSizeInSamples: { constant: 0 },
    transpose: { constant: true },
    outputShape: { constant: [0] },
    ceilOutDim: { constant: false },
    includePad: { constant: false },
  }),
  attributes: withoutSharing,
  toFields: sharedEverywhere,
};

const storedLegacyPooling: StoredLayout = {
  fields: [
    field("windowWidth", "unsigned4"),
    imageLayout(),
    field("windowHeight", "unsigned8"),
    field("horizontalSubsample", "unsigned8"),
    field("verticalSubsample", "unsigned8"),
  ],
};

const pooling = defineOp({
  name: "Pooling",
  refusesSparse: ({ node }) =>
    node.attributes.pool === "average"
      ? { function: "AveragePoolingForward", line: 4667 }
      : { function: "MaxPoolingForward", line: 4570 },
  doc: "Maximum or average over windows. Cells outside the input never win and, unless poolIncludePad, are not counted.",
  source,
  inputs: [{ name: "x", doc: "[W x H x C], or any number of axes." }],
  attributes: {
    pool: { kind: "string", doc: "max or average." },
    ...windowDeclarations,
    ceilOut: { kind: "boolean", doc: "Round the number of windows up: the last one may reach outside." },
    poolIncludePad: { kind: "boolean", doc: "Average over the whole window, cells outside counting as 0." },
  },
  stored: storedPooling,
  differentiable: "yes",
  gradientDiffers: `max: ${ties}`,
  memory: (attributes) => (attributes.pool.toLowerCase() === "max" ? memoryAll : memoryInputs),
  shape(context): ShapeResult<PoolDetails> {
    const { node, attributes } = context;
    const mode = poolMode(node, attributes.pool);
    const dynamicAxis = inferDynamicAxis(context);
    requireChannelsLast(context);
    const input = at(context.inputs, 0).shape;
    const windows = expandToRank(windowAttributes(attributes), input, false);
    const shape = outputShape(node, windows, input, attributes.ceilOut);
    const details = {
      mode,
      includePad: attributes.poolIncludePad,
      geometry: windowGeometry(windows, input, shape),
    };
    return { shape, dynamicAxis, attributes: completed(context, windows, input, shape), details };
  },
  gradient: ({ node, details, inputs, outputGradient, build }) => [
    poolGradient(build, details, outputGradient, [at(inputs, 0), node]),
  ],
  lower: ({ details, inputs, output, emit }) =>
    emit("pool", [at(inputs, 0)], output, poolParameters(details)),
  dumped: ({ attributes, inputs, shape }) =>
    dumpedWindows(
      windowAttributes(attributes),
      at(inputs, 0),
      shape,
      poolKinds.indexOf(attributes.pool.toLowerCase()),
    ),
});

function poolParameters({ mode, includePad, geometry }: PoolDetails): PoolParameters {
  return { mode, includePad, geometry };
}

/** Node: the gradient of a pooling's input x, from that of its result; the values count for max only. */
function poolGradient(
  build: GraphBuilder,
  details: PoolDetails,
  gradient: NetworkNode,
  [x, pooled]: readonly [x: NetworkNode, pooled: NetworkNode],
): NetworkNode {
  const { shape, dynamicAxis } = build.facts(x);
  const operands = details.mode === "max" ? [gradient, x, pooled] : [gradient];
  return build.primitive("poolGradient", operands, poolParameters(details), { shape, dynamicAxis });
}

const maxUnpooling = defineOp({
  name: "MaxUnpooling",
  doc:
    "Puts each value back to where the maximum of its window stands in poolInput, 0 elsewhere; where windows overlap, " +
    "the later one wins. poolInput gets no gradient.",
  source,
  inputs: [
    { name: "unpoolInput", doc: "The values, shaped like the pooled poolInput." },
    { name: "poolInput", doc: "What had been pooled: decides places and shape." },
  ],
  attributes: windowDeclarations,
  stored: storedUnpooling,
  differentiable: "yes",
  gradientDiffers:
    "the values get the maximum of the incoming gradient over their window, not the gradient at their place, and it " +
    "replaces what other consumers contributed before",
  overwritesGradient: () => [true, false],
  memory: memoryInputs,
  shape(context): ShapeResult<WindowDetails> {
    const dynamicAxis = inferDynamicAxis(context);
    requireChannelsLast(context);
    const [values, poolInput] = [at(context.inputs, 0), at(context.inputs, 1)];
    const windows = expandToRank(windowAttributes(context.attributes), values.shape, false);
    const pooled = outputShape(context.node, windows, poolInput.shape);
    if (formatDims(pooled) !== formatDims(values.shape)) {
      const { node } = context;
      throw shapeProblem(
        node,
        "unpooling-shape",
        `${node.name} ${node.op.name} the shape of the unpooling operand ${formatDims(values.shape)} is different from the ` +
          `result of pooling the poolingInput argument usingthe provided options ${formatDims(pooled)}`,
        `'${poolInput.node.name}' [${formatDims(poolInput.shape)}] is pooled to [${formatDims(pooled)}], but ` +
          `'${values.node.name}' is [${formatDims(values.shape)}]`,
      );
    }
    const { shape } = poolInput;
    return {
      shape,
      dynamicAxis,
      attributes: completed(context, windows, shape, values.shape, "reference"),
      details: { geometry: windowGeometry(windows, shape, values.shape) },
    };
  },
  gradient({ details: { geometry }, inputs, outputGradient, wants, build }) {
    if (!wants(0)) return [null, null];
    const { shape, dynamicAxis } = build.facts(at(inputs, 0));
    const parameters = { mode: "max", includePad: false, geometry } as const;
    return [build.primitive("pool", [outputGradient], parameters, { shape, dynamicAxis }), null];
  },
  lower: ({ details: { geometry }, inputs, output, emit }) => emit("maxUnpool", inputs, output, { geometry }),
  dumped: ({ attributes, inputs, shape }) =>
    dumpedWindows(windowAttributes(attributes), shape, at(inputs, 0), 1),
});

/** Attributes of the older pooling nodes. */
const legacyDeclarations = {
  windowWidth: { kind: "integer", doc: "Width of the window." },
  windowHeight: { kind: "integer", doc: "Height of the window." },
  horizontalSubsample: { kind: "integer", doc: "Horizontal step." },
  verticalSubsample: { kind: "integer", doc: "Vertical step." },
  imageLayout: { kind: "string", doc: "CHW (cudnn) or HWC (legacy)." },
  engine: { kind: "string", doc: "CNTK's engine, chosen in the first compile.", computed: true },
} as const;

type LegacyAttributes = AttributesOf<typeof legacyDeclarations>;

/** Windows of the legacy pooling nodes, in the order of the image's axes. */
function legacyWindows(attributes: LegacyAttributes, channelsFirst: boolean): WindowAttributes {
  const ordered = (width: number, height: number): number[] =>
    channelsFirst ? [1, width, height] : [width, height, 1];
  return {
    kernelShape: ordered(attributes.windowWidth, attributes.windowHeight),
    mapCount: [1],
    strideShape: ordered(attributes.horizontalSubsample, attributes.verticalSubsample),
    dimSharing: [true],
    dimPadding: [false],
    dimPadLower: [0],
    dimPadUpper: [0],
  };
}

/**
 * What CNTK's legacy engine does with HWC images: it takes the three axes [C x W x H] for width, height and channels of
 * memory ordered channel, row, column. So it pools [H x W x C] along its second axis only, and the result is cut off at the
 * number of elements that was asked for.
 */
function scrambledGeometry(attributes: LegacyAttributes, input: SampleShape, output: SampleShape): Geometry {
  const [first, second, third] = [at(input, 0), at(input, 1), at(input, 2)];
  return {
    input: [third, second, first],
    output: [third, at(output, 1), first],
    kernel: [1, attributes.windowWidth, 1],
    windows: [third, at(output, 1), first],
    maps: [1, 1, 1],
    stride: [1, attributes.horizontalSubsample, 1],
    start: [0, 0, 0],
    sharing: [true, true, true],
  };
}

function legacyShape(
  context: ShapeContext<LegacyAttributes>,
  mode: "max" | "average",
): ShapeResult<PoolDetails> {
  const { node, attributes, isFinalPass } = context;
  const dynamicAxis = inferDynamicAxis(context);
  const channelsFirst = imageLayoutOf(node, attributes.imageLayout) === "HWC";
  const input = at(context.inputs, 0).shape;
  if (input.length !== 3) {
    throw shapeProblem(
      node,
      "pooling-rank",
      "Convolution operation currently only supports 1D or 2D convolution on 3D tensors.",
      `the input is [${formatDims(input)}]; use Pooling, which takes any number of axes`,
    );
  }
  const windows = legacyWindows(attributes, channelsFirst);
  const shape = input.map((dim, axis) => {
    const [kernel, stride] = [at(windows.kernelShape, axis), at(windows.strideShape, axis)];
    if (dim < kernel && isFinalPass) {
      throw shapeProblem(
        node,
        "kernel-too-large",
        "PoolingNodeBase: inputWidth must >= windowWidth and inputHeight must >= windowHeight.",
        `along axis ${axis + 1} the input has ${dim} cells, the window ${kernel}`,
      );
    }
    return Math.floor((dim - kernel) / stride) + 1;
  });
  const chosen = isFinalPass ? chooseEngine(windows, channelsFirst ? "HWC" : "CHW") : undefined;
  const engine = attributes.engine ?? chosen;
  if (engine !== attributes.engine) {
    const line = engineLine(node, channelsFirst ? "legacy" : "GEMM", windows, input, shape);
    context.message(line, "mathLibrary");
  }
  const geometry = channelsFirst
    ? scrambledGeometry(attributes, input, shape)
    : windowGeometry(windows, input, shape);
  return {
    shape,
    dynamicAxis,
    attributes: { ...attributes, ...(engine !== undefined && { engine }) },
    details: { mode, includePad: false, geometry, isCut: channelsFirst },
  };
}

function legacyPooling(name: string, mode: "max" | "average", doc: string): OpDefinition {
  return defineOp({
    name,
    doc,
    source,
    inputs: [{ name: "x", doc: "An image of three axes." }],
    attributes: legacyDeclarations,
    stored: storedLegacyPooling,
    differentiable: "yes",
    ...(mode === "max" && { gradientDiffers: ties }),
    shape: (context) => legacyShape(context, mode),
    // Where the result is cut off, the whole one is needed by value and gradient alike.
    companions({ node, details, build }) {
      if (!details.isCut) return { nodes: [] };
      const x = at(node.inputs, 0);
      const { dynamicAxis } = build.facts(x);
      const result = { shape: details.geometry.output, dynamicAxis };
      return { nodes: [build.primitive("pool", [x], poolParameters(details), result)] };
    },
    gradient({ node, details, inputs, companions, outputGradient, build }) {
      const x = at(inputs, 0);
      const whole = companions[0];
      if (!whole) return [poolGradient(build, details, outputGradient, [x, node])];
      const { shape, dynamicAxis } = build.facts(whole);
      // What was cut off gets no gradient.
      const views = { reads: [[elementCount(build.facts(node).shape)]], writes: [elementCount(shape)] };
      const place = { axis: 0, begin: 0 };
      const padded = build.primitive("pad", [outputGradient], place, { shape, dynamicAxis }, views);
      return [poolGradient(build, details, padded, [x, whole])];
    },
    lower({ details, inputs, companions, output, emit }) {
      const whole = companions[0];
      if (!whole) emit("pool", [at(inputs, 0)], output, poolParameters(details));
      else emit("slice", [flat(whole)], flat(output), { axis: 0, begin: 0 });
    },
    dumped: ({ attributes, inputs, shape }) => ({ items: legacyLines(attributes, at(inputs, 0), shape) }),
  });
}

/** Lines of a dump; they name the axes as HWC has them. */
function legacyLines(attributes: LegacyAttributes, input: SampleShape, output: SampleShape): string[] {
  const image = ([channels, width, height]: SampleShape): string =>
    `[Width:${width}, Height:${height}, Channels:${channels}]  \n`;
  const { windowWidth, windowHeight, horizontalSubsample, verticalSubsample } = attributes;
  return [
    `Input${image(input)}`,
    `PoolingWindow[Width:${windowWidth}, Height:${windowHeight}]  ` +
      `SubSampling[Horizontal:${horizontalSubsample}, Vertical:${verticalSubsample}]\n`,
    `Output${image(output)}`,
    `TotalSizePerSample[Input:${elementCount(input)}, Output:${elementCount(output)}]  \n`,
  ];
}

export const poolingOperations: readonly OpDefinition[] = [
  pooling,
  maxUnpooling,
  legacyPooling("MaxPooling", "max", "Maximum over two-dimensional windows; an older form of Pooling."),
  legacyPooling(
    "AveragePooling",
    "average",
    "Average over two-dimensional windows; an older form of Pooling.",
  ),
];
