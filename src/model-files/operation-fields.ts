import type { ElementType } from "../numerics/mersenne-twister.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import type { FieldValue, ModelMatrix, SliceRange, Whole } from "./model-file.js";

/** The fields of a node while they are read or written. */
export type FieldRecord = Record<string, FieldValue>;

/** Encodings of single fields. */
type FieldKind =
  | "unsigned8"
  | "signed8"
  | "unsigned4"
  | "signed4"
  | "boolean"
  | "float4"
  | "float8"
  | "element"
  | "wideText"
  | "narrowText"
  | "shape"
  | "booleans"
  | "sizes"
  | "matrix";

/** A field, or a rule for several of them. */
export interface FieldRule {
  read(record: FieldRecord, reader: ByteReader, context: FieldContext): void;
  write(record: FieldRecord, writer: ByteWriter, context: FieldContext): void;
}

export interface FieldContext {
  readonly version: number;
  /** The node's precision. */
  readonly elementType: ElementType;
  /** Set by the one matrix a node may have. */
  matrix?: ModelMatrix | undefined;
}

interface FieldOptions {
  /** First version that has the field. */
  readonly since?: number;
  /** Value for files of earlier versions. */
  readonly otherwise?: FieldValue;
}

const everyVersion = { since: 0 };

function field(name: string, kind: FieldKind, { since, otherwise }: FieldOptions = everyVersion): FieldRule {
  return {
    read(record, reader, context) {
      if (context.version >= (since ?? 0)) {
        if (kind === "matrix") context.matrix = reader.matrix(name, context.elementType);
        else record[name] = readField(reader, kind, context.elementType, name);
      } else if (otherwise !== undefined) record[name] = otherwise;
    },
    write(record, writer, context) {
      if (kind === "matrix") {
        if (context.matrix === undefined) throw new Error(`the node has no ${name}`);
        writer.matrix(context.matrix);
      } else {
        const value = record[name] ?? otherwise;
        if (value === undefined) throw new Error(`the node has no field ${name}`);
        writeField(writer, kind, context.elementType, value);
      }
    },
  };
}

function readField(
  reader: ByteReader,
  kind: Exclude<FieldKind, "matrix">,
  elementType: ElementType,
  name: string,
): FieldValue {
  switch (kind) {
    case "element":
      return reader.element(elementType, name);
    case "unsigned8":
      return reader.unsigned8(name);
    case "signed8":
      return reader.signed8(name);
    default:
      return reader[kind](name);
  }
}

function writeField(
  writer: ByteWriter,
  kind: Exclude<FieldKind, "matrix">,
  elementType: ElementType,
  value: FieldValue,
): void {
  switch (kind) {
    case "element":
      return writer.element(elementType, value as number);
    case "unsigned8":
    case "signed8":
      return writer[kind](value as Whole);
    case "boolean":
      return writer.boolean(value as boolean);
    case "wideText":
    case "narrowText":
      return writer[kind](value as string);
    case "shape":
    case "sizes":
      return writer[kind](value as readonly number[]);
    case "booleans":
      return writer.booleans(value as readonly boolean[]);
    default:
      return writer[kind](value as number);
  }
}

/** Parameters were once a switch and two sizes instead of a multiplier and a shape. */
const parameterShape: FieldRule = {
  read(record, reader, { version }) {
    if (version >= 3) {
      record["learningRateMultiplier"] = reader.float4("learning-rate multiplier");
      record["shape"] = reader.shape("shape");
      return;
    }
    record["learningRateMultiplier"] = reader.boolean("update switch") ? 1 : 0;
    const rows = Number(reader.unsigned8("number of rows"));
    const columns = Number(reader.unsigned8("number of columns"));
    if (rows !== 0) record["shape"] = [rows, columns];
    else {
      const shape = reader.legacyShape("shape");
      record["shape"] = columns > 1 ? [...shape, columns] : shape;
    }
  },
  write(record, writer) {
    writer.float4(record["learningRateMultiplier"] as number);
    writer.shape(record["shape"] as readonly number[]);
  },
};

const inputShape: FieldRule = {
  read(record, reader, { version }) {
    const rows = Number(reader.unsigned8("number of rows"));
    reader.unsigned8("number of columns");
    const shape = reader.legacyShape("shape");
    const elements = shape.reduce((product, dim) => product * dim, 1);
    record["shape"] = rows !== 0 && rows !== elements ? [rows] : shape;
    record["dynamicAxis"] = "";
    if (version >= 8) {
      const at = reader.position;
      const axes = reader.unsigned4("number of dynamic axes");
      if (axes > 1) throw reader.broken("input with one dynamic axis", at);
      // No axis at all and an axis without a name are written differently.
      record["hasDynamicAxis"] = axes === 1;
      if (axes === 1) record["dynamicAxis"] = reader.wideText("dynamic axis");
    } else record["hasDynamicAxis"] = true;
    record["learningRateMultiplier"] = version >= 10 ? reader.float4("learning-rate multiplier") : 0;
  },
  write(record, writer) {
    writer.unsigned8(0);
    writer.unsigned8(0);
    writer.shape(record["shape"] as readonly number[]);
    const hasAxis = record["hasDynamicAxis"] !== false;
    writer.unsigned4(hasAxis ? 1 : 0);
    if (hasAxis) writer.wideText((record["dynamicAxis"] as string | undefined) ?? "");
    writer.float4((record["learningRateMultiplier"] as number | undefined) ?? 0);
  },
};

