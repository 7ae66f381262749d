import type { AttributesOf } from "../network/attributes.js";
import type { NetworkNode, NodeFacts, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type {
  DataRefusal,
  GraphBuilder,
  OpDefinition,
  ShapeContext,
  ShapeResult,
} from "../network/op-definition.js";
import { field, type StoredLayout } from "../network/stored-fields.js";
import {
  chooseEngine,
  dumpedWindows,
  engineLine,
  expandToRank,
  geometryText,
  imageLayoutOf,
  imageWindows,
  inputShapeFor,
  kernelCount,
  outputShape,
  windowAttributes,
  windowGeometry,
} from "./convolution-geometry.js";
import type { WindowAttributes } from "./convolution-geometry.js";
import { at, defineOp, formatDims, shapeProblem } from "./define-op.js";
import { inferDynamicAxis } from "./shape-rules.js";
import { storedWindows } from "./stored-parts.js";
import type { WindowDetails } from "../network/window-details.js";

const declarations = {
  kernelShape: { kind: "shape", doc: "Kernel; axes not given are reduced over entirely." },
  mapCount: { kind: "shape", doc: "Number of output maps: on the last axis, or one per axis." },
  strideShape: { kind: "shape", doc: "Step of the windows per axis." },
  dimSharing: {
    kind: "booleans",
    doc: "false: each window position along the axis has weights of its own.",
  },
  dimPadding: { kind: "booleans", doc: "Pad automatically so that window centers cover the input." },
  dimPadLower: {
    kind: "shape",
    doc: "Cells added before the first one, where there is no automatic padding.",
  },
  dimPadUpper: {
    kind: "shape",
    doc: "Cells added after the last one, where there is no automatic padding.",
  },
  transpose: { kind: "boolean", doc: "Transposed convolution." },
  dimOutputShape: { kind: "shape", doc: "Output shape of a transposed convolution; 0 = computed." },
  imageLayout: { kind: "string", doc: "CHW (cudnn) or HWC (legacy)." },
  maxTempMemSizeInSamples: { kind: "integer", doc: "Limit of CNTK's workspace; without effect here." },
  isTwoDimensional: {
    kind: "boolean",
    doc: "The older form for images, whose weights are a matrix [maps x kernel cells]; scripts of the old language make it.",
    computed: true,
  },
  engine: { kind: "string", doc: "CNTK's engine, chosen in the first compile.", computed: true },
} as const;

type ConvolutionAttributes = AttributesOf<typeof declarations>;

/** The output shape that was asked for, if any: CNTK writes "none" as an empty shape or `[0]`. */
function requestedOutput({ dimOutputShape: shape }: ConvolutionAttributes): SampleShape | undefined {
  return shape.length === 0 || (shape.length === 1 && shape[0] === 0) ? undefined : shape;
}

/** Shape of the result in CHW order. */
function resultShape(
  context: ShapeContext<ConvolutionAttributes>,
  windows: WindowAttributes,
  input: SampleShape,
): SampleShape {
  const { node, attributes } = context;
  const requested = requestedOutput(attributes);
  if (!attributes.transpose) {
    const shape = outputShape(node, windows, input);
    if (requested && formatDims(requested) !== formatDims(shape)) {
      throw shapeProblem(
        node,
        "convolution-output-shape",
        `${node.name} ${node.op.name} the shape of the specified convolution output ${formatDims(requested)} is different ` +
          `from the result of convoluting the input argument using the provided options ${formatDims(shape)}. ` +
          "It is recommonded that the output shape is not specified for convolution.",
      );
    }
    return shape;
  }
  if (!requested) {
    const shape = inputShapeFor(node, windows, input);
    // The convolution that goes the other way must be possible: its kernel fits into what is its input.
    if (context.isFinalPass) outputShape(node, windows, shape);
    return shape;
  }
  const mapped = outputShape(node, windows, requested);
  if (formatDims(mapped) !== formatDims(input)) {
    throw shapeProblem(
      node,
      "convolution-output-shape",
      `${node.name} ${node.op.name} the shape of the convolution transpose operand ${formatDims(input)} is different from ` +
        `the result of convoluting the specified output argument using the provided options ${formatDims(mapped)}`,
      `an output of [${formatDims(requested)}] needs an input of [${formatDims(mapped)}]; ` +
        `'${at(context.inputs, 1).node.name}' is [${formatDims(input)}]`,
    );
  }
  return requested;
}

/** Fills in weights of unknown shape: matrices as [maps x kernel cells], others as the kernel followed by the maps. */
function inferWeights(context: ShapeContext<ConvolutionAttributes>, windows: WindowAttributes): void {
  const weights = at(context.inputs, 0);
  const { kernelShape, mapCount } = windows;
  if (context.attributes.isTwoDimensional)
    inferMatrix(context, elementCount(mapCount), elementCount(kernelShape));
  if (elementCount(weights.shape) !== 0) return;
  context.inferParameter(
    0,
    weights.shape.length === 2
      ? [elementCount(mapCount), elementCount(kernelShape)]
      : [...kernelShape, ...mapCount],
  );
}

/** The older form takes a matrix only. */
function inferMatrix(context: ShapeContext<ConvolutionAttributes>, maps: number, cells: number): void {
  context.inferParameter(0, [maps, cells]);
  const weights = at(context.inputs, 0);
  const rows = weights.shape[0] ?? 1;
  if (!context.isFinalPass || (rows === maps && elementCount(weights.shape) === maps * cells)) return;
  throw shapeProblem(
    context.node,
    "weight-shape",
    `Convolution weight matrix ${weights.node.name} should have dimension [${maps}, ${cells}] which is ` +
      "[outputChannels, kernelWidth * kernelHeight * inputChannels]",
    `'${weights.node.name}' is [${formatDims(weights.shape)}]`,
  );
}

function convolutionShape(
  context: ShapeContext<ConvolutionAttributes>,
): ShapeResult<WindowDetails | undefined> {
  const { node, attributes } = context;
  const dynamicAxis = inferDynamicAxis(context);
  const given = at(context.inputs, 1).shape;
  const imageLayout = imageLayoutOf(node, attributes.imageLayout);
  const isOldForm = attributes.isTwoDimensional === true;
  const input = isOldForm ? channelsLast(node, given, imageLayout) : given;
  const windows = isOldForm
    ? imageWindows(windowAttributes(attributes), input)
    : expandToRank(windowAttributes(attributes), input, true);
  const output = resultShape(context, windows, input);
  const shape = imageLayout === "HWC" ? channelsFirst(node, output) : output;
  inferWeights(context, windows);
  let { engine } = attributes;
  let details: WindowDetails | undefined;
  if (context.isFinalPass) {
    const [from, to] = attributes.transpose ? [output, input] : [input, output];
    const geometry = windowGeometry(windows, from, to);
    details = imageLayout === "HWC" ? legacyDetails(attributes, windows, input, shape) : { geometry };
    if (engine === undefined) {
      engine = chooseEngine(windows, imageLayout);
      const line = engineLine(node, chooseEngine(windows, imageLayout), windows, from, to);
      context.message(line, "mathLibrary");
    }
    const weights = at(context.inputs, 0);
    const expected = elementCount(windows.kernelShape) * kernelCount(geometry);
    if (elementCount(weights.shape) !== expected) {
      throw shapeProblem(
        node,
        "weight-shape",
        `Convolution weight matrix ${weights.node.name} should have dimension ` +
          "[(filter shape) x (input channels) x (output channels)]",
        `'${weights.node.name}' is [${formatDims(weights.shape)}] with ${elementCount(weights.shape)} elements; a kernel ` +
          `of [${formatDims(windows.kernelShape)}] for ${kernelCount(geometry)} maps has ${expected}`,
      );
    }
  }
  const completed = { ...attributes, ...windows, ...(engine !== undefined && { engine }) };
  return { shape, dynamicAxis, storage: "dense", attributes: completed, details };
}

/** CNTK's engine that multiplies matrices takes back gradients only where the kernel is as deep as the input. */
function refusesDepth({ attributes, details }: NodeFacts, learns: boolean): DataRefusal | undefined {
  const { transpose, engine, ...windows } = attributes as unknown as ConvolutionAttributes;
  if (engine !== "GEMM" || !(transpose || learns)) return undefined;
  const { geometry } = known(details as WindowDetails | undefined);
  const { input, output, kernel } = geometry;
  if (kernel.at(-1) === input.at(-1)) return undefined;
  return {
    code: "convolution-depth",
    message:
      "GEMM convolution engine does not support this convolution configuration. It is possible to make GEMM engine work with " +
      "this configuration by defining input/output/kernel using tensors of higher(+1) dimension. " +
      `Geometry: ${geometryText(windowAttributes(windows), input, output)}`,
    hint: "give the input a last axis of 1, NewReshape (x, (…:1)): then the kernel is as deep as the input",
  };
}

/** [W x H x C] as HWC writes it: [C x W x H]. */
function channelsFirst(node: NetworkNode, shape: SampleShape): SampleShape {
  requireImage(node, shape);
  return [at(shape, 2), at(shape, 0), at(shape, 1)];
}

/** The image [W x H x C] of that layout. */
function channelsLast(node: NetworkNode, shape: SampleShape, layout: "HWC" | "CHW"): SampleShape {
  requireImage(node, shape);
  return layout === "CHW" ? shape : [at(shape, 1), at(shape, 2), at(shape, 0)];
}

function requireImage(node: NetworkNode, shape: SampleShape): void {
  if (shape.length === 3) return;
  throw shapeProblem(
    node,
    "unknown-image-layout",
    "Convolution operation currently only supports 1D or 2D convolution on 3D tensors.",
    `imageLayout='HWC' cannot make [${formatDims(shape)}]; use imageLayout='CHW'`,
  );
}

/**
 * CNTK's legacy engine (HWC) walks through memory as channel, row, column whatever the axes are called, pads by half the kernel
 * rounded down, and ignores explicit pads (CPUMatrix::AssignPackedConvolutionInput).
 */
function legacyDetails(
  { transpose }: ConvolutionAttributes,
  { kernelShape, strideShape, dimPadding }: WindowAttributes,
  input: SampleShape,
  result: SampleShape,
): WindowDetails {
  const [channels, width, height] = [at(result, 0), at(result, 1), at(result, 2)];
  const plain: SampleShape = [width, height, channels];
  const [from, to] = transpose ? [plain, input] : [input, plain];
  const [kernelWidth, kernelHeight] = [at(kernelShape, 0), at(kernelShape, 1)];
  const pads = at(dimPadding, 0);
  const start = (kernel: number): number => (pads ? 0 - Math.floor(kernel / 2) : 0);
  return {
    geometry: {
      input: [at(from, 2), at(from, 1), at(from, 0)],
      output: [at(to, 2), at(to, 1), at(to, 0)],
      kernel: [at(from, 2), kernelHeight, kernelWidth],
      windows: [1, at(to, 1), at(to, 0)],
      maps: [at(to, 2), 1, 1],
      stride: [1, at(strideShape, 1), at(strideShape, 0)],
      start: [0, start(kernelHeight), start(kernelWidth)],
      sharing: [true, true, true],
    },
    legacyWeights: [at(to, 2), kernelHeight, kernelWidth, at(from, 2)],
  };
}

/** Swaps the first and the last of the four axes of HWC weights: [K h w C] and [C h w K]. */
const swapEnds = [3, 1, 2, 0] as const;

const storedConvolution: StoredLayout = {
  fields: [
    ...storedWindows({
      poolKind: { constant: 0 },
      ceilOutDim: { constant: false },
      includePad: { constant: false },
    }),
    // Before version 5 a convolution had two dimensions, in fields of its own.
    field("kernelWidth", "unsigned8", { until: 5 }),
    field("kernelHeight", "unsigned8", { until: 5 }),
    field("horizontalStep", "unsigned8", { until: 5 }),
    field("verticalStep", "unsigned8", { until: 5 }),
    field("maps", "unsigned4", { until: 5 }),
    field("oldImageLayout", "unsigned4", { until: 5 }),
    field("pad", "boolean", { until: 5 }),
    field("workspace", "unsigned8", { until: 5, wide: true }),
    field("isTwoDimensional", "boolean", { since: 5, constant: false }),
    field("spare", "shape", { since: 18, constant: [1], otherwise: [1] }),
  ],
  upgrade: (old, version) =>
    version >= 5
      ? old
      : {
          ...old,
          kernelShape: [Number(old["kernelWidth"]), Number(old["kernelHeight"]), 1],
          mapCount: [Number(old["maps"])],
          strideShape: [Number(old["horizontalStep"]), Number(old["verticalStep"]), 1],
          sharing: [true],
          autoPadding: [old["pad"] === true],
          imageLayout: old["oldImageLayout"] ?? 1,
          maxTempMemSizeInSamples: old["workspace"] ?? 0,
          isTwoDimensional: true,
        },
};

const convolution = defineOp({
  name: "Convolution",
  doc:
    "Cross-correlation of the input with kernels, in any number of axes; with `transpose` its mirror image " +
    "(transposed convolution), which maps what would be the output back to the shape of the input.",
  source: "Source/ComputationNetworkLib/ConvolutionalNodes.h, Source/Math/ConvolveGeometry.h",
  inputs: [
    { name: "weights", doc: "Kernel dimensions, then output channels; unknown dimensions are inferred." },
    { name: "x", doc: "[W x H x C], or any number of axes." },
  ],
  attributes: declarations,
  stored: storedConvolution,
  differentiable: "yes",
  gradientDiffers:
    "transposed: the input's gradient replaces what other consumers of the input contributed before, instead of being added",
  overwritesGradient: ({ transpose }) => [false, transpose],
  memory: {
    usesOutput: false,
    usesInputs: "all",
    forwardTemporaries: [{ size: 0, workspace: true }],
    backwardTemporaries: [{ size: 0, workspace: true }],
    releasedForward: true,
  },
  shape: convolutionShape,
  refusesData: (_, { facts, learns }) => facts && refusesDepth(facts, learns),
  companions({ node, details, build }) {
    const { legacyWeights } = known(details);
    if (!legacyWeights) return { nodes: [] };
    return { nodes: [swappedEnds(build, at(node.inputs, 0), legacyWeights)] };
  },
  gradient({ attributes: { transpose }, details, inputs, companions, outputGradient, wants, build }) {
    const [weights, x] = [at(inputs, 0), at(inputs, 1)];
    const { shape, dynamicAxis } = build.facts(x);
    const weightShape = build.facts(weights).shape;
    const { geometry, legacyWeights } = known(details);
    const kernels = companions[0] ?? weights;
    const weightGradient = (): NetworkNode => {
      const operands = transpose ? [outputGradient, x] : [x, outputGradient];
      const swapped = legacyWeights && swapEnds.map((axis) => at(legacyWeights, axis));
      const result = { shape: swapped ?? weightShape, dynamicAxis: null };
      const gradient = build.primitive("convolutionWeightGradient", operands, { geometry }, result);
      return swapped ? build.reshape(swappedEnds(build, gradient, swapped), weightShape) : gradient;
    };
    const kind = transpose ? "convolution" : "convolutionInputGradient";
    return [
      wants(0) ? weightGradient() : null,
      wants(1)
        ? build.primitive(kind, [kernels, outputGradient], { geometry }, { shape, dynamicAxis })
        : null,
    ];
  },
  lower({ attributes, details, inputs, companions, output, emit }) {
    const operands = [companions[0] ?? at(inputs, 0), at(inputs, 1)];
    const { geometry } = known(details);
    emit(attributes.transpose ? "convolutionInputGradient" : "convolution", operands, output, { geometry });
  },
  dumped({ attributes, inputs, shape }) {
    // CNTK's engines count channels last, whatever the images' layout.
    const isHwc = attributes.imageLayout === "HWC" || attributes.imageLayout === "legacy";
    const turned = ([channels = 1, ...image]: SampleShape): SampleShape => [...image, channels];
    const given = at(inputs, 1);
    const input = isHwc && attributes.isTwoDimensional ? turned(given) : given;
    const output = isHwc ? turned(shape) : shape;
    const [from, to] = attributes.transpose ? [output, input] : [input, output];
    return dumpedWindows(windowAttributes(attributes), from, to, 0);
  },
});

/** What the final pass of the shape rule leaves. */
function known(details: WindowDetails | undefined): WindowDetails {
  if (!details) throw new Error("the convolution has no geometry yet");
  return details;
}

/** Weights of the HWC engine, seen as `from`, with their first and last axis exchanged. */
function swappedEnds(build: GraphBuilder, weights: NetworkNode, from: SampleShape): NetworkNode {
  const result = { shape: swapEnds.map((axis) => at(from, axis)), dynamicAxis: null };
  return build.primitive("transpose", [weights], { axes: swapEnds }, result, { reads: [from] });
}

export const convolutionOperations: readonly OpDefinition[] = [convolution];
