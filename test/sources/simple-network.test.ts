import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigSection, MappedText } from "../../src/config/index.js";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { readModel } from "../../src/model-files/index.js";
import type { Network } from "../../src/network/network.js";
import { SeedCounter } from "../../src/network/seed-counter.js";
import { initialValues } from "../../src/numerics/initial-values.js";
import { simpleNetworkSource } from "../../src/sources/simple-network/index.js";
import { memoryFiles } from "../support/memory-files.js";

/** Networks of SimpleNetworkBuilder against what CNTK 2.0 says of its own: the nodes of its validation log, and a model. */
const fixtures = "test/fixtures/simple-network";

function build(options: string, elementType: "float" | "double" = "double"): Promise<Network> {
  const text = `SimpleNetworkBuilder = [ ${options} ]`;
  const section = ConfigSection.read(MappedText.of({ name: "f.cntk", text }), "f.cntk:train").result;
  return simpleNetworkSource.build(section, {
    files: memoryFiles(new Map()),
    library: [],
    includeDirectories: [],
    elementType,
    deviceId: -1,
    traceLevel: 0,
    seeds: new SeedCounter(),
    models: { load: unwanted },
    compiler: { newDefaultAxis: unwanted, compile: unwanted },
    log: { write: () => undefined },
  });
}

/** These networks need no others. */
function unwanted(): never {
  throw new Error("a simple network asked for another one");
}

/** Lines like `AutoName3 = Times (U0, features)`. */
function described({ nodes }: Network): string[] {
  return nodes.map(({ name, op, inputs }) =>
    inputs.length === 0
      ? `${name} = ${op.name}()`
      : `${name} = ${op.name} (${inputs.map((input) => input.name).join(", ")})`,
  );
}

const recordedLines = (name: string): string[] =>
  readFileSync(`${fixtures}/${name}.txt`, "utf8").split("\n").filter(Boolean);

const plain =
  "layerSizes = 2:10*2:2 ; trainingCriterion = CrossEntropyWithSoftmax ; evalCriterion = ClassificationError\n" +
  "layerTypes = Sigmoid ; initValueScale = 1.0 ; applyMeanVarNorm = true ; uniformInit = true ; needPrior = true";
const classes =
  "recurrentLayer = 1 ; trainingCriterion = classCrossEntropyWithSoftmax ; evalCriterion = classCrossEntropyWithSoftmax\n" +
  "initValueScale = 6.0 ; defaultHiddenActivity = 0.1 ; lookupTableOrder = 1 ; vocabSize = 1000 ; nbrClass = 20";

const networks: Readonly<Record<string, string>> = {
  plain,
  "class-rnn": `rnnType = CLASSLM ; layerSizes = 1000:30:1000 ; ${classes}`,
  "class-lstm": `rnnType = CLASSLSTM ; layerSizes = 1000:30:40:1000 ; ${classes}`,
  lstm:
    "rnnType = LSTM ; layerSizes = 2832:50:300:300:300:127 ; lookupTableOrder = 3 ; recurrentLayer = 2:3:4\n" +
    "initValueScale = 6.0 ; trainingCriterion = crossentropywithsoftmax ; evalCriterion = crossentropywithsoftmax",
};

describe("networks have CNTK's nodes, by name", () => {
  for (const [name, options] of Object.entries(networks)) {
    it(name, async () => {
      expect(described(await build(options)).sort()).toEqual(recordedLines(name).sort());
    });
  }

  it("a second network goes on counting unnamed nodes", async () => {
    const seeds = new SeedCounter();
    expect([seeds.drawNodeName(), seeds.drawNodeName()]).toEqual(["AutoName1", "AutoName2"]);
    const { groups } = await build(networks["class-rnn"] ?? "");
    expect(groups.criterion).toEqual(groups.evaluation);
    expect(groups.criterion).toEqual(groups.output);
  });
});

it("parameters start with the values of CNTK's model", async () => {
  const { nodes } = await build(plain);
  const model = readModel(Uint8Array.from(readFileSync(`${fixtures}/plain.dnn`)), "plain.dnn");
  const parameters = nodes.filter(({ op }) => op.role === "parameter");
  expect(parameters.map(({ name }) => name)).toEqual(["W0", "B0", "W1", "B1", "W2", "B2"]);
  for (const { name, attributes } of parameters) {
    const values = initialValues({
      init: String(attributes["init"]),
      shape: attributes["shape"] as number[],
      initValueScale: Number(attributes["initValueScale"]),
      seed: Number(attributes["seed"]),
      value: Number(attributes["initValue"]),
      elementType: "double",
    });
    const recorded = model.nodes.find((node) => node.name === name)?.values?.values;
    expect([...values], name).toEqual([...(recorded ?? [])]);
  }
});

