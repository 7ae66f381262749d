import type { NetworkSource } from "../network-source.js";
import { feedForwardNetwork } from "./feed-forward.js";
import { feedForwardLanguageModel, logBilinearNetwork } from "./language-models.js";
import { LayerMaker } from "./layer-maker.js";
import {
  classLstmNetwork,
  conditionalLstmNetwork,
  lstmNetwork,
  noiseContrastiveLstmNetwork,
} from "./lstm.js";
import { type NetworkKind, readSimpleNetworkOptions } from "./options.js";
import { classLanguageModel, recurrentNetwork } from "./recurrent.js";

const builders: Readonly<Record<NetworkKind, (maker: LayerMaker) => void>> = {
  SIMPLENET: feedForwardNetwork,
  SIMPLERNN: recurrentNetwork,
  LSTM: lstmNetwork,
  CLASSLM: classLanguageModel,
  LBLM: logBilinearNetwork,
  NPLM: feedForwardLanguageModel,
  CLASSLSTM: classLstmNetwork,
  NCELSTM: noiseContrastiveLstmNetwork,
  CLSTM: conditionalLstmNetwork,
  CRF: (maker) => {
    // The kind has a number in CNTK, but no builder.
    throw maker.problem(
      "BuildNetworkFromDescription: invalid m_standardNetworkKind 512",
      "CNTK has no rnnType = CRF",
    );
  },
};

/**
 * `SimpleNetworkBuilder`: a network of a standard kind, described by the sizes of its layers.
 * Source: ActionsLib/SimpleNetworkBuilder.cpp.
 */
export const simpleNetworkSource: NetworkSource = {
  key: "SimpleNetworkBuilder",
  validatesSilently: true,
  build(section, { elementType, seeds, log }) {
    const own = section.section("SimpleNetworkBuilder");
    log.write("SimpleNetworkBuilder Using CPU\n");
    const options = readSimpleNetworkOptions(own, elementType);
    const maker = new LayerMaker(options, seeds, section.keySpan("SimpleNetworkBuilder"));
    builders[options.kind](maker);
    return Promise.resolve(maker.finish());
  },
};
