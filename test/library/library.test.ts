import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { evaluateProgram, isFunction, type Thunk } from "../../src/evaluator/index.js";
import { libraryFiles, libraryParts } from "../../src/library/index.js";
import { depthFirstOrder, collectRoots } from "../../src/network/node-order.js";
import { networkProgram } from "../../src/sources/brainscript/index.js";
import { readLibrarySources } from "../../src/node/library.js";
import { plainText } from "../../grammar/index.js";
import { buildError, buildText, nodeNamed, nodeNames, operationOf } from "../support/build-text.js";

describe("the library's files", () => {
  it("are all listed, and all there", () => {
    const folder = new URL("../../src/library/", import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith(".bs"));
    expect([...libraryFiles].sort()).toEqual(files.sort());
    const parts = readdirSync(new URL("namespace/", folder)).map((name) => `namespace/${name}`);
    expect([...libraryParts].sort()).toEqual(parts.sort());
  });
});

/** The library's record, without a network. */
function libraryMember(path: string): Thunk {
  const program = networkProgram({
    text: plainText({ name: "test.bs", text: "( 0 )" }),
    library: readLibrarySources(),
    precision: "float",
    deviceId: -1,
    traceLevel: 0,
  });
  const root = evaluateProgram(program, { classes: new Map(), print: () => {} });
  const [first = "", ...rest] = path.split(".");
  let thunk = root.own(first);
  for (const name of rest) {
    const record = thunk?.force();
    if (typeof record !== "object" || record.kind !== "record") throw new Error(`${path}: no record`);
    thunk = record.own(name);
  }
  if (!thunk) throw new Error(`the library has no ${path}`);
  return thunk;
}

describe("parameters of layers and functions", () => {
  // Names of parameters are part of the names of nodes and of users' scripts.
  it.each([
    ["LinearLayer", "outDim bias init initValueScale inputRank mapRank initBias"],
    ["DenseLayer", "outDim bias activation init initValueScale inputRank mapRank initBias"],
    ["EmbeddingLayer", "outDim init initValueScale embeddingPath transpose"],
    [
      "ConvolutionalLayer",
      "numOutputChannels filterShape bias activation init initValueScale initBias stride pad lowerPad upperPad maxTempMemSizeInSamples",
    ],
    [
      "ConvolutionTransposeLayer",
      "numOutputChannels filterShape numInputChannels bias activation init initValueScale initBias stride pad lowerPad upperPad outputShape maxTempMemSizeInSamples",
    ],
    [
      "DeconvLayer",
      "numOutputChannels filterShape numInputChannels bias activation init initValueScale initBias stride pad lowerPad upperPad outputShape maxTempMemSizeInSamples",
    ],
    ["BilinearUpsamplingLayer", "numChannels kernelSize stride"],
    ["MaxPoolingLayer", "filterShape stride pad lowerPad upperPad ceilOutDim"],
    ["AveragePoolingLayer", "filterShape stride pad lowerPad upperPad ceilOutDim includePad"],
    ["MaxUnpoolingLayer", "filterShape stride pad lowerPad upperPad"],
    ["DelayLayer", "T defaultHiddenActivation"],
    [
      "BatchNormalizationLayer",
      "spatialRank initialScale normalizationTimeConstant blendTimeConstant epsilon useCntkEngine",
    ],
    ["LayerNormalizationLayer", "initScale initBias"],
    ["StabilizerLayer", "steepness"],
    ["Sequential", "arrayOfFunctions"],
    ["Parallel", "arrayOfFunctions combineFunction"],
    ["MergeBinary", "arrayOfFunctions combineFunction"],
    ["LayerStack", "n c"],
    [
      "ParameterTensor",
      "dims learningRateMultiplier init initValueScale value initValue initFilterRank initOutputRank initFromFilePath initFromLiteral initOnCPUOnly randomSeed tag",
    ],
    ["Constant", "val rows cols tag"],
    ["Input", "dims dynamicAxis sparse tag"],
    ["Times", "x y outputRank inferInputRankToMap tag"],
    [
      "Convolution",
      "weightNode inputValueNode kernelDims mapDims stride sharing autoPadding lowerPad upperPad imageLayout maxTempMemSizeInSamples tag",
    ],
    [
      "Pooling",
      "input poolKind kernelDims stride autoPadding lowerPad upperPad ceilOutDim includePad imageLayout tag",
    ],
    ["MaxUnpooling", "unpoolInput poolInput kernelDims stride autoPadding lowerPad upperPad imageLayout tag"],
    [
      "BatchNormalization",
      "input scale bias runMean runVariance runCount spatial normalizationTimeConstant blendTimeConstant epsilon useCntkEngine imageLayout tag",
    ],
    ["Softmax", "z axis tag"],
    ["CrossEntropyWithSoftmax", "labelSequence outProbVectorSequence axis tag"],
    ["ClassificationError", "labelSequence outVectorSequence topN axis tag"],
    ["ReduceMean", "_ axis tag"],
    ["Clip", "minValue maxValue x tag"],
    ["CNTK2.Clip", "_ minValue maxValue tag"],
    ["Slice", "beginIndex endIndex input axis tag"],
    ["CNTK2.Slice", "_ beginIndex endIndex axis tag"],
    ["NewReshape", "input dims beginAxis endAxis tag"],
    ["PastValue", "dims input timeStep initialState defaultHiddenActivation tag"],
    ["BS.Boolean.If", "cond thenVal elseVal tag"],
  ])("%s", (path, parameters) => {
    const value = libraryMember(path).force();
    if (!isFunction(value)) throw new Error(`${path} is no function`);
    expect([...value.positional, ...value.named].join(" ")).toBe(parameters);
  });
});

