import type { Attributes } from "../network/network.js";
import type {
  FieldValue,
  Fields,
  StoredField,
  StoredLayout,
  StoredOptions,
} from "../network/stored-fields.js";
import { field } from "../network/stored-fields.js";

/*
 * What a model file stores of each operation. An operation that is not listed here stores nothing.
 * Source: the `Save` and `Load` methods of Source/ComputationNetworkLib/*Nodes.{h,cpp}.
 */

/** Image layouts: HWC, also called legacy, is 0; CHW, cudnn, is 1. */
const imageLayout = (options: StoredOptions = {}): StoredField =>
  field("imageLayout", "signed4", {
    words: ["HWC", "CHW"],
    synonyms: { legacy: "HWC", cudnn: "CHW" },
    otherwise: 1,
    ...options,
  });

/** Axes are counted from 1, some kinds of them have negative numbers; no tensor has so many that these are not enough. */
const axis = (
  name: string,
  options: StoredOptions = {},
  kind: StoredField["kind"] = "signed4",
): StoredField => field(name, kind, { valid: (number) => Math.abs(Number(number)) <= 1000, ...options });

const poolKinds = ["none", "max", "average"];

/** What an op makes of the fields that convolution and pooling have in common; absent before version 5. */
type WindowVariation = Readonly<Record<string, StoredOptions>>;

function windows(variation: WindowVariation): StoredField[] {
  const since5 = (name: string, kind: StoredField["kind"], options: StoredOptions): StoredField =>
    field(name, kind, { since: 5, ...options, ...variation[name] });
  return [
    since5("kernelShape", "shape", { otherwise: [1] }),
    since5("mapCount", "shape", { otherwise: [1] }),
    since5("strideShape", "shape", { otherwise: [1] }),
    since5("sharing", "booleans", { attribute: "dimSharing", otherwise: [true] }),
    since5("autoPadding", "booleans", { attribute: "dimPadding", otherwise: [true] }),
    since5("lowerPad", "shape", { attribute: "dimPadLower", otherwise: [0] }),
    since5("upperPad", "shape", { attribute: "dimPadUpper", otherwise: [0] }),
    since5("poolKind", "signed4", { otherwise: 0 }),
    imageLayout({ since: 5 }),
    since5("maxTempMemSizeInSamples", "unsigned8", { wide: true, otherwise: 0 }),
    since5("transpose", "boolean", { since: 9, otherwise: false }),
    since5("outputShape", "shape", { since: 20, attribute: "dimOutputShape", otherwise: [0] }),
    since5("ceilOutDim", "boolean", { since: 21, attribute: "ceilOut", otherwise: false }),
    since5("includePad", "boolean", { since: 23, attribute: "poolIncludePad", otherwise: false }),
  ];
}

