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
const libraryRecord = (() => {
  const program = networkProgram({
    text: plainText({ name: "test.bs", text: "( 0 )" }),
    library: readLibrarySources(),
    precision: "float",
    deviceId: -1,
    traceLevel: 0,
  });
  return evaluateProgram(program, { classes: new Map(), print: () => {} });
})();

function libraryMember(path: string): Thunk {
  const [first = "", ...rest] = path.split(".");
  let thunk = libraryRecord.own(first);
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
      "RecurrentLSTMLayer",
      "outputDim cellShape goBackwards usePeepholes trainInitialState init initValueScale enableSelfStabilization allowOptimizedEngine",
    ],
    [
      "RecurrentLSTMLayerStack",
      "layerDims cellShapes usePeepholes init initValueScale enableSelfStabilization allowOptimizedEngine",
    ],
    ["BS.RNNs.LSTMBlock", "outputDim cellShape usePeepholes init initValueScale enableSelfStabilization"],
    ["BS.RNNs.LSTMP", "outputDim x prevState cellDim aux auxDim enableSelfStabilization inputDim"],
    ["BS.RNNs.GRU", "outputDim x prevState cellDim inputDim aux auxDim enableSelfStabilization"],
    ["BS.RNNs.PreviousHC", "lstmState initialState layerIndex"],
    ["BS.RNNs.NextHC", "lstmState initialState layerIndex"],
    ["BS.RNNs.PreviousHCWithTrainedInitialState", "shape"],
    ["BS.RNNs.NextHCWithTrainedInitialState", "shape"],
    ["BS.RNNs.NoAuxInputHook", "input lstmState"],
    [
      "BS.RNNs.RecurrentLSTMP",
      "outputDim x cellDim inputDim previousHook augmentInputHook augmentInputDim layerIndex enableSelfStabilization",
    ],
    [
      "BS.RNNs.RecurrentLSTMPStack",
      "layerDims input cellDims inputDim previousHook augmentInputHook augmentInputDim enableSelfStabilization",
    ],
    [
      "BS.RNNs.RecurrentBidirectionalLSTMPStack",
      "layerDims input cellDims inputDim previousHook nextHook enableSelfStabilization",
    ],
    [
      "BS.RNNs.RecurrentGRU",
      "outputDim x cellDim inputDim previousHook augmentInputHook augmentInputDim layerIndex enableSelfStabilization",
    ],
    [
      "BS.RNNs.RecurrentGRUStack",
      "layerDims input cellDims inputDim previousHook augmentInputHook augmentInputDim enableSelfStabilization",
    ],
    [
      "BS.RNNs.RecurrentBidirectionalGRUStack",
      "layerDims input cellDims inputDim previousHook nextHook enableSelfStabilization",
    ],
    ["BS.Sequences.PastValueWindow", "N in axis"],
    ["BS.Sequences.BroadcastSequenceAs", "type data1"],
    ["BS.Loop.Previous", "x initialState"],
    ["BS.Loop.PreviousOrDefault", "x defaultValue"],
    ["BS.Loop.IsFirstN", "N x"],
    ["BS.Parameters.StabilizeElements", "x inputDim enabled"],
    ["BS.Parameters.Stabilize", "x enabled"],
    [
      "BS.Seq2Seq.CreateAugmentWithFixedWindowAttentionHook",
      "attentionDim attentionSpan decoderDynamicAxis encoderOutput enableSelfStabilization",
    ],
    ["BS.Seq2Seq.GetTopNTensor", "D scores"],
    ["BS.Seq2Seq.GreedySequenceDecoderFrom", "modelAsTrained"],
    ["BS.Seq2Seq.BeamSearchSequenceDecoderFrom", "modelAsTrained beamDepth"],
    ["BS.Network.Load", "pathName"],
    ["BS.Network.CloneFunction", "inputNodes outputNodes parameters"],
    ["BS.Network.Edit", "inputModel editFunctions additionalRoots"],
    ["Embedding", "embeddingDim input inputDim initFrom embeddingPath sparseInput learningRateWeight"],
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

