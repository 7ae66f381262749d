import { addCriteria } from "./criteria.js";
import type { LayerMaker } from "./layer-maker.js";
import { hiddenLayers, layerSize } from "./options.js";

/** `rnnType = SIMPLENET`: layers `f (W x + B)`, the last one linear (SimpleNetworkBuilder.cpp, BuildFFDNNFromDescription). */
export function feedForwardNetwork(maker: LayerMaker): void {
  const { options } = maker;
  const hidden = hiddenLayers(options);
  const size = (layer: number): number => layerSize(options, layer);
  const features = maker.input("features", size(0));
  maker.inGroup("feature", features);
  let input = maker.normalized(features, ["MeanOfFeatures", "InvStdOfFeatures", "MVNormalizedFeatures"]);
  const linear = (layer: number, before: string) => {
    const weight = maker.random(`W${layer}`, size(layer + 1), size(layer));
    const bias = maker.constant(`B${layer}`, size(layer + 1), 1, 0);
    const product = maker.times(weight, input, `W${layer}*${before}`);
    return maker.plus(product, bias, `W${layer}*${before}+B${layer}`);
  };
  for (let layer = 0; layer < hidden; layer++) {
    const name = `H${layer + 1}`;
    const activation = linear(layer, layer === 0 ? "features" : `H${layer}`);
    input = maker.dropout(maker.nonlinear(activation, layer, name), `Drop${name}`);
  }
  const output = linear(hidden, `H${hidden - 1}`);
  output.name = "HLast";
  const labels = maker.input("labels", size(hidden + 1));
  addCriteria(maker, { input: output, labels });
  if (options.needPrior) {
    const prior = maker.node("Log", [maker.node("Mean", [labels], "Prior")], "LogOfPrior");
    maker.inGroup("output", maker.node("Minus", [output, prior], "ScaledLogLikelihood"));
  } else {
    maker.inGroup("output", output);
  }
  maker.node("Softmax", [output], "PosteriorProb");
}