const convolution: StoredLayout = {
  fields: [
    ...windows({
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

/** CNTK saves a sharing flag for every axis of a pooling window, all true. */
const sharedEverywhere = (plain: Fields, attributes: Attributes): Fields => {
  const { kernelShape } = plain;
  if ("dimSharing" in attributes) return plain;
  return { ...plain, sharing: Array.isArray(kernelShape) ? kernelShape.map(() => true) : [true] };
};

/** Flags that say nothing are no attributes. */
const withoutSharing: StoredLayout["attributes"] = (
  { dimSharing, ...attributes },
  { kernelShape, sharing },
) => {
  const plain =
    Array.isArray(sharing) &&
    Array.isArray(kernelShape) &&
    sharing.length === kernelShape.length &&
    sharing.every(Boolean);
  return plain || dimSharing === undefined ? attributes : { ...attributes, dimSharing };
};

const pooling: StoredLayout = {
  fields: windows({
    mapCount: { constant: [1] },
    poolKind: { attribute: "pool", words: poolKinds },
    maxTempMemSizeInSamples: { constant: 0 },
    transpose: { constant: false },
    outputShape: { constant: [0] },
  }),
  attributes: withoutSharing,
  toFields: sharedEverywhere,
};

const unpooling: StoredLayout = {
  fields: windows({
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

const legacyPooling: StoredLayout = {
  fields: [
    field("windowWidth", "unsigned4"),
    imageLayout(),
    field("windowHeight", "unsigned8"),
    field("horizontalSubsample", "unsigned8"),
    field("verticalSubsample", "unsigned8"),
  ],
};

/** Oldest of batch normalization's own version numbers, which stood in files before version 6. */
const oldestInner = 0x00010001;
const innerAtLeast =
  (steps: number) =>
  ({ innerVersion }: Fields): boolean =>
    innerVersion === undefined || Number(innerVersion) >= oldestInner + steps;

const normalization: StoredLayout = {
  fields: [
    field("innerVersion", "signed4", { until: 6, valid: (version) => Number(version) >= oldestInner }),
    field("innerReadable", "signed4", {
      until: 6,
      valid: (readable, { innerVersion }) =>
        Number(readable) <= Number(innerVersion) && Number(readable) <= oldestInner + 3,
    }),
    field("evaluation", "boolean", { until: 6 }),
    field("spatial", "boolean", { otherwise: false }),
    field("normalizationTimeConstant", "float8", { otherwise: 0 }),
    field("blendTimeConstant", "float8", { since: 6, otherwise: 0 }),
    imageLayout({ when: innerAtLeast(1) }),
    // Version 19 said only whether the count is 0.
    field("runCountIsZero", "boolean", { since: 19, until: 20 }),
    field("runCount", "unsigned8", {
      when: (before) => before["runCountIsZero"] === undefined && innerAtLeast(1)(before),
      wide: true,
      otherwise: 0,
    }),
    field("epsilon", "float8", { when: innerAtLeast(2), otherwise: 0.00001 }),
    field("useCntkEngine", "boolean", { when: innerAtLeast(2), otherwise: true }),
  ],
  upgrade(old, version) {
    const fields: Record<string, FieldValue> = { ...old };
    if (version < 6 && !innerAtLeast(3)(old)) fields["normalizationTimeConstant"] = 0;
    // "Not zero, but unknown" is the largest number.
    if (version === 19) fields["runCount"] = old["runCountIsZero"] === true ? 0 : 2n ** 64n - 1n;
    // The count has moved into a parameter, which starts anew.
    if (version < 19) fields["runCount"] = 0;
    return fields;
  },
  upgradeInputs(inputs, version) {
    // Up to version 12 the fifth input held 1/deviation s: the variance is 1/s² - or rather, as CNTK has it, 1/s² + epsilon.
    const variance = (s: number, { epsilon }: Fields): number => 1 / (s * s) + Number(epsilon);
    const upgraded = inputs.map((name, index) =>
      index === 4 && version < 13 ? { name, convert: variance } : { name },
    );
    return version < 19 ? [...upgraded, { newParameter: "run_sample_count" }] : upgraded;
  },
};

const parameter: StoredLayout = {
  fields: [
    // Parameters were once a switch and two sizes instead of a multiplier and a shape.
    field("update", "boolean", { until: 3 }),
    field("rows", "unsigned8", { until: 3 }),
    field("columns", "unsigned8", { until: 3 }),
    field("oldShape", "legacyShape", { until: 3, when: ({ rows }) => rows === 0 }),
    field("learningRateMultiplier", "float4", { since: 3, otherwise: 1 }),
    field("shape", "shape", { since: 3 }),
    field("values", "matrix"),
  ],
  upgrade(old, version) {
    if (version >= 3) return old;
    const columns = Number(old["columns"]);
    const oldShape = old["oldShape"] as readonly number[] | undefined;
    const shape = oldShape
      ? columns > 1
        ? [...oldShape, columns]
        : oldShape
      : [Number(old["rows"]), columns];
    return { learningRateMultiplier: old["update"] === true ? 1 : 0, shape };
  },
  // The values are there already: no initialization.
  attributes: (plain) => ({ ...plain, init: "" }),
};

const input: StoredLayout = {
  fields: [
    // Sizes of old files; today always 0.
    field("rows", "unsigned8", { constant: 0 }),
    field("columns", "unsigned8", { constant: 0 }),
    field("shape", "legacyShape"),
    // No axis at all and an axis without a name are written differently.
    field("axisCount", "unsigned4", {
      since: 8,
      constant: 1,
      otherwise: 1,
      valid: (count) => Number(count) <= 1,
    }),
    field("dynamicAxis", "wideText", { since: 8, when: ({ axisCount }) => axisCount !== 0, otherwise: "" }),
    field("learningRateMultiplier", "float4", { since: 10, constant: 0, otherwise: 0 }),
  ],
  upgrade(old) {
    const shape = old["shape"] as readonly number[];
    const rows = Number(old["rows"]);
    const elements = shape.reduce((product, dim) => product * dim, 1);
    return { ...old, rows: 0, columns: 0, shape: rows !== 0 && rows !== elements ? [rows] : shape };
  },
};

const timesFields = [
  axis("outputRank", { since: 3, otherwise: 1 }, "unsigned8"),
  axis("inferInputRankToMap", { since: 12, otherwise: -1 }),
];

/** State of a random engine. Version 16 wrote the seed as C's `unsigned long`: 8 bytes on Linux. */
const randomEngine = [
  field("seed", "unsigned8", { since: 16, wide: true, constant: 0, otherwise: 0 }),
  field("offset", "unsigned8", { since: 16, wide: true, constant: 0, otherwise: 0 }),
];

const delay: StoredLayout = {
  fields: [
    field("timeStep", "signed4", { otherwise: 1 }),
    field("rows", "unsigned8", { until: 4 }),
    field("columns", "unsigned8", { until: 4 }),
    field("shape", "shape", { since: 4, otherwise: [] }),
    field("initialState", "element", { since: 2, attribute: "defaultHiddenActivation", otherwise: 0.1 }),
  ],
  upgrade: (old, version) => (version >= 4 ? old : { ...old, shape: [Number(old["rows"])] }),
};

const isPlainSwap = ({ axis1, axis2 }: Fields): boolean => axis1 === 0 && axis2 === 0;

/** A file keeps begin and length, a node begin and end; one axis is a number, several are lists. */
const slice: StoredLayout = {
  fields: [
    field("slices", "groups", {
      countedSince: 22,
      fields: [
        field("begin", "signed8"),
        field("length", "signed8"),
        axis("axis", { since: 3, otherwise: 1 }),
      ],
      valid: (slices) => Array.isArray(slices) && slices.length >= 1,
    }),
  ],
  attributes(_plain, { slices }) {
    const ranges = slices as readonly { begin: number; length: number; axis: number }[];
    const lists = {
      beginIndex: ranges.map(({ begin }) => Number(begin)),
      endIndex: ranges.map(({ begin, length }) => Number(begin) + Number(length)),
      axis: ranges.map(({ axis }) => axis),
    };
    if (ranges.length !== 1) return lists;
    return { beginIndex: lists.beginIndex[0], endIndex: lists.endIndex[0], axis: lists.axis[0] };
  },
  toFields(_plain, { beginIndex, endIndex, axis }) {
    const list = (value: unknown): number[] => (Array.isArray(value) ? value : [value]).map(Number);
    const [begins, ends, axes] = [list(beginIndex), list(endIndex), list(axis ?? 1)];
    return {
      slices: begins.map((begin, i) => ({ begin, length: (ends[i] ?? 0) - begin, axis: axes[i] ?? 1 })),
    };
  },
};

const oldRecurrentNames: Readonly<Record<string, string>> = {
  LSTM: "lstm",
  GRU: "gru",
  RNN_RELU: "rnnReLU",
  RNN_TANH: "rnnTanh",
};

const recurrentStack: StoredLayout = {
  fields: [
    field("bidirectional", "unsigned8", { otherwise: 0 }),
    field("numLayers", "unsigned8", { otherwise: 1 }),
    field("hiddenDims", "unsigned8"),
    field("recurrentOp", "wideText", { otherwise: "lstm" }),
    axis("axis", { since: 14, otherwise: -1 }),
  ],
  upgrade(old, version) {
    const name = String(old["recurrentOp"]);
    return version >= 14 ? old : { ...old, recurrentOp: oldRecurrentNames[name] ?? name };
  },
  upgradeInputs(inputs, version) {
    const [first, second, ...rest] = inputs.map((name) => ({ name }));
    return first && second && version < 14 ? [second, first, ...rest] : inputs.map((name) => ({ name }));
  },
  attributes: (plain, { bidirectional }) => ({
    ...plain,
    bidirectional: bidirectional === 0 || bidirectional === 1 ? bidirectional === 1 : bidirectional,
  }),
  toFields: ({ bidirectional }) => ({
    bidirectional: typeof bidirectional === "boolean" ? Number(bidirectional) : (bidirectional ?? 0),
  }),
};

const precomputed: StoredLayout = {
  fields: [field("hasComputed", "boolean", { otherwise: false }), field("values", "matrix")],
};

const sample: StoredLayout = {
  fields: [
    field("allowDuplicates", "boolean", { otherwise: false }),
    field("size", "unsigned8", { attribute: "sizeOfSampledSet" }),
    ...randomEngine,
  ],
};

const reduction: StoredLayout = {
  fields: [
    axis("axis", { otherwise: 0 }),
    field("reductionOp", "wideText"),
    field("keepDimensions", "boolean", {
      since: 24,
      derived: ({ axis }) => axis !== 0 && axis !== -1,
    }),
  ],
  upgrade: (old, version) =>
    version >= 24 ? old : { ...old, keepDimensions: old["axis"] !== 0 && old["axis"] !== -1 },
};

const axisName: StoredLayout = { fields: [field("dynamicAxis", "wideText", { otherwise: "" })] };

const trace: StoredLayout = {
  fields: [
    field("message", "wideText", { attribute: "say", otherwise: "" }),
    field("logFirst", "unsigned8", { wide: true, unlimited: true, otherwise: 0 }),
    field("logFrequency", "unsigned8", { wide: true, unlimited: true, otherwise: 0 }),
    field("logGradientToo", "boolean", { otherwise: false }),
    field("isCategoryLabel", "boolean", { otherwise: false }),
    field("labelMappingFile", "wideText", { otherwise: "" }),
    field("isSparse", "boolean", { otherwise: false }),
    field("transpose", "boolean", { otherwise: false }),
    ...[
      "prologue",
      "epilogue",
      "sequenceSeparator",
      "sequencePrologue",
      "sequenceEpilogue",
      "elementSeparator",
      "sampleSeparator",
      "precisionFormat",
    ].map((name) => field(name, "narrowText", { otherwise: "" })),
    field("onlyUpToRow", "unsigned8", { wide: true, unlimited: true, otherwise: 2n ** 64n - 1n }),
    field("onlyUpToT", "unsigned8", { wide: true, unlimited: true, otherwise: 2n ** 64n - 1n }),
  ],
};

const layouts: Readonly<Record<string, StoredLayout>> = {
  LearnableParameter: parameter,
  InputValue: input,
  SparseInputValue: input,
  EnvironmentInput: { fields: [field("propertyName", "wideText")] },
  Times: { fields: timesFields },
  TransposeTimes: { fields: timesFields },
  QuantizedTimes: {
    fields: [
      ...timesFields,
      field("bitShiftA", "unsigned8", { otherwise: 1 }),
      field("bitShiftB", "unsigned8", { otherwise: 1 }),
    ],
  },
  TransposeDimensions: {
    fields: [
      axis("axis1", { since: 3, otherwise: 1 }),
      axis("axis2", { since: 3, otherwise: 2 }),
      // A permutation is stored only where the two axes are both 0.
      field("permutation", "sizes", { since: 25, when: isPlainSwap }),
    ],
  },
  Reshape: {
    fields: [
      axis("beginAxis", { otherwise: 0 }),
      axis("endAxis", { otherwise: 0 }),
      field("shape", "shape", { otherwise: [] }),
    ],
  },
  LegacyReshape: {
    fields: [
      field("rows", "unsigned8", { attribute: "numRows", otherwise: 0 }),
      field("shape", "legacyShape"),
    ],
  },
  Slice: slice,
  RowStack: { fields: [axis("axis", { since: 3, otherwise: 1 })] },
  RowRepeat: { fields: [field("numRepeats", "unsigned8", { otherwise: 1 })] },
  Crop: {
    fields: [field("xOffset", "float8", { otherwise: NaN }), field("yOffset", "float8", { otherwise: NaN })],
  },
  ReduceElements: reduction,
  Where: {
    fields: [
      field("dynamicAxis", "wideText", {
        since: 11,
        attribute: "dynamicAxisName",
        otherwise: "WhereNodeAxis",
      }),
    ],
  },
  Convolution: convolution,
  Pooling: pooling,
  MaxUnpooling: unpooling,
  MaxPooling: legacyPooling,
  AveragePooling: legacyPooling,
  ROIPooling: {
    fields: [
      field("roiOutputShape", "shape"),
      field("poolKind", "signed4", { since: 26, attribute: "pool", words: poolKinds, otherwise: 1 }),
      field("spatialScale", "float8", { since: 26, attribute: "featureScale", otherwise: 1 / 16 }),
    ],
  },
  BatchNormalization: normalization,
  Dropout: { fields: randomEngine },
  RandomSample: sample,
  RandomSampleInclusionFrequency: sample,
  PastValue: delay,
  FutureValue: delay,
  OptimizedRNNStack: recurrentStack,
  Mean: precomputed,
  InvStdDev: precomputed,
  NCEBasedCrossEntropyWithSoftmax: {
    // Older files do not have the mode.
    fields: [
      field("mode", "signed4", {
        valid: (mode) => Number(mode) >= 0 && Number(mode) <= 2,
        takenBack: true,
        otherwise: 2,
      }),
    ],
  },
  EditDistanceError: {
    fields: [
      field("substitutionPenalty", "float4", { attribute: "subPen", otherwise: 1 }),
      field("deletionPenalty", "float4", { attribute: "delPen", otherwise: 1 }),
      field("insertionPenalty", "float4", { attribute: "insPen", otherwise: 1 }),
      field("squashInputs", "boolean", { otherwise: false }),
      field("tokensToIgnore", "sizes", { otherwise: [] }),
    ],
  },
  ForwardBackward: {
    fields: [
      field("delayConstraint", "signed4", { otherwise: -1 }),
      field("blankTokenId", "unsigned8", { otherwise: 0 }),
    ],
  },
  Trace: trace,
  ToSequence: axisName,
  ToSequenceLike: axisName,
  UnpackSequence: {
    fields: [
      field("paddingValue", "element", { otherwise: 0 }),
      field("suppressMask", "boolean", { otherwise: false }),
    ],
  },
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

const nothing: StoredLayout = { fields: [] };

/** Today's name of an operation. */
export function currentOperationName(name: string): string {
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
}

/** What a model file stores of an operation (today's name); undefined for one that CNTK does not have. */
export function storedLayout(operation: string): StoredLayout | undefined {
  if (Object.hasOwn(layouts, operation)) return layouts[operation];
  return silentOperations.has(operation) ? nothing : undefined;
}

/** Names, old ones too, of all operations that a model file may hold. */
export function storedOperationNames(): string[] {
  return [...Object.keys(layouts), ...silentOperations, ...Object.keys(aliases)];
}
