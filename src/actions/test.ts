import type { ConfigSection } from "../config/config-section.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { inputsBelow } from "../network/node-order.js";
import { inferenceGraph, requirePlan } from "../pipeline.js";
import { readerFromConfig } from "../readers/index.js";
import type { Session } from "../session.js";
import { memoryBlock } from "../memory-sharing/index.js";
import { readEvaluationOptions } from "../training/evaluation-options.js";
import { evaluate, Evaluator } from "../training/evaluator.js";
import { checkStreams } from "../training/feed.js";
import { evaluationTeam } from "../training/processes.js";
import { parameterValues } from "../training/parameters.js";
import { tracedNodes, Tracing } from "../training/tracing.js";
import { UnrollWarnings } from "../training/unroll-warnings.js";
import type { Action } from "./action.js";
import { checkInputs, checkReaderSection, readerSection } from "./reader-section.js";
import { defaultEvaluationNodes, requireScalar } from "./evaluation-nodes.js";
import { keysThere, networkForEvaluation } from "./networks.js";

/** The reader section of a test or eval: not randomized unless the section says so itself. */
function testReader(section: ConfigSection): ConfigSection {
  const reader = readerSection(section);
  reader.setDefault("randomize", "None");
  return reader;
}

/** Action `test` (also called `eval`): averages criteria over a data set (ActionsLib/EvalActions.cpp). */
export const testAction: Action = {
  async run(session, { section }) {
    const { log, signal, onProgress } = session;
    const reader = await readerFromConfig(testReader(section), session);
    try {
      const options = readEvaluationOptions(section);
      const { shaped, requirePrecision } = await networkForEvaluation(session, section, "evalNodeNames");
      const traced = tracedNodes(session, shaped, options.traced);
      const nodes = nodesToEvaluate(session, section, shaped);
      if (options.traceLevel > 0) log.write(memoryBlock(shaped, { evaluated: nodes }));
      requirePrecision();
      checkStreams(inputsBelow(nodes), reader);
      const values = parameterValues(shaped, session.elementType);
      const tracing = new Tracing(session, shaped, nodes, traced);
      const evaluator = await Evaluator.compile(session, shaped, nodes, values, tracing);
      try {
        const unrolled = new UnrollWarnings(shaped, nodes, options.traceLevel);
        const readsApart = section.boolean("distributedMBReading", reader.readsParts) && reader.readsParts;
        const team = evaluationTeam(session, readsApart);
        return await evaluate(evaluator, { reader, options, log, unrolled, signal, onProgress, team });
      } finally {
        await evaluator.dispose();
      }
    } finally {
      await reader.close();
    }
  },
  async check(session, command) {
    const { section } = command;
    const streams = keysThere(session, command, "reader").has("reader")
      ? await checkReaderSection(session, testReader(section))
      : undefined;
    readEvaluationOptions(section);
    const { shaped, requirePrecision } = await networkForEvaluation(session, section, "evalNodeNames");
    const nodes = nodesToEvaluate(session, section, shaped);
    requirePrecision();
    checkInputs(inputsBelow(nodes), shaped, streams);
    requirePlan(inferenceGraph(shaped, nodes), session.elementType);
  },
};

/** evalNodeNames, or the default ones. */
function nodesToEvaluate(session: Session, section: ConfigSection, shaped: ShapedNetwork): NetworkNode[] {
  const { output } = shaped.network.groups;
  if (section.array("evalNodeNames", []).length === 0 || output.length === 0) {
    return defaultEvaluationNodes(session, shaped);
  }
  for (const node of output) requireScalar(shaped, node);
  return [...output];
}
