import type { ConfigSection } from "../../config/config-section.js";
import { Schedule } from "../../config/schedule.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import type { ElementType } from "../../numerics/values.js";

/** Kinds of networks by the word of `rnnType`; of several words the first of this list counts. */
export const networkKinds = [
  "SIMPLENET",
  "SIMPLERNN",
  "LSTM",
  "CLASSLM",
  "LBLM",
  "NPLM",
  "CLASSLSTM",
  "NCELSTM",
  "CLSTM",
  "CRF",
] as const;

export type NetworkKind = (typeof networkKinds)[number];

export type CriterionKind =
  | "crossEntropyWithSoftmax"
  | "squareError"
  | "logistic"
  | "noiseContrastiveEstimation"
  | "classCrossEntropyWithSoftmax"
  | "sequenceWithSoftmax";

/** A `SimpleNetworkBuilder` section, read once. */
export interface SimpleNetworkOptions {
  readonly kind: NetworkKind;
  /** Input, hidden layers, output. */
  readonly layerSizes: readonly number[];
  /** Nonlinear function of a layer, from 0; beyond the list its last word. */
  nonlinearity(layer: number): string;
  readonly trainingCriterion: CriterionKind;
  readonly evaluationCriterion: CriterionKind | "classificationError";
  readonly uniformInit: boolean;
  readonly initValueScale: number;
  readonly applyMeanVarNorm: boolean;
  readonly needPrior: boolean;
  readonly addDropoutNodes: boolean;
  /** Recurrent layers, ascending; what a number counts is the kind's matter. */
  readonly recurrentLayers: readonly number[];
  /** Layers whose output goes to the layer before the last one too. */
  readonly directConnect: readonly number[];
  /** The value before a sequence; a C float. */
  readonly defaultHiddenActivity: number;
  readonly movingAverageOrder: number;
  /** Words side by side in one input; 0 = the input is not looked up. */
  readonly lookupTableOrder: number;
  readonly constantGates: { readonly input: boolean; readonly forget: boolean; readonly output: boolean };
  readonly gateBiases: { readonly input: number; readonly forget: number; readonly output: number };
  readonly sparseInput: boolean;
  readonly vocabularySize: number;
  readonly classCount: number;
  readonly noiseWords: number;
  readonly auxiliaryFeatures: number;
  readonly elementType: ElementType;
}

const trainingWords: Readonly<Record<string, CriterionKind>> = {
  crossentropywithsoftmax: "crossEntropyWithSoftmax",
  squareerror: "squareError",
  logistic: "logistic",
  noisecontrastiveestimation: "noiseContrastiveEstimation",
  classcrossentropywithsoftmax: "classCrossEntropyWithSoftmax",
  sequencewithsoftmax: "sequenceWithSoftmax",
};

const evaluationWords: Readonly<Record<string, SimpleNetworkOptions["evaluationCriterion"]>> = {
  ...trainingWords,
  classificationerror: "classificationError",
  errorprediction: "classificationError",
};

/**
 * Reads a `SimpleNetworkBuilder` section (ActionsLib/SimpleNetworkBuilder.h, Init and InitRecurrentConfig).
 * @throws CntkError `network-options` with CNTK's sentence for words and sizes that it refuses.
 */
export function readSimpleNetworkOptions(
  section: ConfigSection,
  elementType: ElementType,
): SimpleNetworkOptions {
  const element = (key: string, fallback: number): number =>
    elementType === "float" ? section.float(key, fallback) : section.number(key, fallback);
  const integers = (key: string, fallback: readonly number[] = []): readonly number[] =>
    section.integerSchedule(key, fallback).values;
  const nonlinearities = section.array("layerTypes", ["Sigmoid"]);
  const layerSizes = integers("layerSizes", [100]);
  const trainingCriterion = readCriterion(
    section,
    "trainingCriterion",
    trainingWords,
    "trainingCriterion: Invalid trainingCriterion value. Valid values are (crossEntropyWithSoftmax | squareError | logistic | classCrossEntropyWithSoftmax| sequenceWithSoftmax)",
  );
  const evaluationCriterion = readCriterion(
    section,
    "evalCriterion",
    evaluationWords,
    "evalCriterion: Invalid trainingCriterion value. Valid values are (errorPrediction | crossEntropyWithSoftmax | squareError | logistic | sequenceWithSoftmax)",
  );
  if (layerSizes.length < 2) {
    throw new CntkError({
      code: "network-options",
      message: "A network should have at least two layers (one input and one output)",
      span: section.keySpan("layerSizes") ?? section.span,
      hint: "layerSizes = 2:50:2 has two inputs, one hidden layer of 50 and two outputs",
    });
  }
  return {
    kind: readKind(section),
    layerSizes,
    nonlinearity: (layer) => nonlinearities[Math.min(layer, nonlinearities.length - 1)] ?? "",
    trainingCriterion,
    evaluationCriterion,
    uniformInit: section.boolean("uniformInit", true),
    initValueScale: element("initValueScale", 1),
    applyMeanVarNorm: section.boolean("applyMeanVarNorm", false),
    needPrior: section.boolean("needPrior", false),
    addDropoutNodes: section.boolean("addDropoutNodes", false),
    recurrentLayers: integers("recurrentLayer"),
    directConnect: integers("directConnect"),
    defaultHiddenActivity: section.float("defaultHiddenActivity", Math.fround(0.1)),
    movingAverageOrder: section.integer("maOrder", 0),
    lookupTableOrder: section.integer("lookupTableOrder", 0),
    constantGates: {
      input: section.boolean("constInputGateValue", false),
      forget: section.boolean("constForgetGateValue", false),
      output: section.boolean("constOutputGateValue", false),
    },
    gateBiases: {
      input: element("inputGateInitVal", -1),
      forget: element("forgetGateInitVal", -1),
      output: element("outputGateInitVal", -1),
    },
    sparseInput: section.boolean("sparseinput", false),
    vocabularySize: section.integer("vocabSize", -1),
    classCount: section.integer("nbrClass", -1),
    noiseWords: section.integer("noise_number", -1),
    auxiliaryFeatures: section.size("auxfeatdim", 20),
    elementType,
  };
}

/** The size of a layer. */
export function layerSize({ layerSizes }: SimpleNetworkOptions, layer: number): number {
  return new Schedule(layerSizes).at(layer);
}

/** Hidden layers of the network. */
export function hiddenLayers({ layerSizes }: SimpleNetworkOptions): number {
  return layerSizes.length - 2;
}

function readCriterion<T>(
  section: ConfigSection,
  key: string,
  words: Readonly<Record<string, T>>,
  message: string,
): T {
  const given = section.string(key);
  const found = Object.entries(words).find(([word]) => word === given.toLowerCase());
  if (found) return found[1];
  throw new CntkError({ code: "network-options", message, span: section.keySpan(key) });
}

function readKind(section: ConfigSection): NetworkKind {
  const words = section.array("rnnType", ["SIMPLENET"]);
  const kind = networkKinds.find((known) => words.includes(known));
  if (kind) return kind;
  throw new CntkError({
    code: "network-options",
    message: `InitRecurrentConfig: unknown value for rnnType parameter '${words[0] ?? ""}'`,
    span: section.keySpan("rnnType"),
    hint: didYouMean(words[0] ?? "", networkKinds) ?? `known are ${networkKinds.join(", ")}`,
  });
}
