import { elementCount } from "../network/network.js";
import type { OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import { argument, multiply, subtract, unary } from "../primitives/expression.js";
import { notRunnable } from "./declared.js";
import { at, defineOp, memoryInputs, shapeProblem } from "./define-op.js";
import { emitReduceAll } from "./lowering.js";
import { binaryReduce, scalarShape } from "./shape-rules.js";
import { takesSparse } from "./sparse-data.js";

/*
 * Criteria and evaluation measures of sequences: one number for the whole minibatch.
 */

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
    "with a delayConstraint it is not the derivative of the value; CNTK's softmax − posterior is kept; the labels get −ln softmax",
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
    const toLabels = unary("negate", multiply(argument(0), argument(1)));
    const toScores = multiply(argument(0), subtract(unary("exponential", argument(1)), argument(2)));
    return [
      wants(0) ? build.map(toLabels, [outputGradient, logSoftmax]) : null,
      wants(1) ? build.map(toScores, [outputGradient, logSoftmax, posteriors]) : null,
    ];
  },
  lower({ attributes, inputs, companions, output, emit }) {
    const [labels, logSoftmax] = [at(inputs, 0), at(companions, 0)];
    const parameters = ctcParameters(attributes, elementCount(labels.dims));
    emit("connectionistTemporal", [labels, logSoftmax], output, { ...parameters, result: "loss" });
  },
});

const sequenceWithSoftmax = defineOp({
  name: "SequenceWithSoftmax",
  refusesSparse: takesSparse,
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
  refusesSparse: takesSparse,
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
  refusesGradient: (_, index) =>
    index < 2
      ? `DummyCriterionNode: Gradients with respect to ${index === 0 ? "objective" : "derivative"} features are not necessary, not implemented.`
      : undefined,
  gradient({ inputs, outputGradient, wants, build }) {
    const supplied = multiply(argument(0), argument(1));
    return [null, null, wants(2) ? build.map(supplied, [outputGradient, at(inputs, 1)]) : null];
  },
  lower(context) {
    emitReduceAll(context, at(context.inputs, 0), context.output, "sum", 1, "counted");
  },
});

const editDistanceError = defineOp({
  name: "EditDistanceError",
  refusesSparse: () => "EditDistanceError node was not tested for sparse inputs.",
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

export const sequenceCriteriaOperations: readonly OpDefinition[] = [
  forwardBackward,
  sequenceWithSoftmax,
  dummyCriterion,
  editDistanceError,
];
