import type { NetworkNode } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type {
  CompanionContext,
  Companions,
  LoweringContext,
  OpDefinition,
} from "../network/op-definition.js";
import {
  add,
  argument,
  binary,
  constant,
  divide,
  multiply,
  select,
  subtract,
  unary,
  plainSquareRoot,
} from "../primitives/expression.js";
import type { Expression } from "../primitives/expression.js";
import { at, defineOp, describeShort, memoryInputs, memoryNone, shapeProblem } from "./define-op.js";
import { counted, emitMap, emitReduceAll, flat, mapped, reducedPerSample } from "./lowering.js";
import { comparable, comparing, elementwiseReduce, widestShape } from "./criterion-shapes.js";
import { binaryReduce, refusesSingles } from "./shape-rules.js";
import { refusesInputs, refusesInTurn } from "./sparse-data.js";

/*
 * Training and evaluation criteria: the sum over all samples of the minibatch, one number. SGD does the averaging.
 */

const trainingNodes = "Source/ComputationNetworkLib/TrainingNodes.h";

const criterion = {
  nonLooping: true,
  source: trainingNodes,
  attributes: {},
  differentiable: "yes",
  shape: elementwiseReduce,
} as const;

/** Says `message` where labels and values are not equally many. */
function equallyMany(message: string): Pick<OpDefinition, "refusesData"> {
  return { refusesData: ([a, b]) => (a?.elements === b?.elements ? undefined : message) };
}

/** CPUMatrix.cpp, InnerProductOfMatrices. */
const innerProduct = equallyMany("InnerProductOfMatrices: Matrices a and b should have same dimension.");

const product = multiply(argument(0), argument(1));
const negate = (e: Expression): Expression => unary("negate", e);

/** Emits `scale` times the sum of expression(inputs) over everything. */
function emitSum(
  context: Pick<LoweringContext, "inputs" | "output" | "emit" | "temporary">,
  expression: Expression,
  scale = 1,
  inputs = context.inputs,
  gaps: "skipped" | "counted" = "skipped",
): void {
  const operands = comparable(inputs);
  const dims = widestShape(operands.map((operand) => operand.dims));
  emitReduceAll(context, mapped(context, expression, operands, dims), context.output, "sum", scale, gaps);
}

/** z − ln Σ eᶻ of the second input, needed by value and gradient alike; computed as LogSoftmax is. */
function logSoftmaxCompanion({ node, build }: CompanionContext): Companions {
  const z = at(node.inputs, 1);
  const { shape, dynamicAxis } = build.facts(z);
  const reduced = (x: NetworkNode, operation: "max" | "sum"): NetworkNode =>
    build.reduceTo(
      x,
      shape.map(() => 1),
      dynamicAxis,
      operation,
    );
  const shifted = build.map(subtract(argument(0), argument(1)), [z, reduced(z, "max")]);
  const sum = reduced(build.map(unary("exponential", argument(0)), [shifted]), "sum");
  const difference = subtract(argument(0), unary("logarithm", argument(1)));
  return { nodes: [build.map(difference, [shifted, sum], `${node.name}.logSoftmax`)] };
}

const crossEntropyWithSoftmax = defineOp({
  ...criterion,
  ...innerProduct,
  name: "CrossEntropyWithSoftmax",
  refusesSparse: refusesInTurn(
    [1, { function: "AssignLogSoftmaxOf", line: 2868 }],
    [0, { function: "AssignInnerProductOfMatrices", line: 5448 }],
  ),
  doc: "−Σ labels·ln softmax(z)",
  inputs: [
    { name: "labels", doc: "A distribution per sample, mostly one-hot." },
    { name: "z", doc: "Activations before the softmax." },
  ],
  gradientDiffers: "z gets g·(softmax(z) − labels), which is the derivative only where the labels sum to 1",
  memory: { ...memoryInputs, forwardTemporaries: 2 },
  companions: logSoftmaxCompanion,
  gradient: comparing(({ inputs, companions, outputGradient, wants, build }) => {
    const [labels, logSoftmax] = [at(inputs, 0), at(companions, 0)];
    const labelsGradient = multiply(argument(0), negate(argument(1)));
    const zGradient = multiply(argument(0), subtract(unary("exponential", argument(1)), argument(2)));
    return [
      wants(0) ? build.map(labelsGradient, [outputGradient, logSoftmax]) : null,
      wants(1) ? build.map(zGradient, [outputGradient, logSoftmax, labels]) : null,
    ];
  }),
  lower: (context) => emitSum(context, product, -1, [at(context.inputs, 0), at(context.companions, 0)]),
});

