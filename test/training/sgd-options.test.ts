import { describe, expect, it } from "vitest";
import { ConfigSection, MappedText } from "../../src/config/index.js";
import { CntkError } from "../../src/diagnostics/index.js";
import { formatFixed, formatGeneral } from "../../src/numerics/index.js";
import { readSgdOptions, type SgdOptions } from "../../src/training/sgd-options.js";

const needed = "modelPath = m ; maxEpochs = 4 ; learningRatesPerSample = 0.1";

function sectionOf(text: string): ConfigSection {
  return ConfigSection.read(MappedText.of({ name: "f.cntk", text }), "f.cntk:train:SGD").result;
}

/** The update rule in the words of the SGD section. */
function updateWords({ rule: { entry } }: SgdOptions) {
  return {
    gradientUpdate: entry.words.find((word) => word !== ""),
    useNesterov: entry.name === "Nesterov momentum SGD",
  };
}

const read = (text: string): SgdOptions => readSgdOptions(sectionOf(`${needed} ; ${text}`));

function problem(text: string): readonly [message: string, pointedAt: string | undefined] {
  try {
    const options = readSgdOptions(sectionOf(text));
    options.requireSize(options.minibatchSizes.at(0));
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    const { message, span } = error.diagnostic;
    return [message, span?.source.text.slice(span.start, span.end)];
  }
  throw new Error("nothing was thrown");
}

/** `effective momentum` and `momentum as time constant` of the log's epoch header. */
function momentumText(options: SgdOptions, epoch: number): [string, string] {
  const perSample = options.momentumPerSample(epoch);
  const effective = Math.pow(perSample, options.minibatchSizes.at(epoch));
  return [formatFixed(effective, 6), formatFixed(-1 / Math.log(perSample), 5)];
}

describe("learning rates", () => {
  const perSample = (text: string, epoch = 0): string =>
    formatGeneral(
      readSgdOptions(sectionOf(`modelPath = m ; maxEpochs = 4 ; ${text}`)).learningRate(epoch),
      8,
    );

  it("are floats, as the log shows", () => {
    expect(perSample("learningRatesPerSample = 0.00015")).toBe("0.00015000001");
  });
  it("per minibatch are divided by its size in float", () => {
    expect(perSample("learningRatesPerMB = 0.2 ; minibatchSize = 25")).toBe("0.0080000004");
    expect(perSample("learningRatesPerMB = 0.5 ; minibatchSize = 25")).toBe("0.02");
  });
  it("follow their schedule and that of the minibatch size; the last value holds", () => {
    // As two recorded runs print them.
    const rates = (text: string) => [0, 1, 2, 3, 7].map((epoch) => perSample(text, epoch));
    expect(rates("learningRatesPerMB = 0.8*2:0.2 ; minibatchSize = 25")).toEqual([
      "0.032000002",
      "0.032000002",
      "0.0080000004",
      "0.0080000004",
      "0.0080000004",
    ]);
    expect(rates("learningRatesPerMB = 0.5 ; minibatchSize = 25:60*2:128")).toEqual([
      "0.02",
      "0.0083333338",
      "0.0083333338",
      "0.00390625",
      "0.00390625",
    ]);
  });
});

describe("momentum", () => {
  it("given as a time constant becomes a float per sample", () => {
    // CNTK prints 600.0; behind it stands the float nearest to exp(-1/600).
    const options = read("momentumAsTimeConstant = 600 ; minibatchSize = 64");
    expect(momentumText(options, 0)).toEqual(["0.898824", "599.99437"]);
    expect(read("momentumAsTimeConstant = 0").momentumPerSample(0)).toBe(0);
  });
  it("given per minibatch is the root, in double", () => {
    const options = read("momentumPerMB = 0.9 ; minibatchSize = 25");
    expect(options.momentumPerSample(0)).toBe(Math.pow(Math.fround(0.9), 1 / 25));
    expect(momentumText(options, 0)[0]).toBe("0.900000");
  });
  it("given per sample is taken as it is", () => {
    expect(read("momentumPerSample = 0.99").momentumPerSample(0)).toBe(Math.fround(0.99));
  });
  it("is 0.9 per minibatch by default", () => {
    expect(momentumText(read("minibatchSize = 128"), 0)[0]).toBe("0.900000");
  });
});

describe("truncated", () => {
  it("takes minibatchSize for the length of pieces: rates and momenta per minibatch see as many as lie side by side", () => {
    const options = readSgdOptions(
      sectionOf(
        "modelPath = m ; maxEpochs = 4 ; truncated = true ; minibatchSize = 20 ; learningRatesPerMB = 0.5 ; momentumPerMB = 0.9",
      ),
    );
    expect(options.learningRate(0, 4)).toBe(Math.fround(0.5 / 80));
    expect(options.momentumPerSample(0, 4)).toBe(Math.pow(Math.fround(0.9), 1 / 80));
    expect(options.learningRate(0)).toBe(Math.fround(0.5 / 20));
    expect(() => options.learningRate(0, 0)).toThrow("not supported per minibatch");
    expect(() => options.momentumPerSample(0, 0)).toThrow("not supported per minibatch");
    const perSample = read("truncated = true ; minibatchSize = 20 ; momentumAsTimeConstant = 600");
    expect(perSample.momentumPerSample(0, 0)).toBe(perSample.momentumPerSample(0, 4));
    expect(perSample.learningRate(0, 4)).toBe(Math.fround(0.1));
    expect(perSample.momentumPerSample(0, 4)).toBe(perSample.momentumPerSample(0));
  });
});

