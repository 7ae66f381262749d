import type { Attributes } from "../network/network.js";
import type { Fields, StoredField, StoredLayout, StoredOptions } from "../network/stored-fields.js";
import { field } from "../network/stored-fields.js";

/*
 * What several node types store alike in model files.
 * Source: the `Save` and `Load` methods of Source/ComputationNetworkLib/*Nodes.{h,cpp}.
 */

/** Image layouts: HWC, also called legacy, is 0; CHW, cudnn, is 1. */
export const imageLayout = (options: StoredOptions = {}): StoredField =>
  field("imageLayout", "signed4", {
    words: ["HWC", "CHW"],
    synonyms: { legacy: "HWC", cudnn: "CHW" },
    otherwise: 1,
    ...options,
  });

/** Axes are counted from 1, some kinds of them have negative numbers; no tensor has so many that these are not enough. */
export const axisField = (
  name: string,
  options: StoredOptions = {},
  kind: StoredField["kind"] = "signed4",
): StoredField => field(name, kind, { valid: (number) => Math.abs(Number(number)) <= 1000, ...options });

export const poolKinds = ["none", "max", "average"];

/** What an op makes of the fields that convolution and pooling have in common; absent before version 5. */
type WindowVariation = Readonly<Record<string, StoredOptions>>;

export function storedWindows(variation: WindowVariation): StoredField[] {
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

/** State of a random engine. Version 16 wrote the seed as C's `unsigned long`: 8 bytes on Linux. */
export const randomEngine = [
  field("seed", "unsigned8", { since: 16, wide: true, otherwise: 0 }),
  field("offset", "unsigned8", { since: 16, wide: true, otherwise: 0 }),
];

/** CNTK saves a sharing flag for every axis of a pooling window, all true. */
export const sharedEverywhere = (plain: Fields, attributes: Attributes): Fields => {
  const { kernelShape } = plain;
  if ("dimSharing" in attributes) return plain;
  return { ...plain, sharing: Array.isArray(kernelShape) ? kernelShape.map(() => true) : [true] };
};

/** Flags that say nothing are no attributes. */
export const withoutSharing: StoredLayout["attributes"] = (
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
