import type { Attributes } from "../../network/network.js";
import type { FieldValue } from "../../network/stored-fields.js";
import type { LibraryAxis, LibraryDictionary, LibraryValue } from "./dictionary.js";
import { axisOf, isList, shapeOf } from "./library-graph.js";

/** What the attributes of a function are made of: those of the library, and shapes of inputs where they are known. */
export interface OperationContext {
  readonly attributes: LibraryDictionary;
  /** Shape of a parameter or input that is an input; undefined for what functions compute. */
  readonly inputShape: (index: number) => readonly number[] | undefined;
}

/** A primitive function of the library as an operation of model files. */
export interface LibraryOperation {
  readonly operation: string;
  /** For each input of the function, its place among the node's; the same place where it is absent. */
  readonly places?: readonly number[];
  readonly attributes?: (context: OperationContext) => Attributes;
  /** Fields that no attribute tells. */
  readonly fields?: (context: OperationContext) => Readonly<Record<string, FieldValue>>;
}

const swapped = [1, 0, 2];

/** The library's functions by number (Source/CNTKv2LibraryDll/PrimitiveOpType.h; CompositeFunction.cpp, CreateComputationNode). */
const operations: Readonly<Record<number, LibraryOperation | string>> = {
  0: "Negate",
  1: "Sigmoid",
  2: "Tanh",
  3: "RectifiedLinear",
  4: "Exp",
  5: "Log",
  6: "Sqrt",
  7: "Floor",
  8: "Abs",
  9: "Reciprocal",
  10: "Softmax",
  11: "Hardmax",
  12: { operation: "TransposeDimensions", ...transposeAxes() },
  13: { operation: "Where" },
  14: { operation: "Slice", attributes: sliceAttributes },
  15: { operation: "Dropout", attributes: randomState },
  16: { operation: "Reshape", attributes: reshapeAttributes },
  17: { operation: "Pooling", attributes: poolingAttributes },
  18: "SumElements",
  19: "Plus",
  20: "Minus",
  21: "ElementTimes",
  22: "Equal",
  23: "NotEqual",
  24: "Less",
  25: "LessEqual",
  26: "Greater",
  27: "GreaterEqual",
  28: "PackedIndex",
  29: { operation: "GatherPacked", places: swapped },
  30: { operation: "ScatterPacked", places: [2, 1, 0] },
  31: { operation: "Times", attributes: timesAttributes },
  32: { operation: "TransposeTimes", attributes: timesAttributes },
  33: { operation: "Convolution", attributes: convolutionAttributes },
  34: "SquareError",
  35: { operation: "CrossEntropyWithSoftmax", places: swapped },
  36: { operation: "ClassificationError", places: swapped },
  37: { operation: "PastValue", attributes: delayAttributes },
  38: { operation: "FutureValue", attributes: delayAttributes },
  39: { operation: "ReduceElements", attributes: reductionAttributes },
  40: { operation: "BatchNormalization", attributes: normalizationAttributes },
  41: { operation: "Clip", places: [2, 0, 1] },
  42: "If",
  43: { operation: "RowStack", attributes: (context) => ({ axis: axisNumber(context, "axis", 1) }) },
  45: { operation: "RandomSample", attributes: sampleAttributes },
  46: { operation: "RandomSampleInclusionFrequency", attributes: sampleAttributes },
  47: { operation: "ROIPooling", attributes: roiAttributes },
  48: { operation: "Logistic", places: swapped },
  49: { operation: "OptimizedRNNStack", places: swapped, attributes: stackAttributes },
  50: "ReconcileDynamicAxis",
  51: "LogSoftmax",
  52: "LogPlus",
  53: "CosDistance",
  54: "Sin",
  55: "Cosine",
  56: "Pass",
  58: { operation: "MaxUnpooling", attributes: unpoolingAttributes },
  59: { operation: "LambdaRank", places: swapped },
  60: { operation: "NDCG1Eval", places: swapped },
  61: { operation: "EditDistanceError", attributes: editDistanceAttributes },
  63: "LabelsToGraph",
  64: "StopGradient",
  65: "ExponentialLinearUnit",
  66: { operation: "ForwardBackward", attributes: forwardBackwardAttributes },
  67: "CosDistanceWithNegativeSamples",
  68: "OneHot",
  69: "Pow",
  70: "ToSequence",
  71: "ToSequenceLike",
  72: "UnpackSequence",
  73: "Assign",
  74: "Gather",
  75: "StableSigmoid",
  76: "RandomDistribution",
};

