import type { NetworkNode } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { GraphBuilder, OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import { add, argument, binary, constant, select, unary } from "../primitives/expression.js";
import { matrixSize, problem } from "./declared.js";
import { at, defineOp, memoryInputs, memoryNone, shapeProblem } from "./define-op.js";
import { scalarShape } from "./shape-rules.js";
import { cutOut } from "./written-out.js";
import { takesSparse } from "./sparse-data.js";

/*
 * Criteria over many words, which avoid the softmax over all of them: by classes of words, by telling words from noise.
 */

const trainingNodes = "Source/ComputationNetworkLib/TrainingNodes.h";

const scalarResult: ShapeResult = { shape: scalarShape, dynamicAxis: null };

const rowsOf = (context: ShapeContext<object>, index: number): number =>
  elementCount(at(context.inputs, index).shape);

/** An error whose sentence does not name the node. */
function mismatch(context: ShapeContext<object>, message: string, hint?: string): Error {
  return shapeProblem(context.node, "shape-mismatch", message, hint);
}

/** Stands before an input whose gradient a criterion sets instead of adding to it. */
const replacingGradient = defineOp({
  name: "ReplacedGradient",
  refusesSparse: takesSparse,
  doc: "x; its gradient is the one that comes in, whatever consumers further on have contributed before.",
  source:
    "Source/ComputationNetworkLib/TrainingNodes.h, ClassBasedCrossEntropyWithSoftmaxNode::BackpropToNonLooping",
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: {},
  internal: true,
  differentiable: "yes",
  overwritesGradient: () => [true],
  memory: memoryNone,
  shape: ({ inputs }) => ({ shape: at(inputs, 0).shape, dynamicAxis: at(inputs, 0).dynamicAxis }),
  gradient: ({ outputGradient }) => [outputGradient],
  lower: ({ inputs, output, emit }) => emit("copy", [at(inputs, 0)], output, {}),
});

const classBasedCrossEntropyWithSoftmax = defineOp({
  name: "ClassBasedCrossEntropyWithSoftmax",
  refusesSparse: takesSparse,
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
  gradientDiffers:
    "that of the class logits replaces what other consumers of them contributed before, instead of being added",
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
  refusesGradient: (_, index) =>
    index === 0
      ? "ClassCrossEntropyWithSoftmaxNode criterion only takes with respect to input, weight to the input and class log posterior probability."
      : undefined,
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
      build.applyNamed("CrossEntropyWithSoftmax", [
        oneHot(classes, label(1)),
        build.apply(replacingGradient, [classes]),
      ]),
    ]);
  },
});

/** A criterion whose inputs get their gradients as if it were the root, whatever is made of it (AssignNCEDerivative). */
const detached = defineOp({
  name: "UnscaledCriterion",
  refusesSparse: takesSparse,
  doc: "x; its gradient is 1, whatever comes in.",
  source: "cntkts: NoiseContrastiveEstimationNode does not multiply by the gradient it is given",
  inputs: [{ name: "x", doc: "One number." }],
  attributes: {},
  internal: true,
  differentiable: "yes",
  memory: memoryNone,
  shape: () => scalarResult,
  gradient: ({ outputGradient, build }) => [build.map(constant(1), [outputGradient])],
  lower: ({ inputs, output, emit }) => emit("copy", [at(inputs, 0)], output, {}),
});

/** Node: for each sample element `row` of x. */
function element(build: GraphBuilder, x: NetworkNode, row: number): NetworkNode {
  return cutOut(build, x, row, row + 1);
}

/**
 * Node: the bias of a word for each sample. CNTK takes the minibatch of biases for one row with a column per word: the bias of
 * word w is the first number of column w, and 0 (what mostly stands behind the matrix) where there are fewer columns.
 */
function biasOf(build: GraphBuilder, biases: NetworkNode, word: NetworkNode): NetworkNode {
  const inside = binary("less", argument(0), argument(1));
  const columns = build.count(biases, "columns");
  const place = build.map(select(inside, argument(0), constant(-1)), [word, columns]);
  return build.applyNamed("GatherPacked", [place, element(build, biases, 0)]);
}

const noiseContrastiveEstimation = defineOp({
  name: "NCEBasedCrossEntropyWithSoftmax",
  refusesSparse: takesSparse,
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
  refusesGradient: (_, index) =>
    index === 0 ? "ComputeInput partial should not be called for label" : undefined,
  gradientDiffers: "it is not multiplied by the gradient of the criterion that this node is part of",
  // Each word against the noise: ln σ(score − ln(k·noise)) for the true one, ln(1 − σ) for the k others.
  expand({ node, attributes: { mode }, build }) {
    const [labels, hidden, weight, bias] = [0, 1, 2, 3].map((index) => at(node.inputs, index)) as [
      NetworkNode,
      NetworkNode,
      NetworkNode,
      NetworkNode,
    ];
    const words = elementCount(build.facts(labels).shape) / 2;
    if (mode !== 2 || words < 1) {
      throw problem(
        { node },
        ": evaluation by softmax or unnormalized scores is not available yet",
        undefined,
        "not-available",
      );
    }
    const ofNoise = Math.log(Math.floor(words) - 1);
    const losses = Array.from({ length: Math.floor(words) }, (_, index) => {
      const word = element(build, labels, 2 * index);
      const column = build.applyNamed("GatherPacked", [word, weight]);
      const product = build.applyNamed("SumColumnElements", [
        build.applyNamed("ElementTimes", [hidden, column]),
      ]);
      const score = build.applyNamed("Plus", [product, biasOf(build, bias, word)]);
      const probability = element(build, labels, 2 * index + 1);
      const sign = index === 0 ? argument(0) : unary("negate", argument(0));
      const noise = build.map(add(constant(ofNoise), sign), [probability]);
      const either = build.applyNamed("LogPlus", [score, noise]);
      return build.applyNamed("Minus", [either, index === 0 ? score : noise]);
    });
    const sum = losses.reduce((total, loss) => build.applyNamed("Plus", [total, loss]));
    return build.apply(detached, [build.applyNamed("SumElements", [sum])]);
  },
});

export const wordCriteriaOperations: readonly OpDefinition[] = [
  classBasedCrossEntropyWithSoftmax,
  noiseContrastiveEstimation,
];
