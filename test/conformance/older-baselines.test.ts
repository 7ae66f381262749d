import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkConfig } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/**
 * Baselines of CNTK's own tests that another CNTK, or another text of the configuration, has printed. What differs is named
 * here, and nothing else may: all other lines of validation are theirs. Each baseline shows the commit it was printed by and
 * the text it was made from.
 */
const corpus = fileURLToPath(new URL("../../../shared/cntk/", import.meta.url));
const tests = join(corpus, "Tests/EndToEndTests");
const gettingStarted = join(corpus, "Examples/Image/GettingStarted");
const folder = temporaryFolder();

/** The distinct lines of validation, axes without their numbers. */
function shapeLines(log: string): Set<string> {
  const lines = log.match(/Validating --> .*/g) ?? [];
  return new Set(lines.map((line) => line.replace(/\*\d+/g, "*").replace(/\s+/g, " ").trim()));
}

interface Case {
  readonly test: string;
  readonly config: string;
  readonly baseline?: string;
  readonly words?: readonly string[];
  /** The configuration as it was then. */
  readonly text?: (text: string, baseline: string) => string;
  /** The baseline's lines as CNTK 2.0 prints them. */
  readonly lines?: (lines: readonly string[]) => readonly string[];
}

async function compare({ test, config, baseline = "baseline.txt", words = [], text, lines }: Case) {
  const recorded = readFileSync(join(tests, test, baseline), "utf8");
  let log = "";
  const place = (key: string) => `${key}=${folder}`;
  let configFile = config;
  if (text) {
    configFile = join(folder, basename(config));
    writeFileSync(configFile, text(readFileSync(config, "utf8"), recorded));
  }
  await checkConfig(
    [`configFile=${configFile}`, place("RunDir"), place("DataDir"), place("OutputDir"), "DeviceId=-1"].concat(
      `ConfigDir=${dirname(config)}`,
      words,
    ),
    {
      log: { write: (part) => void (log += part) },
      output: { write: () => undefined },
      backend: "javascript",
    },
  );
  const theirs = [...shapeLines(recorded)];
  expect([...shapeLines(log)].sort()).toEqual([...new Set(lines?.(theirs) ?? theirs)].sort());
}

/** Until November 2016 batch normalization did not count its samples in a sixth parameter. */
function withCounter(name: (node: string, inputs: readonly string[]) => string) {
  return (lines: readonly string[]): readonly string[] =>
    lines.flatMap((line) => {
      const [, node = "", inputs = ""] = /--> (\S+) = BatchNormalization \((.*?)\)/.exec(line) ?? [];
      if (node === "") return [line];
      const counter = name(node, inputs.split(", "));
      return [
        line
          .replace(inputs, `${inputs}, ${counter}`)
          .replace(" ->", ", [1] ->")
          .replace("Validating --,", "Validating --"),
        `Validating --> ${counter} = LearnableParameter() : -> [1]`,
      ];
    });
}

const ofDescription = withCounter((node) => `${node}.run_sample_count`);
const ofLayer = withCounter((_, inputs) => (inputs[1] ?? "").replace(/scale$/, "runCount"));