/** Functions without a node of their own: their value is that of their input. */
export const passingFunctions: ReadonlySet<number> = new Set([44, 62]);

/** The operation of a number; undefined for one that CNTK 2.0 does not have. */
export function libraryOperation(op: number): LibraryOperation | undefined {
  const found = operations[op];
  return typeof found === "string" ? { operation: found } : found;
}

/** Functions that measure: their values are sums over the samples. */
export const criteria: ReadonlySet<string> = new Set([
  "CrossEntropyWithSoftmax",
  "SquareError",
  "Logistic",
  "LambdaRank",
  "ForwardBackward",
]);
export const evaluations: ReadonlySet<string> = new Set([
  "ClassificationError",
  "NDCG1Eval",
  "EditDistanceError",
]);

const allStaticAxes = -1;
const allAxes = -4;

/** The number of an axis in model files: static ones from 1, others with numbers of their own. */
function axisNumber({ attributes }: OperationContext, key: string, fallback: number): number {
  const axis = axisOf(attributes.get(key));
  return axis ? numberOfAxis(axis) : fallback;
}

const dynamic = 2147483647;

function numberOfAxis({ index, name, isOrdered }: LibraryAxis): number {
  if (index === dynamic + allStaticAxes) return 0;
  if (index === dynamic + allAxes) return -1;
  if (index === dynamic) return isOrdered || name === "defaultDynamicAxis" ? -2 : -3;
  return index + 1;
}

function numberAt({ attributes }: OperationContext, key: string, fallback: number): number {
  const value = attributes.get(key);
  return typeof value === "number" ? value : fallback;
}

function flagAt({ attributes }: OperationContext, key: string, fallback = false): boolean {
  const value = attributes.get(key);
  return typeof value === "boolean" ? value : fallback;
}

function textAt({ attributes }: OperationContext, key: string, fallback = ""): string {
  const value = attributes.get(key);
  return typeof value === "string" ? value : fallback;
}

function shapeAt(
  { attributes }: OperationContext,
  key: string,
  fallback: readonly number[],
): readonly number[] {
  return shapeOf(attributes.get(key)) ?? fallback;
}

function listAt({ attributes }: OperationContext, key: string): readonly LibraryValue[] | undefined {
  const value = attributes.get(key);
  return isList(value) ? value : undefined;
}

function flagsAt(context: OperationContext, key: string, fallback: readonly boolean[]): readonly boolean[] {
  return listAt(context, key)?.map((item) => item === true) ?? fallback;
}

function axesAt(context: OperationContext, key: string): number[] | undefined {
  return listAt(context, key)?.map((item) => {
    const axis = axisOf(item);
    return axis ? numberOfAxis(axis) : 1;
  });
}

/** Two axes, or in newer files the order of all of them. */
function transposeAxes(): Pick<LibraryOperation, "attributes" | "fields"> {
  return {
    attributes: (context) => ({
      axis1: axisNumber(context, "axis1", 0),
      axis2: axisNumber(context, "axis2", 0),
    }),
    fields: (context): Readonly<Record<string, FieldValue>> => {
      const order = axesAt(context, "axisVec");
      if (!order) return {};
      return { permutation: order.map((axis) => (axis > 0 ? axis - 1 : axis - 1 + order.length)) };
    },
  };
}

function sliceAttributes(context: OperationContext): Attributes {
  const axes = axesAt(context, "axisVec");
  if (axes) {
    const numbers = (key: string): number[] => (listAt(context, key) ?? []).map(Number);
    return { axis: axes, beginIndex: numbers("beginIndexVec"), endIndex: numbers("endIndexVec") };
  }
  return {
    axis: axisNumber(context, "axis", 1),
    beginIndex: numberAt(context, "beginIndex", 0),
    endIndex: numberAt(context, "endIndex", 0),
  };
}

function randomState(context: OperationContext): Attributes {
  return { seed: numberAt(context, "rngSeed", 0), offset: numberAt(context, "rngOffset", 0) };
}

function reshapeAttributes(context: OperationContext): Attributes {
  const end = axisOf(context.attributes.get("endAxis"));
  // No end, or one beyond all axes, means all of them.
  const endAxis = end && end.index >= 0 && end.index < 1000 ? end.index + 1 : 0;
  return {
    shape: shapeAt(context, "newShape", []),
    beginAxis: axisNumber(context, "beginAxis", 1),
    endAxis,
  };
}

