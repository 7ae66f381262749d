import type { NetworkNode } from "../network/network.js";
import type { CompanionContext, OpDefinition, ShapeContext, Statistic } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import {
  add,
  argument,
  binary,
  constant,
  divide,
  multiply,
  subtract,
  unary,
} from "../primitives/expression.js";
import { isElementwiseCompatible, problem } from "./declared.js";
import { at, defineOp, describeShort, formatDims, memoryAll, shapeProblem } from "./define-op.js";
import { emitMap } from "./lowering.js";
import { runningAverage } from "./running-average.js";
import { inferDynamicAxis } from "./shape-rules.js";

/*
 * Statistics of the whole training set, computed before the first epoch, and the old nodes that apply them.
 */

const source = "Source/ComputationNetworkLib/PreComputeNodes.h";

const statistic = {
  source,
  inputs: [{ name: "x", doc: "What is measured." }],
  attributes: {},
  stored: { fields: [field("hasComputed", "boolean", { otherwise: false }), field("values", "matrix")] },
  role: "precompute" as const,
  nonLooping: true,
  differentiable: "none" as const,
  memory: { ...memoryAll, ownMatrix: true },
  shape(context: ShapeContext) {
    const input = at(context.inputs, 0);
    if (context.isFinalPass && !input.dynamicAxis) {
      throw problem(
        context,
        " requires its input to come in minibatches of samples.",
        `'${input.node.name}' has no samples`,
        "no-minibatch-data",
      );
    }
    return { shape: input.shape, dynamicAxis: null, storage: "dense" as const };
  },
};

/** A mean over the minibatches so far, and what it takes to go on with another one. */
function growingMean({ node, build }: CompanionContext) {
  const x = at(node.inputs, 0);
  const { shape } = build.facts(node);
  const average = build.state(`${node.name}.mean`, shape);
  const count = build.state(`${node.name}.sampleCount`, [1]);
  const total = build.map(add(argument(0), argument(1)), [count, build.count(x, "samples")]);
  const grown = (before: NetworkNode, sum: NetworkNode): NetworkNode =>
    runningAverage(build, { average: before, count, total }, sum);
  const updated = grown(average, build.reduceTo(x, shape, null));
  const accumulated = [
    { state: average, value: updated },
    { state: count, value: total },
  ];
  return { x, shape, average, updated, grown, accumulated };
}

const mean = defineOp({
  ...statistic,
  name: "Mean",
  doc: "Mean of each element over the training set.",
  statistic(context): Statistic {
    const { average, accumulated } = growingMean(context);
    return { accumulated, value: context.build.map(argument(0), [average]) };
  },
});

/** CNTK's bound below, a number of single precision. */
const smallestVariance = Math.fround(1e-10);

const inverseDeviation = defineOp({
  ...statistic,
  name: "InvStdDev",
  doc: "1/√(variance) of each element over the training set; the variance is at least 1e-10.",
  statistic(context): Statistic {
    const { node, build } = context;
    const { x, shape, average, updated, grown, accumulated } = growingMean(context);
    const variance = build.state(`${node.name}.variance`, shape);
    const difference = subtract(argument(1), argument(2));
    const moved = build.map(add(argument(0), multiply(difference, difference)), [variance, average, updated]);
    const distance = subtract(argument(0), argument(1));
    const squares = build.map(multiply(distance, distance), [x, updated]);
    // CNTK sets gaps to zero, and then adds their distance from the mean as if they were samples.
    const gaps = subtract(argument(1), argument(2));
    const spread = build.map(add(argument(0), multiply(gaps, multiply(argument(3), argument(3)))), [
      build.reduceTo(squares, shape, null),
      build.count(x, "columns"),
      build.count(x, "samples"),
      updated,
    ]);
    const next = grown(moved, spread);
    const bounded = binary("maximum", argument(0), constant(smallestVariance));
    return {
      accumulated: [...accumulated, { state: variance, value: next }],
      value: build.map(divide(constant(1), unary("squareRoot", bounded)), [variance]),
    };
  },
});

/** Both statistics take the shape of the data where theirs is unknown. */
function normalizedShape(context: ShapeContext, className: string) {
  const dynamicAxis = inferDynamicAxis(context);
  const { shape } = at(context.inputs, 0);
  context.inferParameter(1, shape);
  context.inferParameter(2, shape);
  if (className === "PerDimMeanVarNormalizationNode") patchLegacyColumns(context);
  const fits = [1, 2].every((index) => isElementwiseCompatible(shape, at(context.inputs, index).shape));
  if (context.isFinalPass && !fits) {
    throw shapeProblem(
      context.node,
      "shape-mismatch",
      `${className}: All inputs should have same sample layout.`,
      `they are ${context.inputs.map((input) => `[${formatDims(input.shape)}]`).join(", ")}`,
    );
  }
  return { shape, dynamicAxis };
}

/** Statistics that old models keep as columns [N x 1] take the shape [1 x 1 x N] of the data. */
function patchLegacyColumns(context: ShapeContext): void {
  const { shape } = at(context.inputs, 0);
  const isColumn = (index: number): boolean => {
    const own = at(context.inputs, index).shape;
    return own.length === 2 && own[1] === 1 && own[0] === shape[2];
  };
  if (!(shape.length === 3 && shape[0] === 1 && shape[1] === 1 && isColumn(1) && isColumn(2))) return;
  for (const [index, word] of [
    [1, "second"],
    [2, "third"],
  ] as const) {
    const { node, shape: before } = at(context.inputs, index);
    context.setParameterShape(index, shape);
    context.message(
      `\n${describeShort(context.node)}: For legacy compatibility, the sample layout of ${word} input ` +
        `(${describeShort(node)}) was patched to [${formatDims(shape)}] (from [${formatDims(before)}])\n`,
      "always",
    );
  }
}

const normalization = {
  inputs: [
    { name: "x", doc: "Any shape." },
    { name: "mean", doc: "Of the same shape, without samples." },
    { name: "invStdDev", doc: "The same." },
  ],
  attributes: {},
  differentiable: "error",
  memory: memoryAll,
} as const;

/** CNTK's refusal of a gradient. */
function forwardOnly(className: string): () => string {
  return () =>
    `${className} should only be called in the evaluation stage. Is any of its descendents a learnable parameter that requires gradient?`;
}

const perDimMeanVarNormalization = defineOp({
  ...normalization,
  name: "PerDimMeanVarNormalization",
  aliases: ["PerDimMeanVarNormalizationNode"],
  doc: "Deprecated: (x − mean)·invStdDev.",
  source: "Source/ComputationNetworkLib/DeprecatedNodes.h",
  shape: (context) => normalizedShape(context, "PerDimMeanVarNormalizationNode"),
  refusesGradient: forwardOnly("PerDimMeanVarNormalizationNode"),
  lower: (context) => emitMap(context, multiply(subtract(argument(0), argument(1)), argument(2))),
});

const perDimMeanVarDeNormalization = defineOp({
  ...normalization,
  name: "PerDimMeanVarDeNormalization",
  aliases: ["PerDimMeanVarDeNormalizationNode"],
  doc: "x/invStdDev + mean.",
  source,
  shape: (context) => normalizedShape(context, "PerDimMeanVarDeNormalizationNode"),
  refusesGradient: forwardOnly("PerDimMeanVarDeNormalizationNode"),
  lower: (context) => emitMap(context, add(divide(argument(0), argument(2)), argument(1))),
});

export const precomputeOperations: readonly OpDefinition[] = [
  mean,
  inverseDeviation,
  perDimMeanVarNormalization,
  perDimMeanVarDeNormalization,
];
