import type { Attributes } from "../network/network.js";
import type { FieldValue } from "./model-file.js";

type Fields = Readonly<Record<string, FieldValue>>;

/** How the fields of a model file and the attributes of a node become one another. */
interface Translation {
  attributes(fields: Fields): Attributes;
  fields(attributes: Attributes): Record<string, FieldValue>;
}

/** A field that is the attribute of the same or another name, with a value for attributes that are not there. */
interface Renaming {
  readonly field: string;
  readonly attribute?: string;
  readonly otherwise: FieldValue;
}

function renaming(list: readonly Renaming[], constants: Record<string, FieldValue> = {}): Translation {
  return {
    attributes: (fields) =>
      Object.fromEntries(
        list.map(({ field, attribute = field, otherwise }) => [attribute, fields[field] ?? otherwise]),
      ),
    fields: (attributes) => ({
      ...Object.fromEntries(
        list.map(({ field, attribute = field, otherwise }) => [
          field,
          (attributes[attribute] ?? otherwise) as FieldValue,
        ]),
      ),
      ...constants,
    }),
  };
}

/** Image layouts: HWC, also called legacy, is 0; CHW, cudnn, is 1. */
function layoutName(number: FieldValue | undefined): string {
  return number === 0 ? "HWC" : "CHW";
}

function layoutNumber(name: unknown): number {
  return name === "HWC" || name === "legacy" ? 0 : 1;
}

const poolKinds = ["none", "max", "average"];

/** Fields of convolution and pooling under their names in BrainScript. */
const windowNames: readonly Renaming[] = [
  { field: "kernelShape", otherwise: [1] },
  { field: "mapCount", otherwise: [1] },
  { field: "strideShape", otherwise: [1] },
  { field: "sharing", attribute: "dimSharing", otherwise: [true] },
  { field: "autoPadding", attribute: "dimPadding", otherwise: [true] },
  { field: "lowerPad", attribute: "dimPadLower", otherwise: [0] },
  { field: "upperPad", attribute: "dimPadUpper", otherwise: [0] },
  { field: "maxTempMemSizeInSamples", otherwise: 0 },
  { field: "transpose", otherwise: false },
  { field: "outputShape", attribute: "dimOutputShape", otherwise: [0] },
  { field: "ceilOutDim", attribute: "ceilOut", otherwise: false },
  { field: "includePad", attribute: "poolIncludePad", otherwise: false },
];

const windowFields = renaming(windowNames);

/** Attributes of pooling nodes only those have; a Convolution has none of them and a Pooling no maps. */
const convolution: Translation = {
  attributes: (fields) => {
    const { ceilOut: _ceilOut, poolIncludePad: _includePad, ...attributes } = windowFields.attributes(fields);
    return { ...attributes, imageLayout: layoutName(fields["imageLayout"]) };
  },
  fields: (attributes) => ({
    ...windowFields.fields(attributes),
    poolKind: 0,
    imageLayout: layoutNumber(attributes["imageLayout"]),
    isTwoDimensional: false,
    spare: [1],
  }),
};

const pooledAttributes = ["kernelShape", "strideShape", "dimPadding", "dimPadLower", "dimPadUpper"];

/** CNTK saves a sharing flag for every axis of a pooling window, all true. */
function sharedEverywhere(fields: Record<string, FieldValue>): boolean[] {
  const kernel = fields["kernelShape"];
  return Array.isArray(kernel) ? kernel.map(() => true) : [true];
}

const pooling: Translation = {
  attributes: (fields) => {
    const all = windowFields.attributes(fields);
    return {
      ...Object.fromEntries(pooledAttributes.map((name) => [name, all[name]])),
      ceilOut: all["ceilOut"],
      poolIncludePad: all["poolIncludePad"],
      pool: poolKinds[fields["poolKind"] as number] ?? "none",
      imageLayout: layoutName(fields["imageLayout"]),
    };
  },
  fields: (attributes) => {
    const fields = windowFields.fields({ ...attributes, transpose: false });
    return {
      ...fields,
      sharing: sharedEverywhere(fields),
      poolKind: Math.max(0, poolKinds.indexOf(String(attributes["pool"]).toLowerCase())),
      imageLayout: layoutNumber(attributes["imageLayout"]),
    };
  },
};

