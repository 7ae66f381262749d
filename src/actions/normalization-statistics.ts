import type { ConfigSection } from "../config/config-section.js";
import { memoryBlock } from "../memory-sharing/index.js";
import { initialEngines, modelFromNetwork, saveModel } from "../model-files/index.js";
import { requirePlan, shapeNetwork, trainingModeGraph } from "../pipeline.js";
import { readerFromConfig } from "../readers/index.js";
import type { Session } from "../session.js";
import { checkStreams } from "../training/feed.js";
import { inputsBelow } from "../network/node-order.js";
import { normalizationNodes } from "../training/normalization-constants.js";
import { estimateNormalizations } from "../training/normalization-statistics.js";
import { parameterValues } from "../training/parameters.js";
import { refuseNodeTracing } from "../training/refused-options.js";
import type { Action } from "./action.js";
import { checkReaderSection, readerSection } from "./reader-section.js";
import { evaluationNodesNamed } from "./evaluation-nodes.js";
import { networkForEvaluation } from "./networks.js";
import { leaveUntrained } from "./stored-values.js";

/**
 * Action `bnstat`: takes the statistics of all batch normalizations of a model anew, over more data than training's running
 * averages have seen, and writes a model that keeps them (ActionsLib/TrainActions.cpp, DoBatchNormalizationStat).
 */
export const normalizationStatisticsAction: Action = {
  async run(session, { section }) {
    const { files, log, elementType, communicator } = session;
    const reader = await readerFromConfig(statisticsReader(section), session);
    try {
      const options = readOptions(section);
      const { shaped, nodes, requirePrecision } = await networkOf(session, section);
      requirePrecision();
      if (options.traceLevel > 0) log.write(memoryBlock(shaped, { evaluated: nodes }));
      const request = { ...options, shaped, nodes, reader, values: parameterValues(shaped, elementType) };
      if (nodes.length > 0) checkStreams(inputsBelow(nodes), reader);
      const estimated = await estimateNormalizations(session, request);
      if (communicator.rank > 0) return {};
      const model = modelFromNetwork(estimated.shaped, estimated.values, elementType, initialEngines(shaped));
      saveModel(model, files, options.newModelPath);
      return {};
    } finally {
      await reader.close();
    }
  },
  async check(session, { section }) {
    await checkReaderSection(session, statisticsReader(section));
    const { newModelPath } = readOptions(section);
    const { shaped, nodes, requirePrecision } = await networkOf(session, section);
    requirePrecision();
    requirePlan(trainingModeGraph(shaped, nodes), session.elementType);
    leaveUntrained(session, newModelPath, shaped);
  },
};

/** The reader's trace level is the command's. */
function statisticsReader(section: ConfigSection): ConfigSection {
  return readerSection(section);
}

function readOptions(section: ConfigSection) {
  refuseNodeTracing(section);
  const modelPath = section.string("modelPath", "");
  return {
    traceLevel: section.integer("traceLevel", 0),
    iterations: section.size("itersPerNode", 30),
    minibatchSize: section.integerSchedule("minibatchSize", [40960]).at(0),
    newModelPath: section.string("newModelPath", "") || `${modelPath}.PBN`,
  };
}

/** The network, compiled a second time with its batch normalizations as roots, as CNTK does. */
async function networkOf(session: Session, section: ConfigSection) {
  const { shaped, requirePrecision } = await networkForEvaluation(session, section, "evalNodeNames");
  const evaluated = evaluationNodesNamed(session, shaped, section.array("evalNodeNames", []));
  const nodes = normalizationNodes(shaped, evaluated);
  const { evaluation } = shaped.network.groups;
  const own = [...evaluation];
  evaluation.push(...nodes.filter((node) => !own.includes(node)));
  const again = shapeNetwork(session, shaped.network, section.integer("traceLevel", 0), shaped);
  evaluation.splice(0, evaluation.length, ...own);
  return { shaped: again.shaped, nodes, requirePrecision };
}
