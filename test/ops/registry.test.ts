import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { operationByName, operations } from "../../src/ops/index.js";
import { differentiatedOperations } from "./gradient-cases.js";
import { differentiatedSequenceOperations } from "./sequence-gradient-cases.js";

/** Operations that occur in the recorded CNTK cases, by the lines CNTK printed for them. */
function recordedOperations(): Set<string> {
  const folder = new URL("../fixtures/ops/", import.meta.url);
  const found = new Set<string>();
  for (const file of readdirSync(folder)) {
    const text = readFileSync(new URL(file, folder), "utf8");
    for (const [, name] of text.matchAll(/ = (\w+) \(/g)) if (name !== undefined) found.add(name);
  }
  return found;
}

/** CNTK's table of names (ComputationNetworkBuilder.cpp). */
const cntkOperations = (
  "Abs AveragePooling BatchNormalization ClassBasedCrossEntropyWithSoftmax ClassificationError Clip Convolution " +
  "CosDistance CosDistanceWithNegativeSamples Cosine Crop CrossEntropy CrossEntropyWithSoftmax Diagonal DiagTimes " +
  "Dropout DummyCriterion DynamicAxis EditDistanceError ElementTimes EnvironmentInput EpochAccumulator Equal Exp Floor " +
  "ForwardBackward FutureValue GatherPacked Greater GreaterEqual Hardmax If InputValue InvStdDev KhatriRaoProduct " +
  "LabelsToGraph LambdaRank LearnableParameter LegacyReshape Less LessEqual Log LogPlus LogSoftmax Logistic LookupTable " +
  "MatrixL1Reg MatrixL2Reg MaxPooling MaxUnpooling Mean Minus NCEBasedCrossEntropyWithSoftmax NDCG1Eval Negate NotEqual " +
  "OptimizedRNNStack PackedIndex Pass PastValue PerDimMeanVarDeNormalization PerDimMeanVarNormalization Plus Pooling " +
  "QuantizedTimes ROIPooling RandomSample RandomSampleInclusionFrequency Reciprocal ReconcileDynamicAxis RectifiedLinear " +
  "ReduceElements Reshape RowRepeat RowStack ScatterPacked SequenceWithSoftmax Sigmoid Sin Slice Softmax " +
  "SparseInputValue Sqrt SquareError StableSigmoid SumColumnElements SumElements Tanh Times Trace TransposeDimensions " +
  "TransposeTimes Where"
).split(" ");

const olderNames = {
  ColumnElementTimes: "ElementTimes",
  RowElementTimes: "ElementTimes",
  Scale: "ElementTimes",
  ErrorPrediction: "ClassificationError",
  Delay: "PastValue",
  PerDimMeanVarNormalizationNode: "PerDimMeanVarNormalization",
  PerDimMeanVarDeNormalizationNode: "PerDimMeanVarDeNormalization",
  ReconcileMBLayout: "ReconcileDynamicAxis",
  RNN: "OptimizedRNNStack",
  RowSlice: "Slice",
  Transpose: "TransposeDimensions",
};

const own = operations.filter((op) => !op.internal);
/** Those whose values can be computed; the others have a shape only, and say so when they are asked for more. */
const runnable = own.filter((op) => op.runnable !== false);

describe("the registry", () => {
  it("knows every name once, aliases included, and finds it", () => {
    const names = operations.flatMap((op) => [op.name, ...(op.aliases ?? [])]);
    expect(names).toEqual([...new Set(names)]);
    for (const op of own) {
      for (const name of [op.name, ...(op.aliases ?? [])]) expect(operationByName(name)).toBe(op);
    }
  });

  it("accepts CNTK's older names and minds upper and lower case", () => {
    expect(operationByName("Scale")?.name).toBe("ElementTimes");
    expect(operationByName("ColumnElementTimes")?.name).toBe("ElementTimes");
    expect(operationByName("ErrorPrediction")?.name).toBe("ClassificationError");
    expect(operationByName("Transpose")?.name).toBe("TransposeDimensions");
    expect(operationByName("plus")).toBeUndefined();
    // What cntkts makes for itself cannot be asked for.
    expect(operationByName("map")).toBeUndefined();
  });

  it("holds every operation that CNTK 2.0 can make from BrainScript or a model file", () => {
    expect(own.map((op) => op.name).sort()).toEqual([...cntkOperations].sort());
  });

  it("finds all older names", () => {
    for (const [older, name] of Object.entries(olderNames)) expect(operationByName(older)?.name).toBe(name);
  });

  it.each(operations.map((op) => [op.name, op] as const))("documents %s", (_, op) => {
    expect(op.doc.length).toBeGreaterThan(1);
    expect(op.source).toMatch(op.internal ? /^cntkts/ : /^Source\/\S+/);
    for (const declaration of [...op.inputs, ...Object.values(op.attributes)]) {
      expect(declaration.doc).toMatch(/\S/);
    }
  });

  it.each(own.map((op) => [op.name, op] as const))("%s is complete", (_, op) => {
    if (op.differentiable === "yes") expect(op.gradient ?? op.expand).toBeTypeOf("function");
    if (op.gradientDiffers !== undefined) expect(op.gradientDiffers.length).toBeGreaterThan(10);
    const isPlace = op.name === "DynamicAxis";
    if (op.inputs.length > 0)
      expect(op.statistic !== undefined || (op.lower ?? op.expand) !== undefined).toBe(true);
    else expect(op.role !== undefined || op.lower !== undefined || isPlace).toBe(true);
  });

  it("checks every gradient against central differences or, where it is not the derivative, against CNTK", () => {
    const recorded = recordedOperations();
    const unchecked = runnable.filter(
      (op) =>
        op.differentiable === "yes" &&
        !differentiatedOperations.has(op.name) &&
        !differentiatedSequenceOperations.has(op.name) &&
        !(op.gradientDiffers !== undefined && recorded.has(op.name)),
    );
    expect(unchecked.map((op) => op.name)).toEqual([]);
  });

  it("compares what every operation without a gradient computes with CNTK", () => {
    const recorded = recordedOperations();
    // Statistics are compared where they are made: in the trainings of test/conformance.
    const unchecked = runnable.filter(
      (op) => op.differentiable !== "yes" && op.inputs.length > 0 && !op.statistic && !recorded.has(op.name),
    );
    expect(unchecked.map((op) => op.name)).toEqual([]);
  });
});
