import type { ConfigSection } from "../config/config-section.js";
import type { Schedule } from "../config/schedule.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean, suggest } from "../diagnostics/suggest.js";
import type { ElementType } from "../numerics/values.js";
import { updateRuleFor, updateRules, type UpdateOptions, type UpdateRule } from "../updates/index.js";
import { type AutoAdjustOptions, readAutoAdjust } from "./auto-adjust.js";
import { type PiecesOptions, readPieces } from "./pieces.js";
import { readTracedNames, type TracedNames } from "./tracing.js";

/** CNTK's "one sweep of the data": SIZE_MAX >> 2 samples. */
export const wholeSweep = 2 ** 62;

/** The SGD block of a training command, read once; schedules are per epoch (SGDLib/SGD.cpp, SGDParams). */
export interface SgdOptions extends UpdateOptions {
  readonly modelPath: string;
  readonly minibatchSizes: Schedule;
  /** Throws CNTK's error for a size of 0, which only its reader notices. */
  requireSize(minibatchSize: number): void;
  /** The pass before training, for statistics of the data, takes all of it, not only the samples of an epoch. */
  readonly usesAllDataForStatistics: boolean;
  /** Samples per epoch; 0 = one sweep. */
  readonly epochSize: number;
  readonly maxEpochs: number;
  /**
   * Per sample and epoch, already divided by the minibatch size where given per minibatch (float division). With `truncated`
   * CNTK takes minibatchSize for the length of pieces, and a minibatch for `parallelSequences` of them (1 when left out).
   */
  learningRate(epoch: number, parallelSequences?: number): number;
  /** Epochs whose rates are listed; beyond them the last one holds, or `autoAdjust` goes on from it. */
  readonly explicitRates: number;
  readonly autoAdjust: AutoAdjustOptions;
  /** Momentum per sample, double; `parallelSequences` as above. */
  momentumPerSample(epoch: number, parallelSequences?: number): number;
  /** The minibatch size is the length of pieces; see learningRate. */
  readonly truncated: boolean;
  readonly minLearningRatePerSample: number;
  readonly dropoutRates: Schedule;
  /** Time constants of batch normalizations; 0 leaves the nodes' own. */
  readonly normalizationTimeConstants: Schedule;
  readonly blendTimeConstants: Schedule;
  /** Deviation of random numbers that are added to the parameters after every update. */
  readonly noiseDeviation: number;
  /** To how many digits gradients are compared with differences before every minibatch; absent: not at all. */
  readonly gradientCheckDigits?: number;
  readonly firstMinibatchesToShow: number;
  readonly minibatchesToShow: number;
  /** Where event files for TensorBoard are written, and behind how many minibatches (0 = only behind epochs). */
  readonly tensorBoard: { readonly folder: string; readonly minibatches: number } | undefined;
  readonly pieces: PiecesOptions;
  readonly keepCheckpointFiles: boolean;
  /** Watch for each criterion which epoch was best on the validation data, and keep a copy of its model. */
  readonly saveBestModelPerCriterion: boolean;
  readonly traceLevel: number;
  readonly traced: TracedNames;
  /** What the log says about the section before anything else. */
  readonly warnings: readonly string[];
  /** Memory for convolutions, which only a GPU heeds; 0 = unlimited. */
  readonly maxTempMemSizeInSamplesForCNN: number;
  readonly trainCriterionNodeName: string;
  readonly evaluationCriterionNodeName: string;
}

/**
 * Reads the SGD section of a training command.
 * @throws CntkError with CNTK's message for values it refuses, and for options that cntkts does not have yet.
 */
