import type { Attributes, NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import type { Geometry } from "../primitives/instruction.js";
import {
  chooseEngine,
  engineLine,
  expandToRank,
  imageLayoutOf,
  outputShape,
  windowAttributes,
  windowGeometry,
} from "./convolution-geometry.js";
import type { WindowAttributes } from "./convolution-geometry.js";
import {
  at,
  booleanAttribute,
  defineOp,
  formatDims,
  memoryAll,
  memoryInputs,
  numberAttribute,
  shapeProblem,
  stringAttribute,
} from "./define-op.js";
import { buildPool, buildPoolGradient } from "./internal-windows.js";
import type { PoolKind } from "./internal-windows.js";
import { inferDynamicAxis } from "./shape-rules.js";

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
} as const;

/** `pool` as CNTK reads it, in any case. Throws CNTK's message for other kinds. */
function poolMode(node: NetworkNode, attributes: Attributes): "max" | "average" {
  const text = stringAttribute(attributes, "pool");
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

function poolKind(node: NetworkNode, attributes: Attributes): PoolKind {
  return { mode: poolMode(node, attributes), includePad: booleanAttribute(attributes, "poolIncludePad") };
}

function requireChannelsLast(context: ShapeContext): void {
  const { node, attributes } = context;
  if (imageLayoutOf(node, stringAttribute(attributes, "imageLayout")) === "CHW") return;
  throw shapeProblem(
    node,
    "unknown-image-layout",
    `${node.name} ${node.op.name} supports only cuDNN (CHW) data layout. Please specify imageLayout="cudnn" in ` +
      `${node.name} node in your script and make sure input data layout is CHW`,
  );
}

/** Completed attributes; in the final pass of the first compile CNTK makes the engine and says so. */
function completed(
  context: ShapeContext,
  windows: WindowAttributes,
  from: SampleShape,
  to: SampleShape,
  engineName = chooseEngine(windows, "CHW"),
): Attributes {
  const { attributes, node } = context;
  const engine = attributes["engine"] ?? (context.isFinalPass ? engineName : undefined);
  if (engine !== attributes["engine"]) context.message(engineLine(node, engineName, windows, from, to));
  return { ...attributes, ...windows, ...(engine !== undefined && { engine }) };
}

const pooling = defineOp({
  name: "Pooling",
  doc: "Maximum or average over windows. Cells outside the input never win and, unless poolIncludePad, are not counted.",
  source,
  inputs: [{ name: "x", doc: "[W x H x C], or any number of axes." }],
  attributes: {
    pool: { kind: "string", doc: "max or average." },
    ...windowDeclarations,
    ceilOut: { kind: "boolean", doc: "Round the number of windows up: the last one may reach outside." },
    poolIncludePad: { kind: "boolean", doc: "Average over the whole window, cells outside counting as 0." },
    imageLayout: { kind: "string", doc: "CHW (cudnn)." },
  },
  differentiable: "yes",
  gradientDiffers: `max: ${ties}`,
  memory: (attributes) =>
    stringAttribute(attributes, "pool").toLowerCase() === "max" ? memoryAll : memoryInputs,
  shape(context): ShapeResult {
    poolMode(context.node, context.attributes);
    const dynamicAxis = inferDynamicAxis(context);
    requireChannelsLast(context);
    const input = at(context.inputs, 0).shape;
    const windows = expandToRank(windowAttributes(context.attributes), input, false);
    const shape = outputShape(context.node, windows, input, booleanAttribute(context.attributes, "ceilOut"));
    return { shape, dynamicAxis, attributes: completed(context, windows, input, shape) };
  },
  gradient({ node, attributes, inputs, outputGradient, build }) {
    const x = at(inputs, 0);
    const kind = poolKind(node, attributes);
    const geometry = windowGeometry(
      windowAttributes(attributes),
      build.facts(x).shape,
      build.facts(node).shape,
    );
    return [buildPoolGradient(build, kind, geometry, outputGradient, kind.mode === "max" ? [x, node] : [])];
  },
  lower(context) {
    const { node, attributes, output } = context;
    const input = at(context.inputs, 0);
    const geometry = windowGeometry(windowAttributes(attributes), input.dims, output.dims);
    context.emit({ kind: "pool", ...poolKind(node, attributes), geometry, input, output });
  },
});

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
  attributes: { ...windowDeclarations, imageLayout: { kind: "string", doc: "CHW (cudnn)." } },
  differentiable: "yes",
  gradientDiffers:
    "the values get the maximum of the incoming gradient over their window, not the gradient at their place, and it " +
    "replaces what other consumers contributed before",
  overwritesGradient: () => [true, false],
  memory: memoryInputs,
  shape(context): ShapeResult {
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
    return { shape, dynamicAxis, attributes: completed(context, windows, shape, values.shape, "reference") };
  },
  gradient({ attributes, inputs, outputGradient, wants, build }) {
    const values = build.facts(at(inputs, 0)).shape;
    const geometry = windowGeometry(windowAttributes(attributes), build.facts(at(inputs, 1)).shape, values);
    const max: PoolKind = { mode: "max", includePad: false };
    return [wants(0) ? buildPool(build, max, geometry, outputGradient) : null, null];
  },
  lower(context) {
    const [pooled, poolInput] = [at(context.inputs, 0), at(context.inputs, 1)];
    const geometry = windowGeometry(windowAttributes(context.attributes), poolInput.dims, pooled.dims);
    context.emit({ kind: "maxUnpool", geometry, pooled, poolInput, output: context.output });
  },
});

