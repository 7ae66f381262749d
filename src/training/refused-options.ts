import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";

/** Throws for an option of CNTK's that cntkts cannot honour yet: an error is better than a wrong or a missing result. */
export function notAvailable(section: ConfigSection, key: string, what = key, hint?: string): never {
  throw new CntkError({
    code: "not-available",
    message: `${what} is not available yet`,
    span: section.keySpan(key),
    hint,
  });
}

/** CNTK prints the values of these nodes with every minibatch (ComputationNetwork.cpp, EnableNodeTracing). */
export function refuseNodeTracing(section: ConfigSection): void {
  for (const key of ["traceNodeNamesReal", "traceNodeNamesCategory", "traceNodeNamesSparse"]) {
    if (section.array(key, []).length > 0) notAvailable(section, key);
  }
}

/**
 * Options of an SGD section that change the numbers or the output and that cntkts does not have. What CNTK reads and never
 * uses on a CPU, or uses only for criteria that are refused themselves, passes: executionEngine, unitTest,
 * maxTempMemSizeInSamplesForCNN, numMBsToCUDAProfile, packThresholdSizeInKB, the numbers of sequence training.
 */
export function refuseOptions(section: ConfigSection): void {
  refuseNodeTracing(section);
  for (const key of [
    "gaussianNoiseInjectStd",
    "batchNormalizationTimeConstant",
    "batchNormalizationBlendTimeConstant",
  ]) {
    if (section.numberSchedule(key, [0]).values.some((value) => value !== 0)) notAvailable(section, key);
  }
  if (section.boolean("gradientcheck", false)) notAvailable(section, "gradientcheck", "gradientcheck = true");
  if (section.string("tensorBoardLogDir", "")) notAvailable(section, "tensorBoardLogDir");
  const penalty = section.number("L1RegWeight", 0) > 0 || section.number("L2RegWeight", 0) > 0;
  if (penalty && section.boolean("disableRegInBatchNormalization", false)) {
    notAvailable(
      section,
      "disableRegInBatchNormalization",
      "disableRegInBatchNormalization = true with L1RegWeight or L2RegWeight",
    );
  }
}

/**
 * The AutoAdjust section: automatic learning rates and minibatch sizes are refused; what only those would read passes.
 * @throws CntkError with CNTK's message for values that it refuses.
 */
export function refuseAutoAdjust(section: ConfigSection): void {
  if (!section.has("AutoAdjust")) return;
  const adjust = section.section("AutoAdjust");
  const word = adjust.string("autoAdjustLR", "none").toLowerCase();
  if (!/^(none|false|searchbeforeepoch|beforeepoch|before|adjustafterepoch|afterepoch|after)$/.test(word)) {
    throw new CntkError({
      code: "learning-rate-search",
      message:
        "autoAdjustLR: Invalid learning rate search type. Valid values are (none | searchBeforeEpoch | adjustAfterEpoch)",
      span: section.keySpan("AutoAdjust"),
    });
  }
  const [decrease, increase] = [
    adjust.number("learnRateDecreaseFactor", 0.618),
    adjust.number("learnRateIncreaseFactor", 1.382),
  ];
  if (decrease > 1 || increase < 1) {
    throw new CntkError({
      code: "learning-rate-factor",
      message: "learnRateIncreaseFactor must be >= 1 and learnRateDecreaseFactor must be <= 1.",
      span: adjust.keySpan(decrease > 1 ? "learnRateDecreaseFactor" : "learnRateIncreaseFactor"),
    });
  }
  if (word !== "none" && word !== "false") {
    notAvailable(adjust, "autoAdjustLR", `autoAdjustLR = ${adjust.string("autoAdjustLR")}`);
  }
  if (adjust.boolean("autoAdjustMinibatch", false)) {
    notAvailable(adjust, "autoAdjustMinibatch");
  }
}