export function readSgdOptions(section: ConfigSection, elementType: ElementType = "double"): SgdOptions {
  const fail: Fail = (code, message, key, hint) => {
    throw new CntkError({ code, message, span: key ? section.keySpan(key) : section.span, hint });
  };
  const adjustSection = section.optionalSection("AutoAdjust");
  const minibatchSizes = section.integerSchedule("minibatchSize", [256]);
  const autoAdjust = readAutoAdjust(adjustSection, section.keySpan("AutoAdjust"), minibatchSizes);
  const epochSize = section.size("epochSize", 0);
  if (epochSize > 0 && minibatchSizes.values.some((size) => size > epochSize)) {
    fail("epoch-size", "epoch size must be larger than mbsize.", "epochSize");
  }
  const rule = updateRule(section, fail);
  if (!/^(|none|kl|klreg)$/i.test(section.string("adaptationRegType", "none"))) {
    const message =
      "ParseAdaptationRegType: Invalid Adaptation Regularization Type. Valid values are (none | kl)";
    fail("adaptation", message, "adaptationRegType");
  }
  const adaptation = section.number("adaptationRegWeight", 0);
  if (adaptation > 1 || adaptation < 0) {
    fail("adaptation", "adaptationRegWeight must be in [0 1]", "adaptationRegWeight");
  }
  const checksGradients = section.boolean("gradientcheck", false);
  if (checksGradients && elementType !== "double") {
    fail("gradient-check", "Gradient check needs to use precision = 'double'.", "gradientcheck");
  }
  const minibatchesToShow = section.size("numMBsToShowResult", 10);
  const dropoutRates = section.numberSchedule("dropoutRate", [0]);
  if (dropoutRates.values.some((rate) => rate < 0 || rate >= 1)) {
    fail("dropout-rate", "dropoutRate must be >= 0 and < 1.", "dropoutRate");
  }
  const epochs = section.size("maxEpochs");
  // As in CNTK, -1 comes out as a training that is done already.
  const maxEpochs = epochs === 2 ** 64 ? -1 : epochs;
  if (maxEpochs >= 2 ** 31) {
    fail("max-epochs", "maxEpochs is out of range.", "maxEpochs", "it is a number of epochs, from 0");
  }
  readUnused(section);
  const truncated = section.boolean("truncated", false);
  const effectiveSize = effectiveSizes(minibatchSizes, truncated, fail);
  return {
    modelPath: section.string("modelPath"),
    minibatchSizes,
    requireSize: (size) => {
      if (!(size > 0)) fail("minibatch-size", "Minibatch size cannot be zero.", "minibatchSize");
    },
    usesAllDataForStatistics: section.boolean("UseAllDataForPreComputedNode", true),
    epochSize,
    maxEpochs,
    ...learningRates(section, effectiveSize, autoAdjust.rates !== "scheduled", fail),
    autoAdjust,
    momentumPerSample: momenta(section, effectiveSize, fail),
    truncated,
    minLearningRatePerSample: Math.fround(section.number("minLearningRatePerSample", 1e-9)),
    dropoutRates,
    normalizationTimeConstants: section.numberSchedule("batchNormalizationTimeConstant", [0]),
    blendTimeConstants: section.numberSchedule("batchNormalizationBlendTimeConstant", [0]),
    noiseDeviation: section.float("gaussianNoiseInjectStd", 0),
    ...(checksGradients && { gradientCheckDigits: section.number("sigFigs", 6) }),
    sparesNormalization: section.boolean("disableRegInBatchNormalization", false),
    rule,
    l1Weight: section.number("L1RegWeight", 0),
    l2Weight: section.number("L2RegWeight", 0),
    clippingThresholdPerSample: section.number("clippingThresholdPerSample", Infinity),
    clippingWithTruncation: section.boolean("gradientClippingWithTruncation", true),
    firstMinibatchesToShow: section.size("firstMBsToShowResult", 0),
    minibatchesToShow,
    tensorBoard: readTensorBoard(section, minibatchesToShow),
    pieces: readPieces(section),
    keepCheckpointFiles: section.boolean("keepCheckPointFiles", false),
    saveBestModelPerCriterion: section.boolean("saveBestModelPerCriterion", false),
    traceLevel: section.integer("traceLevel", 0),
    traced: readTracedNames(section),
    warnings: adjustSection?.has("numMiniBatch4LRSearch") ? [oldSearchSize] : [],
    maxTempMemSizeInSamplesForCNN: section.size("maxTempMemSizeInSamplesForCNN", 0),
    trainCriterionNodeName: section.string("trainCriterionNodeName", ""),
    evaluationCriterionNodeName: section.string("evalCriterionNodeName", ""),
  };
}

/** What nothing here depends on, but CNTK reads all the same: a value of another kind is found. */
function readUnused(section: ConfigSection): void {
  for (const key of ["hSmoothingWeight", "frameDropThresh", "seqGammarAMF", "seqGammarLMF"])
    section.number(key, 0);
  for (const key of ["seqGammarBMMIFactor", "seqGammarWordPen"]) section.number(key, 0);
  for (const key of ["doReferenceAlign", "seqGammarUsesMBR", "unitTest"]) section.boolean(key, false);
  section.size("numMBsToCUDAProfile", 0);
}

const oldSearchSize =
  "WARNING: 'numMiniBatch4LRSearch' is deprecated, please remove it and use 'numSamples4Search' instead.\n";

const rateKeys = ["learningRatesPerMB", "learningRatesPerSample"];

type Fail = (code: string, message: string, key?: string, hint?: string) => never;