/** A permutation is stored only where the two axes are both 0. */
const permutation: FieldRule = {
  read(record, reader, { version }) {
    if (version >= 25 && record["axis1"] === 0 && record["axis2"] === 0) {
      record["permutation"] = reader.sizes("permutation");
    }
  },
  write(record, writer) {
    if (record["axis1"] === 0 && record["axis2"] === 0) {
      writer.sizes((record["permutation"] as readonly number[] | undefined) ?? []);
    }
  },
};

const sliceRanges: FieldRule = {
  read(record, reader, { version }) {
    const at = reader.position;
    const count = version >= 22 ? reader.signed4("number of slices") : 1;
    if (count < 0 || count > 1000) throw reader.broken("number of slices", at);
    record["slices"] = Array.from({ length: count }, () => ({
      begin: reader.signed8("begin of the slice"),
      length: reader.signed8("length of the slice"),
      axis: version >= 3 ? reader.signed4("axis of the slice") : 1,
    }));
  },
  write(record, writer) {
    const slices = record["slices"] as readonly SliceRange[];
    writer.signed4(slices.length);
    for (const { begin, length, axis } of slices) {
      writer.signed8(begin);
      writer.signed8(length);
      writer.signed4(axis);
    }
  },
};

/** Before version 4 delays stored a number of rows and columns. */
const delayShape: FieldRule = {
  read(record, reader, { version }) {
    if (version >= 4) record["shape"] = reader.shape("shape");
    else {
      record["shape"] = [Number(reader.unsigned8("number of rows"))];
      reader.unsigned8("number of columns");
    }
  },
  write: (record, writer) => writer.shape(record["shape"] as readonly number[]),
};

/** State of a random engine. Version 16 wrote the seed as C's `unsigned long`: 8 bytes on Linux. */
const randomEngine: FieldRule[] = [
  field("seed", "unsigned8", { since: 16, otherwise: 0 }),
  field("offset", "unsigned8", { since: 16, otherwise: 0 }),
];

/** Older files hold 2 here directly before what follows; the value is taken back where it cannot be a mode. */
const noiseMode: FieldRule = {
  read(record, reader) {
    const at = reader.position;
    const mode = reader.signed4("evaluation mode");
    if (mode >= 0 && mode <= 2) record["mode"] = mode;
    else {
      record["mode"] = 2;
      reader.position = at;
    }
  },
  write: (record, writer) => writer.signed4(record["mode"] as number),
};

/** What convolution and pooling have in common; absent before version 5. */
const windows: FieldRule[] = [
  field("kernelShape", "shape", { since: 5 }),
  field("mapCount", "shape", { since: 5 }),
  field("strideShape", "shape", { since: 5 }),
  field("sharing", "booleans", { since: 5 }),
  field("autoPadding", "booleans", { since: 5 }),
  field("lowerPad", "shape", { since: 5 }),
  field("upperPad", "shape", { since: 5 }),
  field("poolKind", "signed4", { since: 5, otherwise: 0 }),
  field("imageLayout", "signed4", { since: 5, otherwise: 1 }),
  field("maxTempMemSizeInSamples", "unsigned8", { since: 5, otherwise: 0 }),
  field("transpose", "boolean", { since: 9, otherwise: false }),
  field("outputShape", "shape", { since: 20, otherwise: [0] }),
  field("ceilOutDim", "boolean", { since: 21, otherwise: false }),
  field("includePad", "boolean", { since: 23, otherwise: false }),
];

/** Before version 5 a convolution had two dimensions, in fields of its own. */
const convolutionSwitch: FieldRule = {
  read(record, reader, { version }) {
    if (version >= 5) {
      record["isTwoDimensional"] = reader.boolean("2-D switch");
      return;
    }
    const sizes = ["kernel width", "kernel height", "horizontal step", "vertical step"].map((what) =>
      Number(reader.unsigned8(what)),
    );
    const [kernelWidth, kernelHeight, strideWidth, strideHeight] = sizes as [number, number, number, number];
    record["mapCount"] = [reader.unsigned4("number of maps")];
    record["imageLayout"] = reader.unsigned4("image layout");
    const pad = reader.boolean("padding");
    record["maxTempMemSizeInSamples"] = reader.unsigned8("workspace");
    record["kernelShape"] = [kernelWidth, kernelHeight, 1];
    record["strideShape"] = [strideWidth, strideHeight, 1];
    record["sharing"] = [true];
    record["autoPadding"] = [pad];
    record["lowerPad"] = [0];
    record["upperPad"] = [0];
    record["isTwoDimensional"] = true;
  },
  write: (record, writer) => writer.boolean(record["isTwoDimensional"] as boolean),
};