const crossEntropy = defineOp({
  ...criterion,
  ...innerProduct,
  name: "CrossEntropy",
  refusesSparse: refusesInTurn(
    [1, { function: "InplaceLog", line: 3012 }],
    [0, { function: "AssignInnerProductOfMatrices", line: 5448 }],
  ),
  doc: "−Σ labels·ln p, with CNTK's clipped logarithm",
  inputs: [
    { name: "labels", doc: "A distribution per sample." },
    { name: "p", doc: "Probabilities." },
  ],
  gradientDiffers: "p below 1e-37, where the logarithm is clipped, still gets −g·labels/p",
  memory: { ...memoryInputs, forwardTemporaries: 1, backwardTemporaries: 1 },
  gradient: comparing(({ inputs, outputGradient, wants, build }) => {
    const [labels, p] = [at(inputs, 0), at(inputs, 1)];
    const labelsGradient = multiply(argument(0), negate(unary("logarithm", argument(1))));
    const pGradient = multiply(argument(0), negate(clippedQuotient(argument(1), argument(2))));
    return [
      wants(0) ? build.map(labelsGradient, [outputGradient, p]) : null,
      wants(1) ? build.map(pGradient, [outputGradient, labels, p]) : null,
    ];
  }),
  lower: (context) => emitSum(context, multiply(argument(0), unary("logarithm", argument(1))), -1),
});

/** a / b with |b| at least 1e-30, a single-precision constant (CPUMatrix::AssignElementDivisionOf). */
function clippedQuotient(a: Expression, b: Expression): Expression {
  const smallest = constant(Math.fround(1e-30));
  const clipped = select(binary("greaterEqual", b, constant(0)), smallest, negate(smallest));
  return divide(a, select(binary("less", unary("absolute", b), smallest), clipped, b));
}

const squareError = defineOp({
  ...criterion,
  // CPUMatrix.cpp, ScaleAndAdd: a row stretches, anything else does not.
  refusesData: ([a, b]) =>
    a?.elements === b?.elements || a?.elements === 1 || b?.elements === 1
      ? undefined
      : "Dimension of matrix c does not match dimension of matrix a.",
  name: "SquareError",
  refusesSparse: refusesInputs({ 0: { function: "operator-=", line: 2293 } }),
  doc: "Σ(a − b)², without factor ½ and without mean",
  inputs: [
    { name: "a", doc: "Any shape." },
    { name: "b", doc: "The same shape." },
  ],
  memory: { ...memoryNone, forwardTemporaries: 1 },
  // ±2g(a − b)
  gradient: comparing(({ inputs, outputGradient, wants, build }) => {
    const difference = subtract(argument(1), argument(2));
    const side = (index: number, sign: number): NetworkNode | null =>
      wants(index)
        ? build.map(multiply(multiply(constant(2 * sign), argument(0)), difference), [
            outputGradient,
            ...inputs,
          ])
        : null;
    return [side(0, 1), side(1, -1)];
  }),
  lower(context) {
    const operands = comparable(context.inputs);
    const dims = widestShape(operands.map((operand) => operand.dims));
    const difference = mapped(context, subtract(argument(0), argument(1)), operands, dims);
    const total = context.temporary([1], null);
    emitReduceAll(context, mapped(context, multiply(argument(0), argument(0)), [difference], dims), total);
    // CNTK squares the Frobenius norm, which shows in the last digits of single precision.
    const norm = plainSquareRoot(argument(0));
    emitMap(context, multiply(norm, norm), [total]);
  },
});

/** 2yp + (1 − y) − p: the probability of what is the case. */
const likelihood = (y: Expression, p: Expression): Expression =>
  subtract(add(multiply(constant(2), multiply(y, p)), subtract(constant(1), y)), p);

const comparedMatrices = equallyMany("The input matrix dimensions do not match.");

