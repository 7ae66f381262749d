import type { SampleShape } from "../network/network.js";
import type { OpDefinition, ShapeContext } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import type { RegionParameters } from "../primitives/parameters.js";
import { argument, constant, multiply } from "../primitives/expression.js";
import { at, defineOp, memoryAll, shapeProblem } from "./define-op.js";
import { inferDynamicAxis, refusesSingles } from "./shape-rules.js";
import { poolKinds } from "./stored-parts.js";

function wrong(context: Pick<ShapeContext, "node">, message: string): Error {
  return shapeProblem(context.node, "shape-mismatch", `ROIPoolingNode: ${message}`);
}

function regionParameters(attributes: {
  readonly featureScale: number;
  readonly roiOutputShape: SampleShape;
}): RegionParameters {
  const [width, height] = attributes.roiOutputShape;
  return { scale: attributes.featureScale, grid: [width ?? 1, height ?? 1] };
}

const roiPooling = defineOp({
  name: "ROIPooling",
  doc: "Maximum over the cells of a grid laid over each region of interest of an image.",
  source: "Source/ComputationNetworkLib/ConvolutionalNodes.h",
  inputs: [
    { name: "x", doc: "[W x H x C]" },
    { name: "rois", doc: "[4 x R]: x1, y1, x2, y2 of each region, in pixels of the original image." },
  ],
  attributes: {
    featureScale: { kind: "number", doc: "Size of the feature map over that of the image." },
    roiOutputShape: { kind: "shape", doc: "[PW x PH], cells of the grid." },
    pool: { kind: "string", doc: "Only `max`." },
  },
  stored: {
    fields: [
      field("roiOutputShape", "shape"),
      field("poolKind", "signed4", { since: 26, attribute: "pool", words: poolKinds, otherwise: 1 }),
      field("spatialScale", "float8", { since: 26, attribute: "featureScale", otherwise: 1 / 16 }),
    ],
  },
  refusesData: refusesSingles,
  differentiable: "yes",
  gradientDiffers:
    "nothing flows into rows whose number is the width or more, or into regions that begin outside; it counts twice where the " +
    "regions need a gradient too, which they do not get",
  memory: {
    ...memoryAll,
    forwardTemporaries: [{ size: "output", scaled: "output" }],
  },
  shape(context) {
    const { attributes, isFinalPass } = context;
    if (attributes.pool === "average") {
      throw shapeProblem(context.node, "not-supported", "Average ROI pooling is not supported.");
    }
    const dynamicAxis = inferDynamicAxis(context);
    const [x, rois] = [at(context.inputs, 0).shape, at(context.inputs, 1).shape];
    const grid = attributes.roiOutputShape;
    const [width = 0, height = 0] = grid;
    const [inputWidth = 0, inputHeight = 0, channels = 0] = x;
    const [corners, regions = 0] = rois;
    // CNTK asks for these axes before it says what it misses.
    if (x.length < 3) throw wrong(context, "input must have at least one channel ([W x H x C]).");
    if (rois.length < 2) throw wrong(context, "ROI input must have the following shape: [4 x roisPerImage].");
    if (isFinalPass) {
      if (grid.length !== 2) throw wrong(context, "roi output shape must have two dimensions ([W x H]).");
      if (inputWidth < width || inputHeight < height) {
        throw wrong(context, "inputWidth must >= windowWidth and inputHeight must >= windowHeight.");
      }
      if (channels < 1) throw wrong(context, "input must have at least one channel ([W x H x C]).");
      if (corners !== 4) throw wrong(context, "ROI input must have the following shape: [4 x roisPerImage].");
      if (regions < 1) throw wrong(context, "ROI input must contain at least one ROI ([4 x roisPerImage]).");
    }
    return { shape: [width, height, channels, regions], dynamicAxis };
  },
  gradient({ attributes, inputs, outputGradient, wants, build }) {
    if (!wants(0)) return [null, null];
    const [x, regions] = [at(inputs, 0), at(inputs, 1)];
    const { shape, dynamicAxis } = build.facts(x);
    const operands = [outputGradient, x, regions];
    const result = { shape, dynamicAxis: dynamicAxis ?? build.facts(outputGradient).dynamicAxis };
    const gradient = build.primitive("regionPoolGradient", operands, regionParameters(attributes), result);
    return [wants(1) ? build.map(multiply(constant(2), argument(0)), [gradient]) : gradient, null];
  },
  lower({ attributes, inputs, output, emit }) {
    emit("regionPool", inputs, output, regionParameters(attributes));
  },
});

export const roiPoolingOperations: readonly OpDefinition[] = [roiPooling];
