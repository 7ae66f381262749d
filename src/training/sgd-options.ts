import type { ConfigSection } from "../config/config-section.js";
import { Schedule } from "../config/schedule.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { UpdateOptions } from "../updates/index.js";

/** CNTK's "one sweep of the data": SIZE_MAX >> 2 samples. */
export const wholeSweep = 2 ** 62;

/** The SGD block of a training command, read once; schedules are per epoch (SGDLib/SGD.cpp, SGDParams). */
export interface SgdOptions extends UpdateOptions {
  readonly modelPath: string;
  readonly minibatchSizes: Schedule;
  /** Samples per epoch; 0 = one sweep. */
  readonly epochSize: number;
  readonly maxEpochs: number;
  /** Per sample and epoch, already divided by the minibatch size where given per minibatch (float division). */
  learningRate(epoch: number): number;
  /** Momentum per sample, double. */
  momentumPerSample(epoch: number): number;
  readonly minLearningRatePerSample: number;
  readonly dropoutRates: Schedule;
  readonly firstMinibatchesToShow: number;
  readonly minibatchesToShow: number;
  /** What the log adds to `Starting minibatch loop`. */
  readonly loopModifiers: string;
  readonly keepCheckpointFiles: boolean;
  readonly traceLevel: number;
  readonly trainCriterionNodeName: string;
  readonly evaluationCriterionNodeName: string;
}

const updateWords: Readonly<Record<string, UpdateOptions["gradientUpdate"]>> = {
  "": "none",
  none: "none",
  normal: "none",
  simple: "none",
  adagrad: "adagrad",
  rmsprop: "rmsprop",
  fsadagrad: "fsadagrad",
};

/**
 * Reads the SGD section of a training command.
 * @throws CntkError with CNTK's message for values it refuses, and for options that cntkts does not have yet.
 */
export function readSgdOptions(section: ConfigSection): SgdOptions {
  const fail = (code: string, message: string, key?: string, hint?: string): never => {
    throw new CntkError({ code, message, span: key ? section.keySpan(key) : undefined, hint });
  };
  const minibatchSizes = section.integerSchedule("minibatchSize", [256]);
  if (minibatchSizes.values.some((size) => size <= 0)) {
    fail("minibatch-size", "Minibatch size cannot be zero.", "minibatchSize");
  }
  // CNTK's word for the whole data is the largest size_t, which -1 is too.
  const given = section.size("epochSize", 0);
  const epochSize = given >= 2 ** 63 ? 0 : given;
  if (epochSize > 0 && minibatchSizes.values.some((size) => size > epochSize)) {
    fail("epoch-size", "epoch size must be larger than mbsize.", "epochSize");
  }
  const update = updateWords[section.string("gradUpdateType", "none").toLowerCase()];
  if (update === undefined) {
    fail("gradient-update", `ParseGradUpdateType: Invalid Gradient Updating Type. Valid values are (none | adagrad | rmsProp | fsAdagrad )`, "gradUpdateType"); // prettier-ignore
  }
  refuseUnknownTerritory(section, fail);
  const dropoutRates = section.numberSchedule("dropoutRate", [0]);
  if (dropoutRates.values.some((rate) => !(rate >= 0 && rate < 1))) {
    fail("dropout-rate", "dropoutRate must be >= 0 and < 1.", "dropoutRate");
  }
  const maxEpochs = section.size("maxEpochs");
  if (maxEpochs >= 2 ** 31) {
    fail("max-epochs", "maxEpochs is out of range.", "maxEpochs", "it is a number of epochs, from 0");
  }
  return {
    modelPath: section.string("modelPath"),
    minibatchSizes,
    epochSize,
    maxEpochs,
    learningRate: learningRates(section, minibatchSizes, fail),
    momentumPerSample: momenta(section, minibatchSizes, fail),
    minLearningRatePerSample: Math.fround(section.number("minLearningRatePerSample", 1e-9)),
    dropoutRates,
    gradientUpdate: section.boolean("useAdagrad", false) ? "adagrad" : (update ?? "none"),
    useNesterov: section.boolean("useNAG", false),
    l1Weight: section.number("L1RegWeight", 0),
    l2Weight: section.number("L2RegWeight", 0),
    clippingThresholdPerSample: section.number("clippingThresholdPerSample", Infinity),
    clippingWithTruncation: section.boolean("gradientClippingWithTruncation", true),
    normWithAveMultiplier: section.boolean("normWithAveMultiplier", true),
    rmsProp: {
      gamma: section.number("rms_gamma", 0.99),
      increase: section.number("rms_wgt_inc", 1.2),
      decrease: section.number("rms_wgt_dec", 0.75),
      maximum: section.number("rms_wgt_max", 10),
      minimum: section.number("rms_wgt_min", 0.1),
    },
    fsAdaGrad: {
      targetAverageDenominator: section.number("fsAdagradTargetAvDenom", 1),
      varianceTimeConstant: section.size("varianceTimeConstant", 2 * 3600 * 100),
    },
    firstMinibatchesToShow: section.size("firstMBsToShowResult", 0),
    minibatchesToShow: section.size("numMBsToShowResult", 10),
    loopModifiers: loopModifiers(section),
    keepCheckpointFiles: section.boolean("keepCheckPointFiles", false),
    traceLevel: section.integer("traceLevel", 0),
    trainCriterionNodeName: section.string("trainCriterionNodeName", ""),
    evaluationCriterionNodeName: section.string("evalCriterionNodeName", ""),
  };
}