const normalizationFields: FieldRule = {
  read(record, reader, { version }) {
    if (version < 6) return readOldNormalization(record, reader);
    record["spatial"] = reader.boolean("spatial switch");
    record["normalizationTimeConstant"] = reader.float8("normalization time constant");
    record["blendTimeConstant"] = reader.float8("blend time constant");
    record["imageLayout"] = reader.signed4("image layout");
    if (version === 19) record["runCount"] = reader.boolean("run count") ? 0 : 2n ** 64n - 1n;
    else {
      const count = reader.unsigned8("run count");
      // Up to version 12 minibatches were counted, of which CNTK assumes 16 samples each.
      record["runCount"] = version < 13 ? Number(count) * 16 : count;
    }
    record["epsilon"] = reader.float8("epsilon");
    record["useCntkEngine"] = reader.boolean("engine switch");
    if (version < 13) record["holdsInverseDeviation"] = true;
  },
  write(record, writer) {
    writer.boolean(record["spatial"] as boolean);
    writer.float8(record["normalizationTimeConstant"] as number);
    writer.float8(record["blendTimeConstant"] as number);
    writer.signed4(record["imageLayout"] as number);
    writer.unsigned8(record["runCount"] as Whole);
    writer.float8(record["epsilon"] as number);
    writer.boolean(record["useCntkEngine"] as boolean);
  },
};

/** Up to version 5 batch normalization had version numbers of its own. */
function readOldNormalization(record: FieldRecord, reader: ByteReader): void {
  const at = reader.position;
  const written = reader.signed4("inner version");
  const readable = reader.signed4("inner version");
  const oldest = 0x00010001;
  if (readable > written || written < oldest || readable > oldest + 3) {
    throw reader.broken("version of batch normalization", at);
  }
  reader.boolean("evaluation switch");
  record["spatial"] = reader.boolean("spatial switch");
  const constant = reader.float8("normalization time constant");
  record["normalizationTimeConstant"] = written >= oldest + 3 ? constant : 0;
  record["blendTimeConstant"] = 0;
  record["imageLayout"] = 1;
  record["runCount"] = 0;
  record["epsilon"] = 0.00001;
  record["useCntkEngine"] = true;
  record["holdsInverseDeviation"] = true;
  if (written >= oldest + 1) {
    record["imageLayout"] = reader.signed4("image layout");
    record["runCount"] = Number(reader.unsigned8("run count")) * 16;
  }
  if (written >= oldest + 2) {
    record["epsilon"] = reader.float8("epsilon");
    record["useCntkEngine"] = reader.boolean("engine switch");
  }
}

const oldRecurrentNames: Readonly<Record<string, string>> = {
  LSTM: "lstm",
  GRU: "gru",
  RNN_RELU: "rnnReLU",
  RNN_TANH: "rnnTanh",
};

const recurrentStack: FieldRule = {
  read(record, reader, { version }) {
    record["bidirectional"] = reader.unsigned8("bidirectional switch");
    record["numLayers"] = reader.unsigned8("number of layers");
    record["hiddenDims"] = reader.unsigned8("hidden size");
    const name = reader.wideText("kind of recurrence");
    record["recurrentOp"] = version >= 14 ? name : (oldRecurrentNames[name] ?? name);
    record["axis"] = version >= 14 ? reader.signed4("axis") : -1;
  },
  write(record, writer) {
    writer.unsigned8(record["bidirectional"] as Whole);
    writer.unsigned8(record["numLayers"] as Whole);
    writer.unsigned8(record["hiddenDims"] as Whole);
    writer.wideText(record["recurrentOp"] as string);
    writer.signed4(record["axis"] as number);
  },
};

const legacyReshape: FieldRule = {
  read(record, reader) {
    record["rows"] = reader.unsigned8("number of rows");
    record["shape"] = reader.legacyShape("shape");
  },
  write(record, writer) {
    writer.unsigned8(record["rows"] as Whole);
    writer.shape(record["shape"] as readonly number[]);
  },
};

const times: FieldRule[] = [
  field("outputRank", "unsigned8", { since: 3, otherwise: 1 }),
  field("inferInputRankToMap", "signed4", { since: 12, otherwise: -1 }),
];

const legacyPooling: FieldRule[] = [
  field("windowWidth", "unsigned4"),
  field("imageLayout", "unsigned4"),
  field("windowHeight", "unsigned8"),
  field("horizontalSubsample", "unsigned8"),
  field("verticalSubsample", "unsigned8"),
];

const delay: FieldRule[] = [
  field("timeStep", "signed4"),
  delayShape,
  field("initialState", "element", { since: 2, otherwise: 0.1 }),
];

const sample: FieldRule[] = [
  field("allowDuplicates", "boolean"),
  field("size", "unsigned8"),
  ...randomEngine,
];

const traceFormat = [
  "prologue",
  "epilogue",
  "sequenceSeparator",
  "sequencePrologue",
  "sequenceEpilogue",
  "elementSeparator",
  "sampleSeparator",
  "precisionFormat",
];

const precomputed: FieldRule[] = [field("hasComputed", "boolean"), field("values", "matrix")];

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
