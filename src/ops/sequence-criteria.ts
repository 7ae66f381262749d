import { elementCount } from "../network/network.js";
import type { NetworkNode } from "../network/network.js";
import type { OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import {
  add,
  argument,
  binary,
  constant,
  multiply,
  select,
  subtract,
  unary,
} from "../primitives/expression.js";
import { matrixSize, notRunnable, problem } from "./declared.js";
import { at, defineOp, memoryInputs, memoryNone, shapeProblem } from "./define-op.js";
import { binaryReduce, scalarShape } from "./shape-rules.js";

/*
 * Criteria and evaluation measures of sequences, classes of words, and rankings: one number for the whole minibatch.
 */

const trainingNodes = "Source/ComputationNetworkLib/TrainingNodes.h";
const specialNodes = "Source/ComputationNetworkLib/SpecialPurposeNodes.h";
const evaluationNodes = "Source/ComputationNetworkLib/EvaluationNodes.h";

const scalarResult: ShapeResult = { shape: scalarShape, dynamicAxis: null };

const rowsOf = (context: ShapeContext<object>, index: number): number =>
  elementCount(at(context.inputs, index).shape);

/** An error whose sentence does not name the node. */
function mismatch(context: ShapeContext<object>, message: string, hint?: string): Error {
  return shapeProblem(context.node, "shape-mismatch", message, hint);
}

/** A blank beyond the labels is the last of them. */
function ctcParameters(
  { blankTokenId, delayConstraint }: { readonly blankTokenId: number; readonly delayConstraint: number },
  labels: number,
) {
  return { blank: blankTokenId >= labels ? labels - 1 : blankTokenId, delay: delayConstraint };
}

const forwardBackward = defineOp({
  name: "ForwardBackward",
  doc: "Connectionist temporal classification: −ln of the probability of the labels over all alignments.",
  source: specialNodes,
  inputs: [
    { name: "graph", doc: "LabelsToGraph of the labels, frame by frame." },
    { name: "z", doc: "Activations before the softmax." },
  ],
  attributes: {
    delayConstraint: {
      kind: "integer",
      doc: "Frames by which a label may come later than given; −1 = any number.",
    },
    blankTokenId: { kind: "number", doc: "Index of the blank; beyond the labels: the last of them." },
  },
  nonLooping: true,
  stored: {
    fields: [
      field("delayConstraint", "signed4", { otherwise: -1 }),
      field("blankTokenId", "unsigned8", { otherwise: 0 }),
    ],
  },
  differentiable: "yes",
  gradientDiffers:
    "with a delayConstraint it is not the derivative of the value; CNTK's softmax − posterior is kept",
  memory: { ...memoryInputs, forwardTemporaries: 5 },
  shape(context) {
    const [graph, z] = [at(context.inputs, 0), at(context.inputs, 1)];
    if (context.isFinalPass) {
      if (
        rowsOf(context, 0) !== rowsOf(context, 1) ||
        !graph.dynamicAxis ||
        graph.dynamicAxis !== z.dynamicAxis
      ) {
        throw mismatch(
          context,
          "The Matrix dimension in the ForwardBackwardNode operation does not match.",
          "labels and activations need the same dimension and the same dynamic axis",
        );
      }
      if (graph.node.op.name !== "LabelsToGraph") {
        throw mismatch(context, "ForwardBackwardNode: Please pass LabelsToGraph(labels) for second argument");
      }
    }
    return scalarResult;
  },
  companions({ node, attributes, build }) {
    const [labels, z] = [at(node.inputs, 0), at(node.inputs, 1)];
    const logSoftmax = build.applyNamed("LogSoftmax", [z]);
    const { shape, dynamicAxis } = build.facts(z);
    const parameters = { ...ctcParameters(attributes, elementCount(shape)), result: "posteriors" } as const;
    const operands = [labels, logSoftmax];
    const posteriors = build.primitive("connectionistTemporal", operands, parameters, { shape, dynamicAxis });
    return { nodes: [logSoftmax, posteriors] };
  },
  gradient({ companions, outputGradient, wants, build }) {
    const [logSoftmax, posteriors] = [at(companions, 0), at(companions, 1)];
    const expression = multiply(argument(0), subtract(unary("exponential", argument(1)), argument(2)));
    return [null, wants(1) ? build.map(expression, [outputGradient, logSoftmax, posteriors]) : null];
  },
  lower({ attributes, inputs, companions, output, emit }) {
    const [labels, logSoftmax] = [at(inputs, 0), at(companions, 0)];
    const parameters = ctcParameters(attributes, elementCount(labels.dims));
    emit("connectionistTemporal", [labels, logSoftmax], output, { ...parameters, result: "loss" });
  },
});

const sequenceWithSoftmax = defineOp({
  name: "SequenceWithSoftmax",
  doc: "Discriminative criterion over the lattices of speech recognition, smoothed by frame-wise cross entropy.",
  source: specialNodes,
  inputs: [
    { name: "labels", doc: "An input." },
    { name: "z", doc: "Activations before the softmax." },
    { name: "logLikelihoods", doc: "Scaled log likelihoods of the states." },
  ],
  attributes: {},
  nonLooping: true,
  differentiable: "yes",
  memory: { ...memoryInputs, forwardTemporaries: 3 },
  shape(context) {
    const [labels, z, likelihoods] = [at(context.inputs, 0), at(context.inputs, 1), at(context.inputs, 2)];
    if (labels.node.op.role !== "input") {
      throw mismatch(context, "SequenceWithSoftmaxNode criterion requires the first input to be the label.");
    }
    const sameRows = rowsOf(context, 0) === rowsOf(context, 1) && rowsOf(context, 1) === rowsOf(context, 2);
    const sameAxis =
      labels.dynamicAxis &&
      labels.dynamicAxis === z.dynamicAxis &&
      labels.dynamicAxis === likelihoods.dynamicAxis;
    if (context.isFinalPass && !(sameRows && sameAxis)) {
      throw mismatch(
        context,
        "The Matrix dimension in the SequenceWithSoftmaxNode operation does not match.",
      );
    }
    return scalarResult;
  },
  ...notRunnable,
});

const dummyCriterion = defineOp({
  name: "DummyCriterion",
  doc: "A criterion computed elsewhere: the objectives are fed, and so are the gradients that z gets.",
  source: specialNodes,
  inputs: [
    { name: "objectives", doc: "An input." },
    { name: "derivatives", doc: "An input: the gradients of z." },
    { name: "z", doc: "What is trained." },
  ],
  attributes: {},
  nonLooping: true,
  differentiable: "yes",
  gradientDiffers: "z gets g times the supplied derivatives, whatever the objectives are",
  memory: memoryInputs,
  shape(context) {
    const operation = (index: number): string => at(context.inputs, index).node.op.name;
    if (operation(0) !== "InputValue") {
      throw mismatch(
        context,
        "DummyCriterionNode criterion requires the first input to be computed objectives.",
      );
    }
    if (operation(1) !== "InputValue") {
      throw mismatch(
        context,
        "DummyCriterionNode criterion requires the second input to be computed derivatives.",
      );
    }
    if (context.isFinalPass && rowsOf(context, 1) !== rowsOf(context, 2)) {
      throw mismatch(
        context,
        "The Matrix dimension in the DummyCriterionNode operation does not match.",
        `${rowsOf(context, 1)} derivatives for ${rowsOf(context, 2)} values`,
      );
    }
    return scalarResult;
  },
  ...notRunnable,
});

const editDistanceError = defineOp({
  name: "EditDistanceError",
  doc:
    "Insertions, deletions and substitutions between two sequences, per token of the second, times its frames. The " +
    "penalties steer the alignment only.",
  source: evaluationNodes,
  inputs: [
    { name: "a", doc: "Scores or one-hot vectors; the largest counts." },
    { name: "b", doc: "The reference." },
  ],
  attributes: {
    squashInputs: { kind: "boolean", doc: "Merge equal neighbours first." },
    insPen: { kind: "number", doc: "Penalty of an insertion." },
    delPen: { kind: "number", doc: "Penalty of a deletion." },
    subPen: { kind: "number", doc: "Penalty of a substitution." },
    tokensToIgnore: { kind: "shape", doc: "Indices that are left out on both sides." },
  },
  nonLooping: true,
  stored: {
    fields: [
      field("substitutionPenalty", "float4", { attribute: "subPen", otherwise: 1 }),
      field("deletionPenalty", "float4", { attribute: "delPen", otherwise: 1 }),
      field("insertionPenalty", "float4", { attribute: "insPen", otherwise: 1 }),
      field("squashInputs", "boolean", { otherwise: false }),
      field("tokensToIgnore", "sizes", { otherwise: [] }),
    ],
  },
  differentiable: "error",
  memory: { usesOutput: true, usesInputs: "all", forwardTemporaries: 3, releasedForward: true },
  shape: binaryReduce,
  lower({ attributes: { subPen, delPen, insPen, squashInputs, tokensToIgnore }, inputs, output, emit }) {
    emit("editDistance", inputs, output, {
      substitutionPenalty: subPen,
      deletionPenalty: delPen,
      insertionPenalty: insPen,
      squashInputs,
      ignored: tokensToIgnore,
    });
  },
});

const classBasedCrossEntropyWithSoftmax = defineOp({
  name: "ClassBasedCrossEntropyWithSoftmax",
  doc: "−Σ(ln P(class) + ln P(word | class)): a softmax over many words in two steps.",
  source: trainingNodes,
  inputs: [
    { name: "labels", doc: "[4]: word, class, first word of the class, the word after its last." },
    { name: "hidden", doc: "The hidden activation." },
    { name: "weight", doc: "[hidden x words]" },
    { name: "classLogits", doc: "Activations of the classes." },
  ],
  attributes: {},
  nonLooping: true,
  differentiable: "yes",
  memory: memoryInputs,
  shape(context) {
    const { node, inputs } = context;
    const [labels, hidden, weight, classes] = [at(inputs, 0), at(inputs, 1), at(inputs, 2), at(inputs, 3)];
    if (context.isFinalPass) {
      if (rowsOf(context, 0) !== 4) {
        throw mismatch(
          context,
          "The label data in the ClassBasedCrossEntropyWithSoftmax operation must have 4 rows.",
          `'${labels.node.name}' has ${rowsOf(context, 0)}`,
        );
      }
      if (rowsOf(context, 1) !== matrixSize(weight).rows) {
        throw mismatch(
          context,
          "The matrix dimension for observation and weight in the ClassBasedCrossEntropyWithSoftmax operation does not match.",
          `'${hidden.node.name}' has ${rowsOf(context, 1)} rows, '${weight.node.name}' ${matrixSize(weight).rows}`,
        );
      }
      if (labels.dynamicAxis !== hidden.dynamicAxis || labels.dynamicAxis !== classes.dynamicAxis) {
        throw problem(
          context,
          " requires that the layouts of inputs 0 (label), 1 (hidden activation), and 3 (log softmax) match.",
          `${node.name} is given ${[labels, hidden, classes].map(({ dynamicAxis }) => dynamicAxis?.axisName ?? "none").join(", ")}`,
        );
      }
    }
    return scalarResult;
  },
  // Two cross entropies: of the class, and of the word with the words of other classes pushed out of the softmax.
  expand({ node, build }) {
    const [labels, hidden, weight, classes] = [0, 1, 2, 3].map((index) => at(node.inputs, index)) as [
      NetworkNode,
      NetworkNode,
      NetworkNode,
      NetworkNode,
    ];
    const logits = build.applyNamed("TransposeTimes", [weight, hidden]);
    const numbers = (like: NetworkNode): NetworkNode => {
      const count = elementCount(build.facts(like).shape);
      return build.primitive("iota", [], {}, { shape: [count], dynamicAxis: null });
    };
    const { dynamicAxis } = build.facts(labels);
    const label = (begin: number): NetworkNode =>
      build.primitive("slice", [labels], { axis: 0, begin }, { shape: [1], dynamicAxis }, { reads: [[4]] });
    const oneHot = (like: NetworkNode, index: NetworkNode): NetworkNode =>
      build.map(binary("equal", argument(0), argument(1)), [numbers(like), index]);
    const outside = select(
      add(binary("less", argument(0), argument(1)), binary("greaterEqual", argument(0), argument(2))),
      constant(-1e30),
      constant(0),
    );
    const penalty = build.map(outside, [numbers(logits), label(2), label(3)]);
    const within = build.applyNamed("Plus", [logits, penalty]);
    return build.applyNamed("Plus", [
      build.applyNamed("CrossEntropyWithSoftmax", [oneHot(logits, label(0)), within]),
      build.applyNamed("CrossEntropyWithSoftmax", [oneHot(classes, label(1)), classes]),
    ]);
  },
});

const noiseContrastiveEstimation = defineOp({
  name: "NCEBasedCrossEntropyWithSoftmax",
  doc: "Noise-contrastive estimate of the cross entropy over many words.",
  source: trainingNodes,
  inputs: [
    { name: "labels", doc: "Word, its noise probability, and pairs of the same for the noise words." },
    { name: "hidden", doc: "The hidden activation." },
    { name: "weight", doc: "[hidden x words]" },
    { name: "bias", doc: "One number per word, with a dynamic axis." },
  ],
  attributes: {
    mode: {
      kind: "integer",
      doc: "0 softmax, 1 unnormalized, 2 none: how it is evaluated, as a model file keeps it.",
      // No member of that name: BrainScript has no say in it.
      member: "",
      default: 2,
    },
  },
  nonLooping: true,
  stored: {
    // Older files do not have the mode.
    fields: [
      field("mode", "signed4", {
        valid: (mode) => Number(mode) >= 0 && Number(mode) <= 2,
        takenBack: true,
        otherwise: 2,
      }),
    ],
  },
  differentiable: "yes",
  memory: memoryInputs,
  shape(context) {
    const [labels, hidden, weight, bias] = [0, 1, 2, 3].map((index) => at(context.inputs, index));
    if (context.isFinalPass) {
      if (rowsOf(context, 1) !== matrixSize(at(context.inputs, 2)).rows) {
        throw mismatch(
          context,
          "The Matrix dimension for observation and weight in the NoiseContrastiveEstimationNode operation does not match.",
        );
      }
      if (!labels?.dynamicAxis || !hidden?.dynamicAxis || weight?.dynamicAxis || !bias?.dynamicAxis) {
        throw problem(context, " requires inputs 0, 1, and 3 to be a minibatch, and input 2 to be a matrix.");
      }
    }
    return scalarResult;
  },
  ...notRunnable,
});

const ranking = {
  inputs: [
    { name: "gain", doc: "How good each item is; sorted within a query, the best first." },
    { name: "score", doc: "What the network thinks." },
    { name: "query", doc: "The number of the query; equal neighbours belong together." },
  ],
  attributes: {},
  nonLooping: true,
  ...notRunnable,
} as const;

/** Gains and query numbers must be plain data; that is checked in every pass. */
function rankingShape(context: ShapeContext, words: readonly [gain: string, query: string]): ShapeResult {
  for (const [index, word] of [[0, words[0]] as const, [2, words[1]] as const]) {
    if (at(context.inputs, index).needsGradient) {
      throw problem(context, ` needs input type (no gradient) for ${word} input.`);
    }
  }
  return binaryReduce(context);
}

const lambdaRank = defineOp({
  ...ranking,
  name: "LambdaRank",
  doc: "100·N·(1 − mean NDCG), trained by the lambda gradients.",
  source: trainingNodes,
  differentiable: "yes",
  gradientDiffers: "the scores get LambdaRank's gradients, which are not the derivative of the value",
  overwritesGradient: () => [false, true, false],
  memory: { ...memoryInputs, forwardTemporaries: 7 },
  shape: (context) => rankingShape(context, ["gain", "group"]),
});

const ndcg1Eval = defineOp({
  ...ranking,
  name: "NDCG1Eval",
  doc: "100·N·mean NDCG at rank 1.",
  source: evaluationNodes,
  differentiable: "error",
  memory: { ...memoryNone, forwardTemporaries: 4 },
  shape: (context) => rankingShape(context, ["the 1st", "the 3rd"]),
});

export const sequenceCriteriaOperations: readonly OpDefinition[] = [
  forwardBackward,
  sequenceWithSoftmax,
  dummyCriterion,
  editDistanceError,
  classBasedCrossEntropyWithSoftmax,
  noiseContrastiveEstimation,
  lambdaRank,
  ndcg1Eval,
];