/** Windows of the legacy pooling nodes, in the order of the image's axes. */
function legacyWindows(attributes: Attributes, channelsFirst: boolean): WindowAttributes {
  const ordered = (width: string, height: string): number[] => {
    const plane = [numberAttribute(attributes, width), numberAttribute(attributes, height)];
    return channelsFirst ? [1, ...plane] : [...plane, 1];
  };
  return {
    kernelShape: ordered("windowWidth", "windowHeight"),
    mapCount: [1],
    strideShape: ordered("horizontalSubsample", "verticalSubsample"),
    dimSharing: [true],
    dimPadding: [false],
    dimPadLower: [0],
    dimPadUpper: [0],
  };
}

const isChannelsFirst = (attributes: Attributes): boolean =>
  attributes["imageLayout"] === "HWC" || attributes["imageLayout"] === "legacy";

/** A rectangle of windows without padding, in memory order. */
function plainGeometry(
  input: SampleShape,
  kernel: SampleShape,
  windows: SampleShape,
  stride: SampleShape,
): Geometry {
  return {
    input,
    output: windows,
    kernel,
    windows,
    maps: input.map(() => 1),
    stride,
    start: input.map(() => 0),
    sharing: input.map(() => true),
  };
}

/**
 * What CNTK's legacy engine does with HWC images: it takes the three axes [C x W x H] for width, height and channels of
 * memory ordered channel, row, column. So it pools [H x W x C] along its second axis only, and the result is cut off at the
 * number of elements that was asked for.
 */
function scrambledGeometry(attributes: Attributes, input: SampleShape, output: SampleShape): Geometry {
  const [first, second, third] = [at(input, 0), at(input, 1), at(input, 2)];
  return plainGeometry(
    [third, second, first],
    [1, numberAttribute(attributes, "windowWidth"), 1],
    [third, at(output, 1), first],
    [1, numberAttribute(attributes, "horizontalSubsample"), 1],
  );
}

/** The first `count` of `total` elements, as windows of one cell. */
const prefixGeometry = (total: number, count: number): Geometry => plainGeometry([total], [1], [count], [1]);

function legacyPooling(name: string, mode: "max" | "average", doc: string): OpDefinition {
  const kind: PoolKind = { mode, includePad: false };
  return defineOp({
    name,
    doc,
    source,
    inputs: [{ name: "x", doc: "An image of three axes." }],
    attributes: {
      windowWidth: { kind: "integer", doc: "Width of the window." },
      windowHeight: { kind: "integer", doc: "Height of the window." },
      horizontalSubsample: { kind: "integer", doc: "Horizontal step." },
      verticalSubsample: { kind: "integer", doc: "Vertical step." },
      imageLayout: { kind: "string", doc: "CHW (cudnn) or HWC (legacy)." },
    },
    differentiable: "yes",
    ...(mode === "max" && { gradientDiffers: ties }),
    shape(context): ShapeResult {
      const { node, attributes, isFinalPass } = context;
      const dynamicAxis = inferDynamicAxis(context);
      const channelsFirst = imageLayoutOf(node, stringAttribute(attributes, "imageLayout")) === "HWC";
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
      const engine =
        attributes["engine"] ??
        (isFinalPass ? chooseEngine(windows, channelsFirst ? "HWC" : "CHW") : undefined);
      if (engine !== attributes["engine"]) {
        context.message(engineLine(node, channelsFirst ? "legacy" : "GEMM", windows, input, shape));
      }
      return { shape, dynamicAxis, attributes: { ...attributes, ...(engine !== undefined && { engine }) } };
    },
    companions({ node, attributes, build }) {
      if (!isChannelsFirst(attributes)) return { nodes: [] };
      const x = at(node.inputs, 0);
      const geometry = scrambledGeometry(attributes, build.facts(x).shape, build.facts(node).shape);
      return { nodes: [buildPool(build, kind, geometry, x)] };
    },
    gradient({ node, attributes, inputs, companions, outputGradient, build }) {
      const x = at(inputs, 0);
      const [from, to] = [build.facts(x).shape, build.facts(node).shape];
      const whole = companions[0];
      if (!whole) {
        const geometry = windowGeometry(legacyWindows(attributes, false), from, to);
        return [buildPoolGradient(build, kind, geometry, outputGradient, mode === "max" ? [x, node] : [])];
      }
      const geometry = scrambledGeometry(attributes, from, to);
      const [total, count] = [elementCount(geometry.output), elementCount(to)];
      // What was cut off gets no gradient.
      const padded = buildPoolGradient(
        build,
        { mode: "average", includePad: false },
        prefixGeometry(total, count),
        build.reshape(outputGradient, [count]),
        [],
      );
      const gradient = build.reshape(padded, geometry.output);
      return [buildPoolGradient(build, kind, geometry, gradient, mode === "max" ? [x, whole] : [], from)];
    },
    lower(context) {
      const { attributes, output } = context;
      const input = at(context.inputs, 0);
      const whole = context.companions[0];
      if (!whole) {
        const geometry = windowGeometry(legacyWindows(attributes, false), input.dims, output.dims);
        context.emit({ kind: "pool", ...kind, geometry, input, output });
        return;
      }
      const [total, count] = [elementCount(whole.dims), elementCount(output.dims)];
      context.emit({
        kind: "pool",
        mode: "max",
        includePad: false,
        geometry: prefixGeometry(total, count),
        input: { ...whole, dims: [total] },
        output: { ...output, dims: [count] },
      });
    },
  });
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