interface RecordedCase {
  readonly case: string;
  readonly text: string;
  readonly nodes: readonly string[];
}

const recorded = JSON.parse(
  readFileSync(new URL("../fixtures/network-builder/library-nodes.json", import.meta.url), "utf8"),
) as RecordedCase[];

describe("nodes made by the library, in evaluation order (recorded from CNTK 2.0, CPU build)", () => {
  it.each(recorded.map((item) => [item.case, item] as const))("%s", (_name, { text, nodes }) => {
    const { network } = buildText(text);
    const order = depthFirstOrder(collectRoots(network));
    const lines = order.map(
      ({ name, op, inputs }) => `${name} = ${op.name}(${inputs.map((input) => input.name).join(", ")})`,
    );
    expect(lines).toEqual(nodes);
  });
});

describe("layers", () => {
  it("make a parameter set per call, not per application", () => {
    const twice = buildText(
      "{ x = Input {2} ; y = Input {2} ; f = LinearLayer {3} ; a = f (x) ; b = f (y) }",
    );
    expect(nodeNames(twice)).toEqual(["a", "a.PlusArgs[0]", "b", "b.PlusArgs[0]", "f.W", "f.b", "x", "y"]);
  });

  it("leave out what is switched off", () => {
    expect(nodeNames(buildText("{ x = Input {2} ; a = LinearLayer {3, bias = false} (x) }"))).toEqual([
      "a",
      "a.W",
      "x",
    ]);
  });

  it("LinearLayer takes inputRank or mapRank, not both", () => {
    const text = (options: string) =>
      `{ x = Input {(2:3)} ; a = LinearLayer {4, bias = false, ${options}} (x) }`;
    expect(nodeNamed(buildText(text("inputRank = 2")), "a.W").attributes["shape"]).toEqual([4, 0, 0]);
    expect(nodeNamed(buildText(text("inputRank = 2")), "a").attributes["inferInputRankToMap"]).toBe(-1);
    expect(nodeNamed(buildText(text("mapRank = 1")), "a").attributes["inferInputRankToMap"]).toBe(1);
    expect(buildError(text("inputRank = 1, mapRank = 1")).message).toBe(
      "'inputRank' and 'mapRank' cannot be specified at the same time.",
    );
  });

  it("a convolution reads its fans from the filter, a transposed one from the matrix", () => {
    const built = buildText(`{ x = Input {(8:8:2)}
      c = ConvolutionalLayer {4, (3:3), bias = false} (x) ; d = DeconvLayer {2, (3:3), 4, bias = false} (c) }`);
    expect(nodeNamed(built, "c.W").attributes).toMatchObject({
      shape: [3, 3, 0, 4],
      init: "glorotUniform",
      initFilterRank: 2,
      initOutputRank: -1,
      initValueScale: 1,
    });
    expect(nodeNamed(built, "d.W").attributes).toMatchObject({
      shape: [3, 3, 2, 4],
      initFilterRank: 0,
      initOutputRank: 1,
      initValueScale: 0.001,
    });
  });

  it("MergeBinary joins two functions only", () => {
    const built = buildText(
      "{ x = Input {2} ; y = Input {2} ; f = MergeBinary ((Exp : Log), Plus) ; z = f (x, y) }",
    );
    expect(operationOf(built, "z")).toBe("Plus(z._, z.y)");
    expect(buildError("{ x = Input {2} ; z = MergeBinary ((Exp : Log : Exp), Plus) (x, x) }").message).toBe(
      "Merge() is currently limited to binary functions.",
    );
  });

  it("LayerStack counts its layers", () => {
    const built = buildText(
      "{ x = Input {2} ; f = LayerStack {2, i => LinearLayer {(3:4)[i], bias = false}} ; z = f (x) }",
    );
    expect(nodeNames(built)).toEqual(["f.arrayOfFunctions[0].W", "f.arrayOfFunctions[1].W", "x", "z", "z.x"]);
  });
});
