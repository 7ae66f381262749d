import type { Attributes, NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import type { Geometry } from "../primitives/instruction.js";
import {
  chooseEngine,
  engineLine,
  expandToRank,
  imageLayoutOf,
  inputShapeFor,
  kernelCount,
  outputShape,
  windowAttributes,
  windowGeometry,
} from "./convolution-geometry.js";
import type { WindowAttributes } from "./convolution-geometry.js";
import {
  at,
  booleanAttribute,
  booleansAttribute,
  defineOp,
  formatDims,
  shapeAttribute,
  shapeProblem,
  stringAttribute,
} from "./define-op.js";
import { transposeAxesOp } from "./internal.js";
import {
  buildConvolution,
  buildConvolutionInputGradient,
  buildConvolutionWeightGradient,
} from "./internal-windows.js";
import { inferDynamicAxis } from "./shape-rules.js";

/** The output shape that was asked for, if any: CNTK writes "none" as an empty shape or `[0]`. */
function requestedOutput(attributes: Attributes): SampleShape | undefined {
  const shape = shapeAttribute(attributes, "dimOutputShape");
  return shape.length === 0 || (shape.length === 1 && shape[0] === 0) ? undefined : shape;
}

/** Shape of the result in CHW order. */
function resultShape(context: ShapeContext, windows: WindowAttributes, input: SampleShape): SampleShape {
  const { node, attributes } = context;
  const requested = requestedOutput(attributes);
  if (!booleanAttribute(attributes, "transpose")) {
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
  if (!requested) return inputShapeFor(node, windows, input);
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
function inferWeights(context: ShapeContext, windows: WindowAttributes): void {
  const weights = at(context.inputs, 0);
  if (elementCount(weights.shape) !== 0) return;
  const { kernelShape, mapCount } = windows;
  context.inferParameter(
    0,
    weights.shape.length === 2
      ? [elementCount(mapCount), elementCount(kernelShape)]
      : [...kernelShape, ...mapCount],
  );
}

function convolutionShape(context: ShapeContext): ShapeResult {
  const { node, attributes } = context;
  const dynamicAxis = inferDynamicAxis(context);
  const input = at(context.inputs, 1).shape;
  const imageLayout = imageLayoutOf(node, stringAttribute(attributes, "imageLayout"));
  const windows = expandToRank(windowAttributes(attributes), input, true);
  const output = resultShape(context, windows, input);
  const shape = imageLayout === "HWC" ? channelsFirst(node, output) : output;
  inferWeights(context, windows);
  let engine = attributes["engine"];
  if (context.isFinalPass) {
    const [from, to] = booleanAttribute(attributes, "transpose") ? [output, input] : [input, output];
    const geometry = windowGeometry(windows, from, to);
    if (engine === undefined) {
      engine = chooseEngine(windows, imageLayout);
      context.message(engineLine(node, chooseEngine(windows, imageLayout), windows, from, to));
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
  return {
    shape,
    dynamicAxis,
    storage: "dense",
    attributes: { ...attributes, ...windows, ...(engine !== undefined && { engine }) },
  };
}

/** [W x H x C] as HWC writes it: [C x W x H]. */
function channelsFirst(node: NetworkNode, shape: SampleShape): SampleShape {
  if (shape.length !== 3) {
    throw shapeProblem(
      node,
      "unknown-image-layout",
      "Convolution operation currently only supports 1D or 2D convolution on 3D tensors.",
      `imageLayout='HWC' cannot make [${formatDims(shape)}]; use imageLayout='CHW'`,
    );
  }
  return [at(shape, 2), at(shape, 0), at(shape, 1)];
}

/** How a convolution's windows lie in memory, and the weights' axes for the HWC engine, whose kernels vary fastest. */
interface MemoryGeometry {
  readonly geometry: Geometry;
  readonly legacyWeights?: readonly number[];
}

/**
 * The geometry in memory order. CNTK's legacy engine (HWC) walks through memory as channel, row, column whatever the axes
 * are called, pads by half the kernel rounded down, and ignores explicit pads (CPUMatrix::AssignPackedConvolutionInput).
 */
function memoryGeometry(attributes: Attributes, input: SampleShape, result: SampleShape): MemoryGeometry {
  const windows = windowAttributes(attributes);
  const transposed = booleanAttribute(attributes, "transpose");
  if (attributes["imageLayout"] !== "HWC" && attributes["imageLayout"] !== "legacy") {
    return {
      geometry: transposed ? windowGeometry(windows, result, input) : windowGeometry(windows, input, result),
    };
  }
  const [channels, width, height] = [at(result, 0), at(result, 1), at(result, 2)];
  const plain: SampleShape = [width, height, channels];
  const [from, to] = transposed ? [plain, input] : [input, plain];
  const [kernelWidth, kernelHeight] = [at(windows.kernelShape, 0), at(windows.kernelShape, 1)];
  const pads = at(booleansAttribute(attributes, "dimPadding"), 0);
  const start = (kernel: number): number => (pads ? 0 - Math.floor(kernel / 2) : 0);
  return {
    geometry: {
      input: [at(from, 2), at(from, 1), at(from, 0)],
      output: [at(to, 2), at(to, 1), at(to, 0)],
      kernel: [at(from, 2), kernelHeight, kernelWidth],
      windows: [1, at(to, 1), at(to, 0)],
      maps: [at(to, 2), 1, 1],
      stride: [1, at(windows.strideShape, 1), at(windows.strideShape, 0)],
      start: [0, start(kernelHeight), start(kernelWidth)],
      sharing: [true, true, true],
    },
    legacyWeights: [at(to, 2), kernelHeight, kernelWidth, at(from, 2)],
  };
}

/** Swaps the first and the last of the four axes of HWC weights: [K h w C] and [C h w K]. */
const swapEnds = [3, 1, 2, 0] as const;

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
  attributes: {
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
  },
  differentiable: "yes",
  gradientDiffers:
    "transposed: the input's gradient replaces what other consumers of the input contributed before, instead of being added",
  overwritesGradient: (attributes) => [false, booleanAttribute(attributes, "transpose")],
  memory: {
    usesOutput: false,
    usesInputs: "all",
    forwardTemporaries: [{ size: 0, workspace: true }],
    backwardTemporaries: [{ size: 0, workspace: true }],
    releasedForward: true,
  },
  shape: convolutionShape,
  companions({ node, attributes, build }) {
    const [weights, x] = [at(node.inputs, 0), at(node.inputs, 1)];
    const { legacyWeights } = memoryGeometry(attributes, build.facts(x).shape, build.facts(node).shape);
    if (!legacyWeights) return { nodes: [] };
    return { nodes: [build.apply(transposeAxesOp, [weights], { from: legacyWeights, axes: swapEnds })] };
  },
  gradient({ node, attributes, inputs, companions, outputGradient, wants, build }) {
    const [weights, x] = [at(inputs, 0), at(inputs, 1)];
    const [shape, weightShape] = [build.facts(x).shape, build.facts(weights).shape];
    const { geometry, legacyWeights } = memoryGeometry(attributes, shape, build.facts(node).shape);
    const transposed = booleanAttribute(attributes, "transpose");
    const kernels = companions[0] ?? weights;
    const weightGradient = (): NetworkNode => {
      const [from, to] = transposed ? [outputGradient, x] : [x, outputGradient];
      if (!legacyWeights) return buildConvolutionWeightGradient(build, geometry, from, to, weightShape);
      const swapped = swapEnds.map((axis) => at(legacyWeights, axis));
      const gradient = buildConvolutionWeightGradient(build, geometry, from, to, swapped);
      return build.reshape(
        build.apply(transposeAxesOp, [gradient], { from: swapped, axes: swapEnds }),
        weightShape,
      );
    };
    const inputGradient = transposed ? buildConvolution : buildConvolutionInputGradient;
    return [
      wants(0) ? weightGradient() : null,
      wants(1) ? inputGradient(build, geometry, kernels, outputGradient, shape) : null,
    ];
  },
  lower(context) {
    const { attributes, inputs, companions, output } = context;
    const x = at(inputs, 1);
    const weights = companions[0] ?? at(inputs, 0);
    const { geometry } = memoryGeometry(attributes, x.dims, output.dims);
    if (booleanAttribute(attributes, "transpose")) {
      context.emit({ kind: "convolutionInputGradient", geometry, weights, outputGradient: x, output });
    } else {
      context.emit({ kind: "convolution", geometry, weights, input: x, output });
    }
  },
});

export const convolutionOperations: readonly OpDefinition[] = [convolution];
