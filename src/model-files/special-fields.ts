import type { ByteReader } from "./byte-reader.js";
import type { FieldRecord, FieldRule } from "./field-rules.js";
import { field } from "./field-rules.js";
import type { SliceRange, Whole } from "./model-file.js";

/** Rules for fields that depend on one another or on the version of the file in ways of their own. */

/** Parameters were once a switch and two sizes instead of a multiplier and a shape. */
export const parameterShape: FieldRule = {
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

export const inputShape: FieldRule = {
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
export const permutation: FieldRule = {
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

export const sliceRanges: FieldRule = {
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
export const delayShape: FieldRule = {
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
export const randomEngine: FieldRule[] = [
  field("seed", "unsigned8", { since: 16, otherwise: 0 }),
  field("offset", "unsigned8", { since: 16, otherwise: 0 }),
];

/** Older files hold 2 here directly before what follows; the value is taken back where it cannot be a mode. */
export const noiseMode: FieldRule = {
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
export const windows: FieldRule[] = [
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
export const convolutionSwitch: FieldRule = {
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

export const normalizationFields: FieldRule = {
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

export const recurrentStack: FieldRule = {
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

export const legacyReshape: FieldRule = {
  read(record, reader) {
    record["rows"] = reader.unsigned8("number of rows");
    record["shape"] = reader.legacyShape("shape");
  },
  write(record, writer) {
    writer.unsigned8(record["rows"] as Whole);
    writer.shape(record["shape"] as readonly number[]);
  },
};

export const times: FieldRule[] = [
  field("outputRank", "unsigned8", { since: 3, otherwise: 1 }),
  field("inferInputRankToMap", "signed4", { since: 12, otherwise: -1 }),
];

export const legacyPooling: FieldRule[] = [
  field("windowWidth", "unsigned4"),
  field("imageLayout", "unsigned4"),
  field("windowHeight", "unsigned8"),
  field("horizontalSubsample", "unsigned8"),
  field("verticalSubsample", "unsigned8"),
];

export const delay: FieldRule[] = [
  field("timeStep", "signed4"),
  delayShape,
  field("initialState", "element", { since: 2, otherwise: 0.1 }),
];

export const sample: FieldRule[] = [
  field("allowDuplicates", "boolean"),
  field("size", "unsigned8"),
  ...randomEngine,
];

export const traceFormat = [
  "prologue",
  "epilogue",
  "sequenceSeparator",
  "sequencePrologue",
  "sequenceEpilogue",
  "elementSeparator",
  "sampleSeparator",
  "precisionFormat",
];

export const precomputed: FieldRule[] = [field("hasComputed", "boolean"), field("values", "matrix")];
