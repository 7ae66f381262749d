import type { FieldRule } from "./field-rules.js";
import { field } from "./field-rules.js";
import {
  parameterShape,
  inputShape,
  permutation,
  sliceRanges,
  randomEngine,
  noiseMode,
  windows,
  convolutionSwitch,
  normalizationFields,
  recurrentStack,
  legacyReshape,
  times,
  legacyPooling,
  delay,
  sample,
  traceFormat,
  precomputed,
} from "./special-fields.js";

/** Operations that save something, in the order of the file. */
const savingOperations: Readonly<Record<string, readonly FieldRule[]>> = {
  LearnableParameter: [parameterShape, field("values", "matrix")],
  InputValue: [inputShape],
  SparseInputValue: [inputShape],
  EnvironmentInput: [field("propertyName", "wideText")],
  Times: times,
  TransposeTimes: times,
  QuantizedTimes: [...times, field("bitShiftA", "unsigned8"), field("bitShiftB", "unsigned8")],
  TransposeDimensions: [
    field("axis1", "signed4", { since: 3, otherwise: 1 }),
    field("axis2", "signed4", { since: 3, otherwise: 2 }),
    permutation,
  ],
  Reshape: [field("beginAxis", "signed4"), field("endAxis", "signed4"), field("shape", "shape")],
  LegacyReshape: [legacyReshape],
  Slice: [sliceRanges],
  RowStack: [field("axis", "signed4", { since: 3, otherwise: 1 })],
  RowRepeat: [field("numRepeats", "unsigned8")],
  Crop: [field("xOffset", "float8"), field("yOffset", "float8")],
  ReduceElements: [
    field("axis", "signed4"),
    field("reductionOp", "wideText"),
    {
      read(record, reader, { version }) {
        const axis = record["axis"];
        record["keepDimensions"] =
          version >= 24 ? reader.boolean("keepDimensions") : axis !== 0 && axis !== -1;
      },
      write: (record, writer) => writer.boolean(record["keepDimensions"] as boolean),
    },
  ],
  Where: [field("dynamicAxis", "wideText", { since: 11, otherwise: "WhereNodeAxis" })],
  Convolution: [...windows, convolutionSwitch, field("spare", "shape", { since: 18, otherwise: [1] })],
  Pooling: windows,
  MaxUnpooling: windows,
  MaxPooling: legacyPooling,
  AveragePooling: legacyPooling,
  ROIPooling: [
    field("roiOutputShape", "shape"),
    field("poolKind", "signed4", { since: 26, otherwise: 1 }),
    field("spatialScale", "float8", { since: 26, otherwise: 1 / 16 }),
  ],
  BatchNormalization: [normalizationFields],
  Dropout: randomEngine,
  RandomSample: sample,
  RandomSampleInclusionFrequency: sample,
  PastValue: delay,
  FutureValue: delay,
  OptimizedRNNStack: [recurrentStack],
  Mean: precomputed,
  InvStdDev: precomputed,
  NCEBasedCrossEntropyWithSoftmax: [noiseMode],
  EditDistanceError: [
    field("substitutionPenalty", "float4"),
    field("deletionPenalty", "float4"),
    field("insertionPenalty", "float4"),
    field("squashInputs", "boolean"),
    field("tokensToIgnore", "sizes"),
  ],
  ForwardBackward: [field("delayConstraint", "signed4"), field("blankTokenId", "unsigned8")],
  Trace: [
    field("message", "wideText"),
    field("logFirst", "unsigned8"),
    field("logFrequency", "unsigned8"),
    field("logGradientToo", "boolean"),
    field("isCategoryLabel", "boolean"),
    field("labelMappingFile", "wideText"),
    field("isSparse", "boolean"),
    field("transpose", "boolean"),
    ...traceFormat.map((name) => field(name, "narrowText")),
    field("onlyUpToRow", "unsigned8"),
    field("onlyUpToT", "unsigned8"),
  ],
  ToSequence: [field("dynamicAxis", "wideText")],
  ToSequenceLike: [field("dynamicAxis", "wideText")],
  UnpackSequence: [field("paddingValue", "element"), field("suppressMask", "boolean")],
};

/** Operations that save nothing but their name. */
const silentOperations = new Set(
  (
    "Abs Assign ClassBasedCrossEntropyWithSoftmax ClassificationError Clip Cos CosDistance " +
    "CosDistanceWithNegativeSamples Cosine CrossEntropy CrossEntropyWithSoftmax CRF DiagTimes " +
    "Diagonal DummyCriterion DynamicAxis ElementTimes EpochAccumulator Equal Exp " +
    "ExponentialLinearUnit Floor GMMLogLikelihood Gather GatherPacked Greater GreaterEqual Hardmax " +
    "If KhatriRaoProduct LabelsToGraph LambdaRank Less LessEqual Log LogPlus LogSoftmax Logistic " +
    "LookupTable MatrixL1Reg MatrixL2Reg Minus NDCG1Eval Negate NotEqual OneHot OutputMultiplexer " +
    "PackedIndex Pass PerDimMeanVarDeNormalization PerDimMeanVarNormalization Plus Pow " +
    "RandomDistribution Reciprocal ReconcileDynamicAxis RectifiedLinear ScatterPacked " +
    "SequenceDecoderNode SequenceWithSoftmax Sigmoid Sin Softmax Sqrt SquareError StableSigmoid " +
    "StopGradient SumColumnElements SumElements Tanh"
  ).split(" "),
);

/** Older names of operations; the next save writes today's. */
const aliases: Readonly<Record<string, string>> = {
  ColumnElementTimes: "ElementTimes",
  RowElementTimes: "ElementTimes",
  Scale: "ElementTimes",
  ErrorPrediction: "ClassificationError",
  Delay: "PastValue",
  PerDimMeanVarNormalizationNode: "PerDimMeanVarNormalization",
  PerDimMeanVarDeNormalizationNode: "PerDimMeanVarDeNormalization",
  ReconcileMBLayout: "ReconcileDynamicAxis",
  RNN: "OptimizedRNNStack",
  RowSlice: "Slice",
  Transpose: "TransposeDimensions",
};

/** Today's name of an operation. */
export function currentOperationName(name: string): string {
  return aliases[name] ?? name;
}

/** What an operation saves, in the order of the file; undefined for an operation that CNTK does not have. */
export function operationFields(operation: string): readonly FieldRule[] | undefined {
  if (Object.hasOwn(savingOperations, operation)) return savingOperations[operation];
  return silentOperations.has(operation) ? [] : undefined;
}

/** Names of all operations that can be read. */
export function knownOperationNames(): string[] {
  return [...Object.keys(savingOperations), ...silentOperations, ...Object.keys(aliases)];
}
