import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { placeOf } from "../../src/diagnostics/index.js";
import { checkConfig, printSummary, type RunResult } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();
let count = 0;

function check(configuration: string): Promise<RunResult> {
  const directory = join(folder, String(count++));
  mkdirSync(directory);
  writeFileSync(join(directory, "net.cntk"), configuration);
  const silent = { write: () => undefined };
  return checkConfig(["configFile=net.cntk"], { directory, log: silent, output: silent });
}

/** Place, message and hint of each warning. */
async function warned(configuration: string): Promise<string[]> {
  const { warnings } = await check(configuration);
  return warnings.map(({ span, message, hint }) => {
    const place = span && placeOf(span.source, span.start);
    return `${place?.line}:${place?.column} ${message}${hint === undefined ? "" : ` (${hint})`}`;
  });
}

const network = `
  features = Input {2} ; labels = Input {2}
  z = LinearLayer {2} (features)
  ce = CrossEntropyWithSoftmax (labels, z)
  featureNodes = (features) ; labelNodes = (labels) ; criterionNodes = (ce) ; outputNodes = (z)`;
const sgd = "maxEpochs = 1 ; learningRatesPerSample = 0.1";
const reader =
  "readerType = CNTKTextFormatReader ; file = $data$ ; randomize = true\n" +
  "input = [ features = [ dim = 2 ; format = dense ] ; labels = [ dim = 2 ; format = dense ; alias = y ] ]";

interface Parts {
  readonly root?: string;
  readonly command?: string;
  readonly network?: string;
  readonly sgd?: string;
  readonly reader?: string;
}

function configuration(parts: Parts): string {
  return [
    `command = train ; data = data.txt ; modelPath = m.dnn ; ${parts.root ?? "precision = float"}`,
    "train = [",
    `action = train ; ${parts.command ?? "traceLevel = 0"}`,
    `BrainScriptNetworkBuilder = {${parts.network ?? network}\n}`,
    `SGD = [ ${parts.sgd ?? sgd} ]`,
    `reader = [ ${parts.reader ?? reader} ]`,
    "]",
    "",
  ].join("\n");
}

describe("check warns of keys that nobody reads", () => {
  it("and of none where all are known or pasted in somewhere", async () => {
    expect(
      await warned(configuration({ command: "minibatchSize = $mine$", root: "mine = 3 ; myOwn = 4" })),
    ).toEqual([]);
    expect(await warned(configuration({ root: 'parallelTrain = "false" ; OutputDir = out' }))).toEqual([]);
  });
  it("in SGD, with the key that was meant", async () => {
    const text = configuration({
      sgd: `${sgd} ; learningRatePerSample = 0.2 ; AutoAdjust = [ autoAdjustLr = none ; fast = 1 ]`,
    });
    expect(await warned(text)).toEqual([
      "10:56 'learningRatePerSample' is no key of SGD: it has no effect (did you mean 'learningRatesPerSample'?)",
      "10:123 'fast' is no key of AutoAdjust: it has no effect",
    ]);
  });
  it("in readers and their streams", async () => {
    const text = configuration({ reader: `${reader.replace("alias", "allias")}\nrandomise = none` });
    expect(await warned(text)).toEqual([
      "13:1 'randomise' is no key of reader: it has no effect (did you mean 'randomize'?)",
      "12:91 'allias' is no key of labels of the reader: it has no effect (did you mean 'alias'?)",
    ]);
  });
  it("beside the commands where they look like known ones", async () => {
    expect(await warned(configuration({ root: "timestampping = true" }))).toEqual([
      "1:57 'timestampping' is no key of the configuration: it has no effect (did you mean 'timestamping'?)",
    ]);
  });
  it("and of lists of nodes under a name that is nearly right", async () => {
    const text = configuration({ network: network.replace("outputNodes", "outputNode") });
    expect(await warned(text)).toEqual([
      "8:93 'outputNode' lists nodes, but is none of the names that put them into a group: it has no effect (did you mean 'outputNodes'?)",
    ]);
  });
});

describe("the summary of a network", () => {
  it("has layers, shapes and parameters; what is shared counts once", async () => {
    const deep = network.replace(
      "z = LinearLayer {2} (features)",
      "h = DenseLayer {50, activation = Sigmoid} (features)\nW = ParameterTensor {(50:50)}\n" +
        "a = Tanh (W * h) ; b = Tanh (W * a) ; s = Constant (2)\nz = LinearLayer {2} (s .* b)",
    );
    const { networks } = await check(configuration({ network: deep }));
    const [first] = networks;
    expect(first?.command).toBe("train");
    expect(first?.summary.trainable).toBe(2 * 50 + 50 + 50 * 50 + 50 * 2 + 2);
    expect(first?.summary.frozen).toBe(1);
    const layers = first?.summary.layers.map(({ name, shape, parameters }) => [name, shape, parameters]);
    expect(layers).toEqual([
      ["labels", "[2 x *]", 0],
      ["features", "[2 x *]", 0],
      ["h", "[50 x *]", 150],
      ["a", "[50 x *]", 2500],
      ["b", "[50 x *]", 0],
      ["z.x", "[50 x 1 x *]", 1],
      ["z", "[2 x *]", 102],
      ["ce", "[1]", 0],
    ]);
    expect(first && printSummary(first.summary).split("\n").at(-2)).toBe(
      "2,753 parameters, 2,752 of them trained",
    );
  });
});