/**
 * Sub-minibatching saves memory: gradients of the pieces are summed, one update. cntkts computes a minibatch in one piece,
 * with the same sums, and says what CNTK says.
 */
function loopModifiers(section: ConfigSection): string {
  const pieces = section.size("numSubminibatches", 1);
  if (pieces > 1) return `, with ${pieces} subminibatch`;
  const samples = section.size("maxSamplesInRAM", 0);
  return samples > 0 ? `, with maximum ${samples} samples in RAM` : "";
}

type Fail = (code: string, message: string, key?: string, hint?: string) => never;

/** Options that change the numbers and that cntkts cannot honour yet: an error is better than a wrong result. */
function refuseUnknownTerritory(section: ConfigSection, fail: Fail): void {
  const autoAdjust = section.hasOwn("AutoAdjust") ? section.section("AutoAdjust") : undefined;
  const adjust = autoAdjust?.string("autoAdjustLR", "none").toLowerCase() ?? "none";
  if (!/^(none|false|(searchBefore|adjustAfter|before|after)Epoch|before|after)$/i.test(adjust)) {
    fail("learning-rate-search", "autoAdjustLR: Invalid learning rate search type. Valid values are (none | searchBeforeEpoch | adjustAfterEpoch)", "AutoAdjust"); // prettier-ignore
  }
  if (adjust !== "none" && adjust !== "false") {
    fail("not-available", `autoAdjustLR = ${adjust} is not available yet`, "AutoAdjust");
  }
  if (autoAdjust?.boolean("autoAdjustMinibatch", false)) {
    fail("not-available", "autoAdjustMinibatch is not available yet", "AutoAdjust");
  }
  for (const key of [
    "gaussianNoiseInjectStd",
    "batchNormalizationTimeConstant",
    "batchNormalizationBlendTimeConstant",
  ]) {
    if (section.numberSchedule(key, [0]).values.some((value) => value !== 0)) {
      fail("not-available", `${key} is not available yet`, key);
    }
  }
  for (const key of ["truncated", "gradientcheck"]) {
    if (section.boolean(key, false)) fail("not-available", `${key} = true is not available yet`, key);
  }
}

function learningRates(
  section: ConfigSection,
  minibatchSizes: Schedule,
  fail: Fail,
): (epoch: number) => number {
  const perMinibatch = section.floatSchedule("learningRatesPerMB", []);
  const perSample = section.floatSchedule("learningRatesPerSample", []);
  if (!perMinibatch.isEmpty && !perSample.isEmpty) {
    fail("learning-rates", "You specified both learningRatesPerSample and learningRatesPerMB. Please comment out one of them.", "learningRatesPerMB"); // prettier-ignore
  }
  if (!perSample.isEmpty) return (epoch) => perSample.at(epoch);
  if (!perMinibatch.isEmpty) {
    return (epoch) => Math.fround(perMinibatch.at(epoch) / Math.fround(minibatchSizes.at(epoch)));
  }
  return fail(
    "learning-rates",
    "If autoLearnRateSearchType is false you must specify the learningRatesPerSample or learningRatesPerMB parameter.",
    undefined,
    "for example learningRatesPerSample = 0.001",
  );
}

function momenta(section: ConfigSection, minibatchSizes: Schedule, fail: Fail): (epoch: number) => number {
  const given = ["momentumPerMB", "momentumPerSample", "momentumAsTimeConstant"].filter(
    (key) => !section.floatSchedule(key, []).isEmpty,
  );
  if (given.length > 1) {
    fail("momentum", "You specified more than one of momentumPerSample, momentumPerMB, and momentumAsTimeConstant. Please only specify one.", given[1]); // prettier-ignore
  }
  const key = given[0];
  const values = key ? section.floatSchedule(key) : new Schedule([Math.fround(0.9)]);
  let perSample: (epoch: number) => number;
  if (key === "momentumPerSample") {
    perSample = (epoch) => values.at(epoch);
  } else if (key === "momentumAsTimeConstant") {
    perSample = (epoch) => {
      const constant = values.at(epoch);
      return constant === 0 ? 0 : Math.fround(Math.exp(-1 / constant));
    };
  } else {
    perSample = (epoch) => Math.pow(values.at(epoch), 1 / minibatchSizes.at(epoch));
  }
  for (let epoch = 0; epoch < Math.max(values.length, minibatchSizes.length); epoch++) {
    const momentum = perSample(epoch);
    if (!(momentum >= 0 && momentum < 1)) {
      fail("momentum", "Momentum parameter must be in [0, 1).", key);
    }
  }
  return perSample;
}
