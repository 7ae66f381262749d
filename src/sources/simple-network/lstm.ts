import type { NetworkNode } from "../../network/network.js";
import { addCriteria } from "./criteria.js";
import type { LayerMaker } from "./layer-maker.js";
import { lstmLayer } from "./lstm-layer.js";
import { hiddenLayers, layerSize } from "./options.js";
import { classCriterion, RecurrentLayers } from "./recurrent.js";

/** `rnnType = LSTM` (SimpleNetworkBuilder.cpp, BuildLSTMNetworkFromDescription). */
export function lstmNetwork(maker: LayerMaker): void {
  const { options } = maker;
  const hidden = hiddenLayers(options);
  const { input } = mixedStack(maker, lookedUp(maker, options.sparseInput ? "sparse" : "dense"));
  const weight = maker.random(`W${hidden}`, layerSize(options, hidden + 1), layerSize(options, hidden));
  const labels = maker.input("labels", layerSize(options, hidden + 1));
  addCriteria(maker, { input, labels, weight });
  const output = maker.times(weight, input, "outputs");
  if (options.needPrior) {
    const prior = maker.node("Log", [maker.node("Mean", [labels])], "LogOfPrior");
    maker.inGroup("output", maker.node("Minus", [output, prior], "ScaledLogLikelihood"));
  } else {
    maker.inGroup("output", output);
  }
  maker.node("Softmax", [output], "PosteriorProb");
}

/** `rnnType = CLASSLSTM`: a language model with classes of words (BuildClassLSTMNetworkFromDescription). */
export function classLstmNetwork(maker: LayerMaker): void {
  finishClassModel(maker, pureStack(maker));
}

/** `rnnType = CLSTM`: the same, with features of the whole text added to the last hidden layer. */
export function conditionalLstmNetwork(maker: LayerMaker): void {
  const { options } = maker;
  const hidden = hiddenLayers(options);
  const stack = pureStack(maker);
  const auxiliary = maker.input("binaryFeature", options.auxiliaryFeatures);
  maker.inGroup("feature", auxiliary);
  const weight = maker.random("AuxTrans0", layerSize(options, hidden), options.auxiliaryFeatures);
  const added = maker.nonlinear(maker.times(weight, auxiliary), hidden, "TimesToGetGlobalBias");
  finishClassModel(maker, maker.plus(stack, added, "PlusGlobalBias"));
}

/** `rnnType = NCELSTM`: trained by noise contrastive estimation (BuildNCELSTMNetworkFromDescription). */
export function noiseContrastiveLstmNetwork(maker: LayerMaker): void {
  const { options } = maker;
  const hidden = hiddenLayers(options);
  const words = layerSize(options, hidden + 1);
  const stack = mixedStack(maker, lookedUp(maker, "sparse"));
  const input = directlyConnected(maker, stack);
  const weight = maker.random(`W${hidden}`, layerSize(options, hidden), words);
  const labels = maker.input("labels", 2 * (options.noiseWords + 1));
  const bias = -Math.log(words);
  const classes = maker.constant(
    "BiasVector",
    1,
    words,
    options.elementType === "float" ? Math.fround(bias) : bias,
  );
  const criterion = addCriteria(maker, {
    input,
    labels,
    weight,
    classes,
    trainingName: "TrainNodeNCEBasedCrossEntropy",
    evaluationName: "EvalNodeNCEBasedCrossEntrpy",
  });
  maker.inGroup("output", criterion);
  if (options.needPrior) maker.node("Mean", [labels]);
}

function finishClassModel(maker: LayerMaker, input: NetworkNode): void {
  const { weight } = classCriterion(maker, input);
  const output = maker.node("TransposeTimes", [weight, input], "outputs");
  maker.inGroup("output", output);
  maker.node("Softmax", [output], "PosteriorProb");
}

/** The features, projected by a lookup table where the network has one. */
function lookedUp(maker: LayerMaker, storage: "dense" | "sparse"): NetworkNode {
  const { options } = maker;
  const order = options.lookupTableOrder;
  const features = maker.input("features", layerSize(options, 0), storage);
  maker.inGroup("feature", features);
  const input = maker.normalized(features);
  if (order <= 0) return input;
  const table = maker.random("E0", layerSize(options, 1), Math.floor(layerSize(options, 0) / order));
  return maker.dropout(maker.node("LookupTable", [table, input], "LookupTable"));
}