const logistic = defineOp({
  ...criterion,
  refusesData: (inputs, use) => comparedMatrices.refusesData?.(inputs, use) ?? refusesSingles(inputs),
  name: "Logistic",
  refusesSparse: refusesInputs({ 1: { function: "AssignElementProductOf", line: 2499 } }),
  doc: "−Σ ln(2yp + (1−y) − p), the log-likelihood of yes/no labels; weighted: −N·Σ w·ln(…)/Σ w, N the number of samples",
  inputs: [
    { name: "y", doc: "Labels, 0 or 1." },
    { name: "p", doc: "Probability of 1." },
    { name: "w", doc: "Weight of each sample.", optional: true },
  ],
  gradientDiffers: "labels and weights cannot get a gradient; with weights it is not divided by Σ w",
  memory: { ...memoryInputs, forwardTemporaries: 4 },
  shape(context) {
    const result = elementwiseReduce(context);
    const [labels, weights] = [at(context.inputs, 0), context.inputs[2]];
    if (!weights) return result;
    context.inferParameter(2, at(context.inputs, 1).shape);
    const otherAxis = labels.dynamicAxis && weights.dynamicAxis && labels.dynamicAxis !== weights.dynamicAxis;
    if (context.isFinalPass && (elementCount(labels.shape) !== elementCount(weights.shape) || otherAxis)) {
      throw shapeProblem(
        context.node,
        "shape-mismatch",
        `The Matrix dimensions of the second argument weights the ${describeShort(context.node)} do not match.`,
      );
    }
    return result;
  },
  refusesGradient: (node, index) =>
    index !== 1 ? `${describeShort(node)} cannot compute the gradient for its first inpute.` : undefined,
  // −g·w·(2y − 1)/(2yp + 1 − y − p)
  gradient: comparing(({ inputs, outputGradient, wants, build }) => {
    const [y, p] = [argument(1), argument(2)];
    const direction = subtract(y, subtract(constant(1), y));
    const weighted = inputs.length > 2 ? multiply(direction, argument(3)) : direction;
    const expression = multiply(negate(argument(0)), clippedQuotient(weighted, likelihood(y, p)));
    return [null, wants(1) ? build.map(expression, [outputGradient, ...inputs]) : null, null];
  }),
  lower(context) {
    const operands = comparable(context.inputs);
    const [y, p, w] = [at(operands, 0), at(operands, 1), operands[2]];
    const logLikelihood = unary("logarithm", likelihood(argument(0), argument(1)));
    if (!w) {
      // CNTK does not mask gaps here: what stands in them counts.
      emitSum(context, logLikelihood, -1, context.inputs, "counted");
      return;
    }
    const [sum, weights] = [context.temporary([1], null), context.temporary([1], null)];
    const weighted = mapped(
      context,
      multiply(argument(2), logLikelihood),
      [y, p, w],
      widestShape([y.dims, p.dims]),
    );
    emitReduceAll(context, weighted, sum, "sum", 1, "counted");
    emitReduceAll(context, w, weights, "sum", 1, "counted");
    const average = multiply(negate(argument(2)), divide(argument(0), argument(1)));
    emitMap(context, average, [sum, weights, counted(context, y, "columns")]);
  },
});

const classificationError = defineOp({
  ...criterion,
  name: "ClassificationError",
  refusesSparse: refusesInputs({
    0: { function: "VectorMax", line: 3800 },
    1: { function: "VectorMax", line: 3818 },
  }),
  aliases: ["ErrorPrediction"],
  doc:
    "Number of samples whose label is not the largest activation, or not among the topN largest. Which of " +
    "equal activations are among these depends on the samples before, as in CNTK.",
  source: "Source/ComputationNetworkLib/EvaluationNodes.h",
  inputs: [
    { name: "labels", doc: "One-hot; the first maximum counts." },
    { name: "z", doc: "Activations; the first maximum counts." },
    { name: "topN", doc: "Constant: how many of the largest activations count as a hit.", optional: true },
  ],
  differentiable: "error",
  memory: { usesOutput: false, usesInputs: "none", forwardTemporaries: 3, releasedForward: true },
  shape(context) {
    const result = binaryReduce(context);
    const topN = context.inputs[2];
    if (topN && elementCount(topN.shape) !== 1) {
      throw shapeProblem(
        context.node,
        "shape-mismatch",
        `${describeShort(context.node)} requires TopK to be a scalar value.`,
      );
    }
    return result;
  },
  lower(context) {
    const [labels, z, topN] = [flat(at(context.inputs, 0)), flat(at(context.inputs, 1)), context.inputs[2]];
    const label = reducedPerSample(context, labels, "argmax");
    if (!topN) {
      const guess = reducedPerSample(context, z, "argmax");
      emitSum(context, binary("notEqual", argument(0), argument(1)), 1, [label, guess]);
      return;
    }
    const missed = context.temporary([1], label.axis);
    context.emit("outsideTop", [label, z, topN], missed, {});
    emitReduceAll(context, missed);
  },
});

export const criteriaOperations: readonly OpDefinition[] = [
  crossEntropyWithSoftmax,
  crossEntropy,
  squareError,
  logistic,
  classificationError,
];