const unpooling: Translation = {
  attributes: (fields) => {
    const all = windowFields.attributes(fields);
    return {
      ...Object.fromEntries(pooledAttributes.map((name) => [name, all[name]])),
      imageLayout: layoutName(fields["imageLayout"]),
    };
  },
  fields: (attributes) => {
    const fields = windowFields.fields({ ...attributes, transpose: true });
    return {
      ...fields,
      sharing: sharedEverywhere(fields),
      poolKind: poolKinds.indexOf("max"),
      imageLayout: layoutNumber(attributes["imageLayout"]),
    };
  },
};

const legacyPooling: Translation = {
  attributes: (fields) => ({ ...fields, imageLayout: layoutName(fields["imageLayout"]) }),
  fields: (attributes) => ({
    windowWidth: attributes["windowWidth"] as number,
    windowHeight: attributes["windowHeight"] as number,
    horizontalSubsample: attributes["horizontalSubsample"] as number,
    verticalSubsample: attributes["verticalSubsample"] as number,
    imageLayout: layoutNumber(attributes["imageLayout"]),
  }),
};

const normalization: Translation = {
  attributes: ({ runCount: _runCount, ...fields }) => ({
    ...fields,
    imageLayout: layoutName(fields["imageLayout"]),
  }),
  fields: (attributes) => ({
    spatial: attributes["spatial"] === true,
    normalizationTimeConstant: Number(attributes["normalizationTimeConstant"] ?? 0),
    blendTimeConstant: Number(attributes["blendTimeConstant"] ?? 0),
    imageLayout: layoutNumber(attributes["imageLayout"]),
    runCount: 0,
    epsilon: Number(attributes["epsilon"] ?? 0.00001),
    useCntkEngine: attributes["useCntkEngine"] !== false,
  }),
};

const reduction: Translation = {
  attributes: (fields) => ({ ...fields }),
  fields: (attributes) => {
    const axis = attributes["axis"] as number;
    return {
      axis,
      reductionOp: attributes["reductionOp"] as string,
      keepDimensions: (attributes["keepDimensions"] as boolean | undefined) ?? (axis !== 0 && axis !== -1),
    };
  },
};

const parameter: Translation = {
  // The values are there already: no initialization.
  attributes: (fields) => ({
    shape: fields["shape"],
    learningRateMultiplier: fields["learningRateMultiplier"],
    init: "",
  }),
  fields: (attributes) => ({
    learningRateMultiplier: Number(attributes["learningRateMultiplier"] ?? 1),
    shape: attributes["shape"] as readonly number[],
  }),
};

const input: Translation = {
  attributes: (fields) => ({ shape: fields["shape"], dynamicAxis: fields["dynamicAxis"] ?? "" }),
  fields: (attributes) => ({
    shape: attributes["shape"] as readonly number[],
    dynamicAxis: String(attributes["dynamicAxis"] ?? ""),
    hasDynamicAxis: true,
    learningRateMultiplier: 0,
  }),
};

const times = renaming([
  { field: "outputRank", otherwise: 1 },
  { field: "inferInputRankToMap", otherwise: -1 },
]);

/** State of a random engine, set by whoever saves the model. */
const random: Translation = { attributes: () => ({}), fields: () => ({ seed: 0, offset: 0 }) };

const unchanged: Translation = {
  attributes: (fields) => ({ ...fields }),
  fields: (attributes) => ({ ...attributes }) as Record<string, FieldValue>,
};

const translations: Readonly<Record<string, Translation>> = {
  LearnableParameter: parameter,
  InputValue: input,
  SparseInputValue: input,
  Convolution: convolution,
  Pooling: pooling,
  MaxUnpooling: unpooling,
  MaxPooling: legacyPooling,
  AveragePooling: legacyPooling,
  BatchNormalization: normalization,
  ReduceElements: reduction,
  Times: times,
  TransposeTimes: times,
  Reshape: renaming([
    { field: "beginAxis", otherwise: 0 },
    { field: "endAxis", otherwise: 0 },
    { field: "shape", otherwise: [] },
  ]),
  TransposeDimensions: renaming([
    { field: "axis1", otherwise: 1 },
    { field: "axis2", otherwise: 2 },
  ]),
  Dropout: random,
};

/** Attributes of a node of that operation, from the fields a model file stores for it. */
export function attributesFromFields(operation: string, fields: Fields): Attributes {
  return (translations[operation] ?? unchanged).attributes(fields);
}

/** The fields that a model file stores for a node, from its attributes as the shape stage completed them. */
export function fieldsFromAttributes(operation: string, attributes: Attributes): Record<string, FieldValue> {
  return (translations[operation] ?? unchanged).fields(attributes);
}
