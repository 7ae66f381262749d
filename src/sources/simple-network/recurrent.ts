import type { NetworkNode } from "../../network/network.js";
import { addCriteria } from "./criteria.js";
import type { LayerMaker } from "./layer-maker.js";
import { hiddenLayers, layerSize } from "./options.js";

/** `rnnType = SIMPLERNN` (SimpleNetworkBuilder.cpp, BuildRNNFromDescription). */
export function recurrentNetwork(maker: LayerMaker): void {
  const { options } = maker;
  const hidden = hiddenLayers(options);
  const features = maker.input("features", layerSize(options, 0), "sparse");
  maker.inGroup("feature", features);
  const input = hiddenStack(maker, maker.normalized(features), false);
  const weight = maker.random(`W${hidden}`, layerSize(options, hidden + 1), layerSize(options, hidden));
  const labels = maker.input("labels", layerSize(options, hidden + 1));
  addCriteria(maker, { input, labels, weight, trainingName: "criterion", evaluationName: "eval" });
  maker.inGroup("output", maker.times(weight, input, "outputs"));
  if (options.needPrior) maker.node("Mean", [labels]);
}

/** `rnnType = CLASSLM`: a language model with classes of words (BuildClassEntropyRNNFromDescription). */
export function classLanguageModel(maker: LayerMaker): void {
  const { options } = maker;
  const hidden = hiddenLayers(options);
  if (options.vocabularySize !== layerSize(options, hidden + 1)) {
    throw maker.problem(
      "BuildClassEntropyRNNFromDescription : vocabulary size should be the same as the output layer size",
      `vocabSize is ${options.vocabularySize}, the last of layerSizes ${layerSize(options, hidden + 1)}`,
    );
  }
  const features = maker.input("features", layerSize(options, 0), "sparse");
  maker.inGroup("feature", features);
  const input = hiddenStack(maker, maker.normalized(features), true);
  const { criterion, labels } = classCriterion(maker, input);
  maker.inGroup("output", criterion);
  if (options.needPrior) maker.node("Mean", [labels]);
}

/** The last layer of a language model with classes: a column of weights for each word, a row for each class. */
export function classCriterion(
  maker: LayerMaker,
  input: NetworkNode,
): { readonly criterion: NetworkNode; readonly labels: NetworkNode; readonly weight: NetworkNode } {
  const { options } = maker;
  const hidden = hiddenLayers(options);
  const weight = maker.random(`W${hidden}`, layerSize(options, hidden), layerSize(options, hidden + 1));
  // Word, class, first word of the class and the one behind its last.
  const labels = maker.input("labels", 4);
  const classWeight = maker.random("WeightForClassPostProb", options.classCount, layerSize(options, hidden));
  const classes = maker.times(classWeight, input, "ClassPostProb");
  const criterion = addCriteria(maker, {
    input,
    labels,
    weight,
    classes,
    trainingName: "TrainNodeClassBasedCrossEntropy",
    evaluationName: "EvalNodeClassBasedCrossEntrpy",
  });
  return { criterion, labels, weight };
}

/**
 * Hidden layers, recurrent ones `f (U x + W h')` and others `f (U x + B)`. Only a first layer that is not recurrent makes
 * the bias, and only a language model's; later layers take the same. Where none is made, B is the deviation that normalizes the
 * features, if it is there: then validation decides.
 */
function hiddenStack(maker: LayerMaker, features: NetworkNode, makesBias: boolean): NetworkNode {
  const { options } = maker;
  const size = (layer: number): number => layerSize(options, layer);
  const recurrences = new RecurrentLayers(options.recurrentLayers);
  let input = features;
  let bias = maker.biasBefore(features);
  for (let layer = 0; layer < hiddenLayers(options); layer++) {
    const fromInput = maker.random(`U${layer}`, size(layer + 1), size(layer));
    let output: NetworkNode;
    if (recurrences.take(layer + 1)) {
      const fromPast = maker.random(`W${layer}`, size(layer + 1), size(layer + 1));
      const past = maker.pastValue(size(layer + 1));
      const second = maker.times(fromPast, past);
      // CNTK gives every recurrent layer the first layer's function.
      output = maker.nonlinear(maker.plus(maker.times(fromInput, input), second), 0);
      maker.closeLoop(past, output);
    } else {
      if (layer === 0 && makesBias) bias = maker.random("B0", size(1), 1);
      output = biasedLayer(maker, layer, maker.times(fromInput, input), bias);
    }
    input = maker.dropout(output);
  }
  return input;
}

/** A hidden layer that is not recurrent. @throws CntkError where there is no bias: CNTK adds one that it has not made, and ends. */
export function biasedLayer(
  maker: LayerMaker,
  layer: number,
  product: NetworkNode,
  bias: NetworkNode | undefined,
): NetworkNode {
  if (!bias) throw missingBias(maker, layer);
  return maker.nonlinear(maker.plus(product, bias), layer);
}

export function missingBias(maker: LayerMaker, layer: number): Error {
  return maker.problem(
    `SimpleNetworkBuilder: hidden layer ${layer + 1} of rnnType=${maker.options.kind} is not recurrent and has no bias to add.`,
    `list it in recurrentLayer, for example recurrentLayer = ${layer + 1}`,
  );
}

/** The list `recurrentLayer`, of which each entry counts once, in its order; the last one for ever. */
export class RecurrentLayers {
  private next = 0;

  constructor(private readonly layers: readonly number[]) {}

  /** Is this layer recurrent? Layers are asked for in ascending order. */
  take(layer: number): boolean {
    const wanted = this.layers[Math.min(this.next, this.layers.length - 1)];
    if (wanted !== layer) return false;
    this.next++;
    return true;
  }
}