describe("defaults", () => {
  it("are CNTK's", () => {
    const options = read("");
    expect(options.minibatchSizes.values).toEqual([256]);
    const [rmsProp, fsAdaGrad] = ["rmsProp", "fsAdagrad"].map(
      (word) => read(`gradUpdateType = ${word}`).rule.options,
    );
    const { normWithAveMultiplier } = rmsProp ?? {};
    expect({ ...options, ...updateWords(options), normWithAveMultiplier, rmsProp, fsAdaGrad }).toMatchObject({
      modelPath: "m",
      maxEpochs: 4,
      epochSize: 0,
      gradientUpdate: "none",
      useNesterov: false,
      l1Weight: 0,
      l2Weight: 0,
      clippingThresholdPerSample: Infinity,
      clippingWithTruncation: true,
      normWithAveMultiplier: true,
      rmsProp: { gamma: 0.99, increase: 1.2, decrease: 0.75, maximum: 10, minimum: 0.1 },
      fsAdaGrad: { targetAverageDenominator: 1, varianceTimeConstant: 720000 },
      firstMinibatchesToShow: 0,
      minibatchesToShow: 10,
      keepCheckpointFiles: false,
      minLearningRatePerSample: Math.fround(1e-9),
      trainCriterionNodeName: "",
      evaluationCriterionNodeName: "",
    });
    expect(options.dropoutRates.values).toEqual([0]);
  });
  it("update rules are words in any case; the old useAdagrad wins", () => {
    expect(
      ["None", "adaGrad", "RmsProp", "FSADAGRAD"].map(
        (w) => updateWords(read(`gradUpdateType = ${w}`)).gradientUpdate,
      ),
    ).toEqual(["none", "adagrad", "rmsprop", "fsadagrad"]);
    const both = read("gradUpdateType = rmsProp ; useAdagrad = true");
    expect(updateWords(both).gradientUpdate).toBe("adagrad");
  });
});

describe("values that CNTK refuses, in its words, pointed at", () => {
  const table: readonly (readonly [text: string, message: string, pointedAt: string | undefined])[] = [
    [`${needed} ; minibatchSize = 0`, "Minibatch size cannot be zero.", "minibatchSize"],
    [
      `${needed} ; epochSize = 10 ; minibatchSize = 5:20`,
      "epoch size must be larger than mbsize.",
      "epochSize",
    ],
    [`${needed} ; dropoutRate = 0.5:1`, "dropoutRate must be >= 0 and < 1.", "dropoutRate"],
    [`${needed} ; momentumPerMB = 0.5:1`, "Momentum parameter must be in [0, 1).", "momentumPerMB"],
    [
      `${needed} ; momentumAsTimeConstant = -5`,
      "Momentum parameter must be in [0, 1).",
      "momentumAsTimeConstant",
    ],
    [
      `${needed} ; momentumPerMB = 0.9 ; momentumPerSample = 0.9`,
      "You specified more than one of momentumPerSample, momentumPerMB, and momentumAsTimeConstant. Please only specify one.",
      "momentumPerSample",
    ],
    [
      `${needed} ; learningRatesPerMB = 0.1`,
      "You specified both learningRatesPerSample and learningRatesPerMB. Please comment out one of them.",
      "learningRatesPerMB",
    ],
    [
      "modelPath = m ; maxEpochs = 4",
      "If autoLearnRateSearchType is false you must specify the learningRatesPerSample or learningRatesPerMB parameter.",
      undefined,
    ],
    [
      `${needed} ; gradUpdateType = adam`,
      "ParseGradUpdateType: Invalid Gradient Updating Type. Valid values are (none | adagrad | rmsProp | fsAdagrad )",
      "gradUpdateType",
    ],
    [
      `${needed} ; AutoAdjust = [ autoAdjustLR = sometimes ]`,
      "autoAdjustLR: Invalid learning rate search type. Valid values are (none | searchBeforeEpoch | adjustAfterEpoch)",
      "AutoAdjust",
    ],
    [
      "modelPath = m ; learningRatesPerSample = 0.1",
      "configparameters: required parameter missing: f.cntk:train:SGD:maxEpochs",
      undefined,
    ],
    [`${needed} ; momentumPerMB = fast`, "ConfigValue (double): invalid input string 'fast'", "fast"],
  ];
  for (const [text, message, pointedAt] of table) {
    it(message, () => {
      const [said, place] = problem(text);
      expect(said).toBe(message);
      if (pointedAt === undefined) expect(place ?? "").not.toBe("modelPath");
      else expect(place).toMatch(new RegExp(`^${pointedAt}`));
    });
  }
});

describe("pieces of minibatches", () => {
  const pieces = (text: string, size: number, parallel = 1): number =>
    read(text).pieces.needed(size, parallel);
  it("are as many as asked for", () =>
    expect(pieces("numSubminibatches = 3 ; maxSamplesInRAM = 5", 25)).toBe(3));
  it("or as many as the samples ask for that fit in memory", () => {
    expect(pieces("maxSamplesInRAM = 10", 25)).toBe(3);
    // CNTK multiplies by the sequences side by side in the last minibatch.
    expect(pieces("maxSamplesInRAM = 10", 25, 4)).toBe(10);
  });
  it("are none otherwise", () => expect(pieces("", 25)).toBe(1));
  it("are in the log", () => {
    expect(read("maxSamplesInRAM = 10").pieces.modifiers(3)).toBe(", with maximum 10 samples in RAM");
    expect(read("numSubminibatches = 3").pieces.modifiers(3)).toBe(", with 3 subminibatch");
  });
});

describe("gradientcheck", () => {
  it("needs double precision", () => {
    const section = sectionOf(`${needed} ; gradientcheck = true`);
    expect(() => readSgdOptions(section, "float")).toThrow(
      "Gradient check needs to use precision = 'double'.",
    );
    expect(readSgdOptions(section).gradientCheckDigits).toBe(6);
  });
});