/** The update rule, with its options; the old useAdagrad wins over gradUpdateType. */
function updateRule(section: ConfigSection, fail: Fail): UpdateRule {
  const asked = updateRuleFor(section.string("gradUpdateType", "none"), section);
  if (!asked) {
    const words = "none | adagrad | rmsProp | fsAdagrad ";
    const message = `ParseGradUpdateType: Invalid Gradient Updating Type. Valid values are (${words})`;
    const word = section.string("gradUpdateType", "none");
    const near = didYouMean(word, ["none", "adagrad", "rmsProp", "fsAdagrad"]);
    fail(
      "gradient-update",
      message,
      "gradUpdateType",
      /^adam/i.test(word) ? "fsAdagrad comes nearest to Adam" : near,
    );
  }
  // CNTK reads the options of all rules, whichever is asked for: a value that is no number is found.
  const rules = new Map(updateRules.map((entry) => [entry, entry.rule(section)]));
  const old = section.boolean("useAdagrad", false) ? updateRuleFor("adagrad", section) : undefined;
  return rules.get(old ?? asked) ?? asked.rule(section);
}

type PerEpoch = (epoch: number, parallelSequences?: number) => number;

/** Samples of a minibatch as rates and momenta per minibatch see them (SGDLib/SGD.h, FixUpEffectiveMBSize). */
function effectiveSizes(minibatchSizes: Schedule, truncated: boolean, fail: Fail): PerEpoch {
  return (epoch, parallelSequences = 1) => {
    // A size_t in CNTK: a negative one is huge, and the rate next to nothing.
    const given = minibatchSizes.at(epoch);
    const size = given < 0 ? 2 ** 64 + given : given;
    if (!truncated || size <= 1) return size;
    if (parallelSequences === 0) {
      fail(
        "rates-per-minibatch",
        "Learning rate and momentum are not supported per minibatch, please specify them per sample.",
        "truncated",
        "learningRatesPerSample, and momentumAsTimeConstant: a section with deserializers does not tell how large a minibatch is",
      );
    }
    return size * parallelSequences;
  };
}

function learningRates(
  section: ConfigSection,
  effectiveSize: PerEpoch,
  optional: boolean,
  fail: Fail,
): { readonly learningRate: PerEpoch; readonly explicitRates: number } {
  const perMinibatch = section.floatSchedule("learningRatesPerMB", []);
  const perSample = section.floatSchedule("learningRatesPerSample", []);
  if (!perMinibatch.isEmpty && !perSample.isEmpty) {
    const message =
      "You specified both learningRatesPerSample and learningRatesPerMB. Please comment out one of them.";
    fail("learning-rates", message, "learningRatesPerMB");
  }
  if (!perSample.isEmpty) {
    return { learningRate: (epoch) => perSample.at(epoch), explicitRates: perSample.length };
  }
  if (!perMinibatch.isEmpty) {
    const learningRate: PerEpoch = (epoch, parallelSequences) =>
      Math.fround(perMinibatch.at(epoch) / Math.fround(effectiveSize(epoch, parallelSequences)));
    return { learningRate, explicitRates: perMinibatch.length };
  }
  if (optional) return { learningRate: () => 0, explicitRates: 0 };
  const meant = section.keys().find((key) => suggest(key, rateKeys) !== undefined);
  return fail(
    "learning-rates",
    "If autoLearnRateSearchType is false you must specify the learningRatesPerSample or learningRatesPerMB parameter.",
    meant,
    (meant && didYouMean(meant, rateKeys)) ?? "for example learningRatesPerSample = 0.001",
  );
}

function momenta(section: ConfigSection, effectiveSize: PerEpoch, fail: Fail): PerEpoch {
  const given = ["momentumPerMB", "momentumPerSample", "momentumAsTimeConstant"].filter(
    (key) => !section.floatSchedule(key, []).isEmpty,
  );
  if (given.length > 1) {
    const keys = "momentumPerSample, momentumPerMB, and momentumAsTimeConstant";
    fail("momentum", `You specified more than one of ${keys}. Please only specify one.`, given[1]);
  }
  const key = given[0] ?? "momentumPerMB";
  const listed = section.floatSchedule(key, [Math.fround(0.9)]);
  const asTimeConstant = (constant: number): number =>
    constant === 0 ? 0 : Math.fround(Math.exp(-1 / constant));
  const values = key === "momentumAsTimeConstant" ? listed.map(asTimeConstant) : listed;
  if (values.values.some((momentum) => momentum < 0 || momentum >= 1)) {
    fail("momentum", "Momentum parameter must be in [0, 1).", key);
  }
  if (key !== "momentumPerMB") return (epoch) => values.at(epoch);
  return (epoch, parallelSequences) =>
    Math.pow(values.at(epoch), 1 / effectiveSize(epoch, parallelSequences));
}

function readTensorBoard(section: ConfigSection, shown: number): SgdOptions["tensorBoard"] {
  const folder = section.string("tensorBoardLogDir", "");
  const minibatches = section.size("tensorBoardNumMBsToLogResult", shown);
  return folder === "" ? undefined : { folder, minibatches };
}
