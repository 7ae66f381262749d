import type { NetworkNode } from "../../network/network.js";
import { addCriteria } from "./criteria.js";
import type { LayerMaker } from "./layer-maker.js";
import { hiddenLayers, layerSize } from "./options.js";
import { biasedLayer, missingBias, RecurrentLayers } from "./recurrent.js";

/** `rnnType = LBLM`: a log-bilinear language model (SimpleNetworkBuilder.cpp, BuildLogBilinearNetworkFromDescription). */
export function logBilinearNetwork(maker: LayerMaker): void {
  const { options } = maker;
  const hidden = hiddenLayers(options);
  const size = (layer: number): number => layerSize(options, layer);
  const order = options.lookupTableOrder;
  const features = maker.input("features", size(0));
  maker.inGroup("feature", features);
  let input = maker.normalized(features);
  if (order > 0) {
    const table = maker.random("E0", size(1), Math.floor(size(0) / order));
    input = maker.dropout(maker.node("LookupTable", [table, input], "Lookuptatble"));
  }
  let output = input;
  for (let steps = 1; steps <= options.movingAverageOrder; steps++) {
    const past = maker.pastValue(size(0), steps, `pastValue${steps}`);
    maker.closeLoop(past, input);
    const weight = maker.random(`DD${steps}`, size(0), size(0));
    output = maker.plus(output, maker.times(weight, past));
  }
  input = maker.dropout(output);
  const recurrences = new RecurrentLayers(options.recurrentLayers);
  for (let layer = order > 0 ? 1 : 0; layer < hidden; layer++) {
    const weight = maker.random(`U${layer}`, size(layer + 1), size(layer) * (order > 0 ? order : 1));
    input = maker.times(weight, input);
    if (recurrences.take(layer + 1)) {
      const recurrent = maker.random(`R${layer + 1}`, size(layer + 1), size(layer + 1));
      const past = maker.pastValue(size(layer + 1));
      input = maker.plus(maker.times(recurrent, past), input);
      maker.closeLoop(past, input);
    }
    const bias = maker.constant(`bi${layer}`, size(layer + 1), 1, 0);
    input = maker.dropout(maker.plus(input, bias));
  }
  finish(maker, input, maker.input.bind(maker), "outputs");
}

/** `rnnType = NPLM`: a feed-forward language model on five words (BuildDNNLMNetworkFromDescription). */
export function feedForwardLanguageModel(maker: LayerMaker): void {
  const { options } = maker;
  const size = (layer: number): number => layerSize(options, layer);
  const features = maker.input("features", size(0), "sparse");
  maker.inGroup("feature", features);
  let input = maker.normalized(features);
  const biasOfLayers = maker.biasBefore(input);
  const hidden = hiddenLayers(options);
  const recurrences = new RecurrentLayers(options.recurrentLayers);
  if (hidden > 0) {
    const bias = maker.constant("bi0", size(1), 1, 0);
    const pasts = [1, 2, 3, 4].map((steps) => maker.pastValue(size(0), steps));
    for (const past of pasts) maker.closeLoop(past, input);
    if (!recurrences.take(1)) throw missingBias(maker, 0);
    const names = ["WXI2", "WXI3", "WXI4", "WXI1", "WXI"];
    const weights = new Map(names.map((name) => [name, maker.random(name, size(1), size(0))]));
    const product = (name: string, of: NetworkNode): NetworkNode => {
      const weight = weights.get(name);
      if (!weight) throw new Error(`no weight ${name}`);
      return maker.times(weight, of);
    };
    let sum = product("WXI", input);
    pasts.forEach((past, index) => {
      sum = maker.plus(product(`WXI${index + 1}`, past), sum);
    });
    input = maker.dropout(maker.plus(maker.node("Tanh", [sum]), bias));
  }
  for (let layer = 1; layer < hidden; layer++) {
    const weight = maker.random(`U${layer}`, size(layer + 1), size(layer));
    if (!recurrences.take(layer + 1)) {
      input = maker.dropout(biasedLayer(maker, layer, maker.times(weight, input), biasOfLayers));
      continue;
    }
    const recurrent = maker.random(`W${layer}`, size(layer + 1), size(layer + 1));
    const past = maker.pastValue(size(layer + 1));
    const second = maker.times(recurrent, past);
    const output = maker.nonlinear(maker.plus(maker.times(weight, input), second), layer);
    maker.closeLoop(past, output);
    input = maker.dropout(output);
  }
  finish(maker, input, (name, dimension) => maker.input(name, dimension, "sparse"), "");
}

function finish(
  maker: LayerMaker,
  input: NetworkNode,
  labelInput: (name: string, dimension: number) => NetworkNode,
  outputName: string,
): void {
  const { options } = maker;
  const hidden = hiddenLayers(options);
  const weight = maker.random(`W${hidden}`, layerSize(options, hidden + 1), layerSize(options, hidden));
  const labels = labelInput("labels", layerSize(options, hidden + 1));
  addCriteria(maker, { input, labels, weight });
  maker.inGroup("output", maker.times(weight, input, outputName));
  if (options.needPrior) maker.node("Mean", [labels]);
}