/** The network that the baseline shows among the configuration's parameters. */
function networkOf(text: string, baseline: string): string {
  const begin = /\n {4}BrainScriptNetworkBuilder = \{\n/;
  const network = (whole: string): string => {
    const from = whole.search(begin);
    return whole.slice(from, whole.indexOf("\n    }\n", from));
  };
  return text.replace(network(text), () => network(baseline));
}

describe.skipIf(!existsSync(corpus))("baselines of an older CNTK", () => {
  const mnist = join(tests, "Examples/Image/Deprecated/MNIST");
  const cifar = join(tests, "Examples/Image/Deprecated/CIFAR-10");

  it.each(["cntk", "cudnn"])("BatchNormalization/NonSpatial, engine %s", (engine) =>
    compare({
      test: `BatchNormalization/NonSpatial/${engine === "cntk" ? "CNTK" : "CuDNN"}`,
      config: join(tests, "BatchNormalization/NonSpatial/01_OneHidden.cntk"),
      words: [`batchNormalizationEngine=${engine}`],
      lines: ofDescription,
    }),
  );
  it.each(["cntk", "cudnn"])("BatchNormalization/Spatial, engine %s", (engine) =>
    compare({
      test: `BatchNormalization/Spatial/${engine === "cntk" ? "CNTK" : "CuDNN"}`,
      config: join(tests, "BatchNormalization/Spatial/02_BatchNormConv.cntk"),
      words: [`batchNormalizationEngine=${engine}`],
      lines: ofDescription,
    }),
  );
  it("CIFAR-10/02_BatchNormConv", () =>
    compare({
      test: "Examples/Image/Deprecated/CIFAR-10/02_BatchNormConv",
      config: join(cifar, "02_BatchNormConv/02_BatchNormConv_ndl_deprecated.cntk"),
      lines: ofDescription,
    }));
  it("CIFAR-10/03_ResNet", () =>
    compare({
      test: "Examples/Image/Deprecated/CIFAR-10/03_ResNet",
      config: join(cifar, "03_ResNet/03_ResNet_ndl_deprecated.cntk"),
      baseline: "baseline.gpu.txt",
      lines: ofDescription,
    }));
  it("MNIST/03_ConvBatchNorm_ndl: CNTK 2.0 says nothing of a network in NDL that it trains, before h1.W gets its shape", () =>
    compare({
      test: "Examples/Image/Deprecated/MNIST/03_ConvBatchNorm_ndl",
      config: join(mnist, "03_ConvBatchNorm_ndl/03_ConvBatchNorm_ndl_deprecated.cntk"),
      words: ['imageLayout="cudnn"'],
      lines: (lines) => ofDescription(lines.filter((line) => !/ h1\.W = .*-> \[128 x 1568\]/.test(line))),
    }));
  it("GettingStarted/04_OneConvBN", () =>
    compare({
      test: "Examples/Image/GettingStarted/04_OneConvBN",
      config: join(gettingStarted, "04_OneConvBN.cntk"),
      words: ["forceDeterministicAlgorithms=true"],
      lines: ofLayer,
    }));
  it("HTKDeserializers/LSTM/FullUtterance: ReduceLogSum was a node, not yet a record with one", () =>
    compare({
      test: "Speech/HTKDeserializers/LSTM/FullUtterance",
      config: join(tests, "Speech/HTKDeserializers/LSTM/FullUtterance/cntk.cntk"),
      baseline: "baseline.cpu.txt",
      words: ["Truncated=false"],
      lines: (lines) => lines.map((line) => line.replace(/(ce\.matrix\.MinusArgs\[0\])(?= =|, )/, "$1.r")),
    }));
});

describe.skipIf(!existsSync(corpus))("baselines of another text", () => {
  it("GettingStarted/01_OneHidden", () =>
    compare({
      test: "Examples/Image/GettingStarted/01_OneHidden",
      config: join(gettingStarted, "01_OneHidden.cntk"),
      text: networkOf,
    }));
  it("GettingStarted/07_Deconvolution: the layer had no bias yet", () =>
    compare({
      test: "Examples/Image/GettingStarted/07_Deconvolution",
      config: join(gettingStarted, "07_Deconvolution_BS.cntk"),
      text: (text, baseline) => networkOf(text, baseline).replace("DeconvLayer {", "$&bias = false, "),
    }));
  it("LSTM_CTC_MLF: printed by the test LSTM_CTC, which had 132 labels", () =>
    compare({
      test: "Speech/LSTM_CTC_MLF",
      config: join(tests, "Speech/LSTM_CTC_MLF/lstm.bs"),
      text: (text) => text.replaceAll(/\b133\b/g, "132"),
    }));
});
