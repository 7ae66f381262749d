import type { ConfigSection } from "../../config/config-section.js";
import type { NetworkSource, SourceEnvironment } from "../network-source.js";
import { feedForwardNetwork } from "./feed-forward.js";
import { feedForwardLanguageModel, logBilinearNetwork } from "./language-models.js";
import { LayerMaker } from "./layer-maker.js";
import {
  classLstmNetwork,
  conditionalLstmNetwork,
  lstmNetwork,
  noiseContrastiveLstmNetwork,
} from "./lstm.js";
import { type NetworkKind, readSimpleNetworkOptions, type SimpleNetworkOptions } from "./options.js";
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
  build(section, environment) {
    const { seeds } = environment;
    const options = readDescription(section, environment);
    const maker = new LayerMaker(options, seeds, section.keySpan("SimpleNetworkBuilder"));
    builders[options.kind](maker);
    return Promise.resolve(maker.finish());
  },
  read(section, environment) {
    readDescription(section, environment);
    // The builder holds an empty network from the start.
    environment.compiler.newDefaultAxis();
    return Promise.resolve();
  },
};

function readDescription(
  section: ConfigSection,
  { elementType, log }: SourceEnvironment,
): SimpleNetworkOptions {
  const own = section.section("SimpleNetworkBuilder");
  log.write("SimpleNetworkBuilder Using CPU\n");
  return readSimpleNetworkOptions(own, elementType);
}