function windows(context: OperationContext): Attributes {
  return {
    strideShape: shapeAt(context, "strides", [1]),
    dimPadding: flagsAt(context, "autoPadding", [false]),
    dimPadLower: shapeAt(context, "lowerPad", [0]),
    dimPadUpper: shapeAt(context, "upperPad", [0]),
    imageLayout: "CHW",
  };
}

function poolingAttributes(context: OperationContext): Attributes {
  return {
    ...windows(context),
    pool: numberAt(context, "poolingType", 0) === 0 ? "max" : "average",
    kernelShape: shapeAt(context, "poolingWindowShape", [1]),
    ceilOut: flagAt(context, "ceilOutDim"),
    poolIncludePad: flagAt(context, "includePad"),
  };
}

function unpoolingAttributes(context: OperationContext): Attributes {
  return { ...windows(context), kernelShape: shapeAt(context, "unpoolingWindowShape", [1]) };
}

function timesAttributes(context: OperationContext): Attributes {
  return {
    outputRank: numberAt(context, "outputRank", 1),
    inferInputRankToMap: numberAt(context, "inferInputRankToMap", -1),
  };
}

/** The weights tell kernel and maps: the strides have as many entries as the image has axes. */
function convolutionAttributes(context: OperationContext): Attributes {
  const weights = context.inputShape(0) ?? [];
  const rank = Math.min(
    context.inputShape(1)?.length ?? shapeAt(context, "strides", [1]).length,
    weights.length,
  );
  const maps = weights.slice(rank);
  return {
    ...windows(context),
    kernelShape: weights.slice(0, rank),
    mapCount: [...new Array<number>(Math.max(rank - maps.length, 0)).fill(1), ...maps],
    dimSharing: flagsAt(context, "sharing", [true]),
    transpose: flagAt(context, "transpose"),
    dimOutputShape: shapeAt(context, "outputShape", [0]),
    maxTempMemSizeInSamples: numberAt(context, "maxTempMemSizeInSamples", 0),
  };
}

function delayAttributes(context: OperationContext): Attributes {
  return { timeStep: numberAt(context, "offset", 1), shape: [0], defaultHiddenActivation: 0 };
}

function reductionAttributes(context: OperationContext): Attributes {
  return {
    reductionOp: textAt(context, "reductionOpName", "Sum"),
    axis: axisNumber(context, "axis", 0),
    keepDimensions: flagAt(context, "reductionKeepDimensions", true),
  };
}

function normalizationAttributes(context: OperationContext): Attributes {
  return {
    spatial: flagAt(context, "spatial"),
    normalizationTimeConstant: numberAt(context, "normalizationTimeConstant", 0),
    blendTimeConstant: numberAt(context, "blendTimeConstant", 0),
    epsilon: numberAt(context, "epsilon", 0),
    useCntkEngine: !flagAt(context, "useCuDNNEngine"),
    imageLayout: "CHW",
  };
}

function sampleAttributes(context: OperationContext): Attributes {
  return {
    ...randomState(context),
    sizeOfSampledSet: numberAt(context, "numSamples", 1),
    allowDuplicates: flagAt(context, "allowDuplicates"),
  };
}

function roiAttributes(context: OperationContext): Attributes {
  return {
    pool: "max",
    roiOutputShape: shapeAt(context, "roiOutputShape", [1]),
    featureScale: numberAt(context, "spatialScale", 1 / 16),
  };
}

function stackAttributes(context: OperationContext): Attributes {
  return {
    axis: -1,
    recurrentOp: textAt(context, "recurrentOp"),
    hiddenDims: numberAt(context, "hiddenSize", 1),
    numLayers: numberAt(context, "numLayers", 1),
    bidirectional: flagAt(context, "bidirectional"),
  };
}

function editDistanceAttributes(context: OperationContext): Attributes {
  return {
    subPen: numberAt(context, "SubstitutionPenalty", 1),
    delPen: numberAt(context, "DeletionPenalty", 1),
    insPen: numberAt(context, "InsertionPenalty", 1),
    squashInputs: flagAt(context, "SquashInputs"),
    tokensToIgnore: (listAt(context, "TokensToIgnore") ?? []).map(Number),
  };
}

function forwardBackwardAttributes(context: OperationContext): Attributes {
  return {
    delayConstraint: numberAt(context, "DelayConstraint", -1),
    blankTokenId: numberAt(context, "BlankTokenId", 0),
  };
}
