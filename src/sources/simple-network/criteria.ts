import type { NetworkNode } from "../../network/network.js";
import type { LayerMaker } from "./layer-maker.js";
import type { SimpleNetworkOptions } from "./options.js";

/** What the criterion of a network is made of. */
export interface CriterionParts {
  /** The last hidden activation, or the output where there is no `weight`. */
  readonly input: NetworkNode;
  readonly labels: NetworkNode;
  /** The last layer's matrix; ordinary criteria multiply by it, those of language models do it themselves. */
  readonly weight?: NetworkNode;
  /** Activations of classes, or the bias of noise contrastive estimation. */
  readonly classes?: NetworkNode;
  readonly trainingName?: string;
  readonly evaluationName?: string;
}

type Word = SimpleNetworkOptions["evaluationCriterion"];

/** Operation and default name of a criterion. */
const operations: Readonly<Partial<Record<Word, readonly [operation: string, name: string]>>> = {
  crossEntropyWithSoftmax: ["CrossEntropyWithSoftmax", "CrossEntropyWithSoftmax"],
  squareError: ["SquareError", "SquareError"],
  logistic: ["Logistic", "Logistic"],
  classificationError: ["ClassificationError", "EvalClassificationError"],
  classCrossEntropyWithSoftmax: ["ClassBasedCrossEntropyWithSoftmax", "ClassCrossEntropyWithSoftmax"],
  noiseContrastiveEstimation: ["NCEBasedCrossEntropyWithSoftmax", "NoiseContrastiveEstimationNode"],
};

/**
 * Adds the training criterion and the evaluation node, which is the same node where both are of one kind; returns the
 * latter. Source: ActionsLib/SimpleNetworkBuilder.cpp, AddTrainAndEvalCriterionNodes.
 */
export function addCriteria(maker: LayerMaker, parts: CriterionParts): NetworkNode {
  const { trainingCriterion, evaluationCriterion } = maker.options;
  const { input, labels, weight, classes } = parts;
  maker.inGroup("label", labels);
  /** The network's output, multiplied when a criterion first needs it. */
  let multiplied: NetworkNode | undefined;
  const add = (word: Word, name: string | undefined): NetworkNode => {
    const found = operations[word];
    if (!found) throw maker.problem("Unsupported training criterion.", `${word} is of no use here`);
    const [operation, defaultName] = found;
    if (word === "classCrossEntropyWithSoftmax" || word === "noiseContrastiveEstimation") {
      if (!weight || !classes) {
        const kinds = word === "noiseContrastiveEstimation" ? "NCELSTM" : "CLASSLM, CLASSLSTM or CLSTM";
        throw maker.problem(
          `${operation} does not fit a network of this rnnType.`,
          `it needs rnnType = ${kinds}`,
        );
      }
      return maker.node(operation, [labels, input, weight, classes], name ?? defaultName);
    }
    if (weight) multiplied ??= maker.times(weight, input);
    return maker.node(operation, [labels, multiplied ?? input], name ?? defaultName);
  };
  const training = add(trainingCriterion, parts.trainingName);
  maker.inGroup("criterion", training);
  const evaluation =
    evaluationCriterion === trainingCriterion ? training : add(evaluationCriterion, parts.evaluationName);
  maker.inGroup("evaluation", evaluation);
  return evaluation;
}