describe("every public name of CNTK 2.0's library", () => {
  // NAME, or NAME (positional parameters | named ones); read off CNTK.core.bs.
  const names = readFileSync("test/fixtures/library-names.txt", "utf8").trim().split("\n");

  it("is there, with the same parameters in the same order", () => {
    const ours = names.map((line) => {
      const [path = "", parameters] = line.split(" (");
      const member = libraryMember(path);
      if (parameters === undefined) return path;
      const value = member.force();
      if (!isFunction(value)) return path;
      const named = value.named.length > 0 ? ` | ${value.named.join(", ")}` : "";
      return `${path} (${value.positional.join(", ")}${named})`;
    });
    expect(ours).toEqual(names);
    expect(names.length).toBeGreaterThan(250);
  });

  it("has a comment, or stands in a paragraph that has one", () => {
    const bare = readLibrarySources().flatMap(({ name, text }) =>
      uncommented(text).map((line) => `${name}: ${line}`),
    );
    expect(bare).toEqual([]);
  });
});

/** Definitions of a file, members of a namespace included, in a paragraph without a comment. */
function uncommented(text: string): string[] {
  const outermost = /^(BS|CNTK2|[A-Z]\w*) = \[$/;
  const isNamespace = text.split("\n").some((line) => outermost.test(line));
  const definition = isNamespace ? /^ {0,4}([A-Za-z]\w*)\b(?! = \[$)[^=]*=/ : /^([A-Za-z]\w*)\b[^=]*=/;
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const lines = paragraph.split("\n");
    const comment = lines.findIndex((line) => line.includes("#"));
    const first = lines.findIndex((line) => definition.test(line));
    return first >= 0 && (comment < 0 || comment > first) ? [lines[first] ?? ""] : [];
  });
}

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

describe("recurrent functions", () => {
  const sequence = "x = Input {2} ;";

  // What CNTK's library wrote wrongly fails here with the same words.
  it.each([
    ["BS.Loop.Iteration (x)", "unknown identifier 'OnesLike'"],
    ["BS.Loop.Count (x)", "function expects 1 positional parameters, 2 were provided"],
    ["BS.Sequences.FoldL (Plus, x, x)", "function expects 3 positional parameters, 4 were provided"],
    ["BS.Sequences.PastValueWindow (2, x, axis = 1).value", "PastValueWindow: axis>2 required."],
    [
      "BS.RNNs.RecurrentBidirectionalLSTMPStack ((3:4), x, inputDim = 2)[1].h",
      "unknown identifier 'layerDims'",
    ],
    ["TimeReverse (x)", "Attempted to instantiate undefined operation TimeReverse."],
  ])("%s fails: %s", (expression, message) => {
    expect(buildError(`{ ${sequence} z = ${expression} }`).message).toBe(message);
  });

  it("an LSTM has its parameters once, however often it is applied", () => {
    const built = buildText(
      "{ x = Input {2} ; y = Input {2} ; f = RecurrentLSTMLayer {3} ; a = f (x) ; b = f (y) }",
    );
    const parameters = built.network.nodes.filter((node) => node.op.role === "parameter");
    expect(parameters.map((node) => node.name).sort()).toEqual(["f.lstm.B", "f.lstm.H", "f.lstm.W"]);
  });

  it("goes the other way with goBackwards or the hook NextHC", () => {
    const layer = buildText(`{ ${sequence} a = RecurrentLSTMLayer {3, goBackwards = true} (x) }`);
    const old = buildText(
      `{ ${sequence} a = BS.RNNs.RecurrentLSTMP (3, x, previousHook = BS.RNNs.NextHC).h }`,
    );
    for (const built of [layer, old]) {
      expect(nodeNames(built).filter((name) => operationOf(built, name).startsWith("PastValue"))).toEqual([]);
      expect(operationOf(built, "a.prevState.h")).toMatch(/^FutureValue/);
    }
  });

  it("optimized, all layers are one node as long as their dimensions agree", () => {
    const stack = (dims: string) =>
      buildText(`{ ${sequence} a = RecurrentLSTMLayerStack {${dims}, allowOptimizedEngine = true} (x) }`);
    expect(operationOf(stack("(4:4:4)"), "a")).toBe("OptimizedRNNStack(a.W, x)");
    expect(nodeNamed(stack("(4:4:4)"), "a").attributes).toMatchObject({ numLayers: 3 });
    expect(nodeNames(stack("(4:5)")).filter((name) => name.endsWith(".W"))).toEqual([
      "a.arrayOfFunctions[0].W",
      "a.arrayOfFunctions[1].W",
    ]);
  });

  it("a legacy embedding is a transposed table", () => {
    const built = buildText(`{ ${sequence} a = Embedding (3, x, inputDim = 2, sparseInput = true) }`);
    expect(operationOf(built, "a")).toBe("Times(a.embedding, x)");
    expect(operationOf(built, "a.embedding")).toBe("TransposeDimensions(a.embedding.x)");
  });
});