/** LSTM layers only, on a lookup table. */
function pureStack(maker: LayerMaker): NetworkNode {
  const { options } = maker;
  if (options.lookupTableOrder <= 0) {
    throw maker.problem(
      "BuildClassLSTMNetworkFromDescription: LSTMNode cannot take sparse input. Need to project sparse input to continuous vector using LookupTable. Suggest using setups below\n layerSizes=$VOCABSIZE$:100:$HIDDIM$:$VOCABSIZE$ \nto have 100 dimension projection, and lookupTableOrder=1\n to project to a single window. To use larger context window, set lookupTableOrder=3 for example with width-3 context window.\n ",
    );
  }
  let input = lookedUp(maker, "sparse");
  const hidden = hiddenLayers(options);
  if (hidden > 0) input = firstLayer(maker, input);
  for (let layer = 2; layer < hidden; layer++) {
    const [before, size] = [layerSize(options, layer), layerSize(options, layer + 1)];
    input = maker.dropout(lstmLayer(maker, layer, before, size, input));
  }
  return input;
}

/** The first layer takes all words of the lookup table. */
function firstLayer(maker: LayerMaker, input: NetworkNode): NetworkNode {
  const { options } = maker;
  const offset = options.lookupTableOrder > 0 ? 1 : 0;
  const inputSize = layerSize(options, offset) * (offset ? options.lookupTableOrder : 1);
  return lstmLayer(maker, 0, inputSize, layerSize(options, offset + 1), input);
}

interface Stack {
  readonly input: NetworkNode;
  /** What comes out of each layer, where something does. */
  readonly outputs: readonly (NetworkNode | undefined)[];
}

/** An LSTM layer, then LSTM layers where `recurrentLayer` lists them and `f (U x + B)` elsewhere. */
function mixedStack(maker: LayerMaker, features: NetworkNode): Stack {
  const { options } = maker;
  const hidden = hiddenLayers(options);
  const offset = options.lookupTableOrder > 0 ? 1 : 0;
  const outputs: (NetworkNode | undefined)[] = [];
  if (offset) outputs[1] = features;
  if (hidden <= 0) return { input: features, outputs };
  let input = firstLayer(maker, features);
  outputs[offset + 1] = input;
  const recurrences = new RecurrentLayers(options.recurrentLayers);
  for (let layer = 1 + offset; layer < hidden; layer++) {
    const [before, size] = [layerSize(options, layer), layerSize(options, layer + 1)];
    let output: NetworkNode;
    if (recurrences.take(layer)) {
      output = lstmLayer(maker, layer, before, size, input);
    } else {
      const weight = maker.random(`U${layer}`, size, before);
      const bias = maker.constant(`B${layer}`, size, 1, 0);
      output = maker.nonlinear(maker.plus(maker.times(weight, input), bias), layer);
    }
    input = maker.dropout(output);
    outputs[layer + 1] = input;
  }
  return { input, outputs };
}

/** `directConnect`: outputs of earlier layers, projected and scaled, are added to the last hidden layer. */
function directlyConnected(maker: LayerMaker, { input: last, outputs }: Stack): NetworkNode {
  const { options } = maker;
  const { directConnect, lookupTableOrder } = options;
  const offset = lookupTableOrder > 0 ? 1 : 0;
  const size = layerSize(options, hiddenLayers(options));
  let input = last;
  for (let layer = offset; layer < options.layerSizes.length; layer++) {
    const before = layerSize(options, layer) * (layer <= 1 && offset ? lookupTableOrder : 1);
    let merged = input;
    directConnect.forEach((wanted, index) => {
      if (wanted !== layer) return;
      const from = outputs[layer];
      if (!from) {
        throw maker.problem(
          `SimpleNetworkBuilder: directConnect names layer ${layer}, which has no output to connect.`,
        );
      }
      const weight = maker.random(`D${index}`, size, before);
      const projected = maker.nonlinear(maker.times(weight, from), index);
      const scale = maker.constant(
        `SV${index}`,
        1,
        1,
        options.elementType === "float" ? Math.fround(0.01) : 0.01,
      );
      const scaled = maker.node("ElementTimes", [scale, projected], `S${index}`);
      merged = maker.plus(input, scaled);
    });
    input = merged;
  }
  return input;
}