describe("other kinds", () => {
  it("SIMPLERNN feeds back through its hidden layer", async () => {
    const network = await build(
      "rnnType = SIMPLERNN ; layerSizes = 5:4:3 ; recurrentLayer = 1 ; layerTypes = Tanh\n" +
        "trainingCriterion = crossEntropyWithSoftmax ; evalCriterion = classificationError",
    );
    expect(described(network)).toEqual([
      "features = SparseInputValue()",
      "U0 = LearnableParameter()",
      "W0 = LearnableParameter()",
      "AutoName1 = PastValue (AutoName5)",
      "AutoName2 = Times (W0, AutoName1)",
      "AutoName3 = Times (U0, features)",
      "AutoName4 = Plus (AutoName3, AutoName2)",
      "AutoName5 = Tanh (AutoName4)",
      "W1 = LearnableParameter()",
      "labels = InputValue()",
      "AutoName6 = Times (W1, AutoName5)",
      "criterion = CrossEntropyWithSoftmax (labels, AutoName6)",
      "eval = ClassificationError (labels, AutoName6)",
      "outputs = Times (W1, AutoName5)",
    ]);
  });

  it("direct connections go around layers of NCELSTM", async () => {
    const { nodes } = await build(
      "rnnType = NCELSTM ; layerSizes = 6:3:4:6 ; lookupTableOrder = 1 ; directConnect = 1 ; noise_number = 2\n" +
        "trainingCriterion = noiseContrastiveEstimation ; evalCriterion = noiseContrastiveEstimation",
    );
    const named = new Map(nodes.map((node) => [node.name, node]));
    expect(named.get("S0")?.inputs[0]?.name).toBe("SV0");
    expect(named.get("D0")?.attributes["shape"]).toEqual([4, 3]);
    expect(named.get("labels")?.attributes["shape"]).toEqual([6]);
    expect(named.get("BiasVector")?.attributes["initValue"]).toBeCloseTo(-Math.log(6), 15);
  });
});

describe("what CNTK refuses", () => {
  const criteria = "trainingCriterion = squareError ; evalCriterion = squareError";
  const table: readonly [options: string, message: string | RegExp][] = [
    [`layerSizes = 3 ; ${criteria}`, "A network should have at least two layers (one input and one output)"],
    [
      `layerSizes = 3:2 ; rnnType = LTSM ; ${criteria}`,
      "InitRecurrentConfig: unknown value for rnnType parameter 'LTSM'",
    ],
    [
      `layerSizes = 3:2 ; rnnType = CRF ; ${criteria}`,
      "BuildNetworkFromDescription: invalid m_standardNetworkKind 512",
    ],
    [`layerSizes = 3:2:2 ; layerTypes = Softmax ; ${criteria}`, "Unsupported nonlinear function."],
    [
      "layerSizes = 3:2 ; trainingCriterion = hinge ; evalCriterion = squareError",
      /^trainingCriterion: Invalid/,
    ],
    ["layerSizes = 3:2 ; trainingCriterion = squareError", /required parameter missing: .*:evalCriterion$/],
    [
      `layerSizes = 9:4:9 ; rnnType = CLASSLSTM ; ${criteria}`,
      /^BuildClassLSTMNetworkFromDescription: LSTMNode cannot take sparse input\./,
    ],
    [
      `layerSizes = 9:4:9 ; rnnType = CLASSLM ; vocabSize = 8 ; ${criteria}`,
      "BuildClassEntropyRNNFromDescription : vocabulary size should be the same as the output layer size",
    ],
    [`layerSizes = 9:4:9 ; rnnType = SIMPLERNN ; ${criteria}`, /is not recurrent and has no bias to add/],
  ];
  for (const [options, message] of table) {
    it(options, async () => {
      const found = await Promise.resolve()
        .then(() => build(options))
        .then(
          () => "built",
          (error: unknown) => (error instanceof CntkError ? error.diagnostic.message : String(error)),
        );
      if (typeof message === "string") expect(found).toBe(message);
      else expect(found).toMatch(message);
    });
  }
});

describe("layers without a bias of their own, of normalized features", () => {
  const table: [string, string][] = [
    // As CNTK's validation shows them where their sizes do not fit.
    [
      "layerSizes = 3:4:5:2 ; rnnType = SIMPLERNN ; recurrentLayer = 2",
      "AutoName5 = Plus (AutoName4, AutoName2)",
    ],
    [
      "layerSizes = 3:4:5:2 ; rnnType = SIMPLERNN ; recurrentLayer = 1",
      "AutoName10 = Plus (AutoName9, AutoName2)",
    ],
    [
      "layerSizes = 3:4:5:2 ; rnnType = NPLM ; recurrentLayer = 1",
      "AutoName20 = Plus (AutoName19, AutoName2)",
    ],
  ];
  it.each(table)("%s", async (options, line) => {
    const lines = described(
      await build(
        `${options} ; applyMeanVarNorm = true ; trainingCriterion = CrossEntropyWithSoftmax ; evalCriterion = ClassificationError`,
      ),
    );
    expect(lines).toContain(line);
    expect(lines).toContain("AutoName2 = InvStdDev (features)");
  });
});
