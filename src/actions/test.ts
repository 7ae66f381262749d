import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { elementCount } from "../network/network.js";
import { inputsBelow } from "../pipeline.js";
import type { ConfigSection } from "../config/config-section.js";
import { memoryBlock } from "../shapes/index.js";
import { type EvaluationResult, evaluate } from "../training/evaluate.js";
import { checkStreams } from "../training/feed.js";
import { parameterValues } from "../training/parameters.js";
import { readerFromConfig } from "../readers/index.js";
import { compileInference } from "./compile.js";
import { networkForEvaluation } from "./networks.js";
import type { CommandContext } from "./run-context.js";

/** The reader section of a test or eval: not randomized unless the section says so itself. */
export function evaluationReader(command: CommandContext, key = "reader", force = false): ConfigSection {
  const section = command.section.section(key);
  if (force || !section.hasOwn("randomize")) section.inject("randomize", "None");
  if (!section.hasOwn("traceLevel")) section.inject("traceLevel", "0");
  return section;
}

/** Action `test` (also called `eval`): averages criteria over a data set (ActionsLib/EvalActions.cpp). */
export async function testAction(command: CommandContext): Promise<EvaluationResult> {
  const { section, log } = command;
  const reader = await readerFromConfig(evaluationReader(command), command);
  try {
    const { shaped } = networkForEvaluation(command, "evalNodeNames");
    const nodes = nodesToEvaluate(command, shaped);
    const inputs = inputsBelow(nodes);
    if (section.integer("traceLevel", 0) > 0) log.write(memoryBlock(shaped, { evaluated: nodes }));
    checkStreams(inputs, shaped.facts, reader);
    const values = parameterValues(shaped, command.elementType);
    const executable = await compileInference(command, shaped, nodes, values);
    try {
      return await evaluate({
        executable,
        elementType: command.elementType,
        inputs,
        nodes,
        reader,
        log,
        minibatchSize: section.integerSchedule("minibatchSize", [40960]).at(0),
        epochSize: section.size("epochSize", 0),
        minibatchesToShow: section.size("numMBsToShowResult", 100),
        firstMinibatchesToShow: section.size("firstMBsToShowResult", 0),
        traceLevel: section.integer("traceLevel", 0),
        signal: command.signal,
        onProgress: command.onProgress,
      });
    } finally {
      await executable.dispose();
    }
  } finally {
    await reader.close();
  }
}

/** evalNodeNames, or all evaluation nodes and then all criteria. */
function nodesToEvaluate(command: CommandContext, shaped: ShapedNetwork): NetworkNode[] {
  const { groups } = shaped.network;
  if (command.section.array("evalNodeNames", []).length && groups.output.length) {
    for (const node of groups.output) requireScalar(shaped, node);
    return [...groups.output];
  }
  command.log.write(
    "evalNodeNames are not specified, using all the default evalnodes and training criterion nodes.\n",
  );
  return [...new Set([...groups.evaluation, ...groups.criterion])];
}

function requireScalar(shaped: ShapedNetwork, node: NetworkNode): void {
  const shape = shaped.facts.get(node)?.shape ?? [];
  if (elementCount(shape) === 1) return;
  throw new CntkError({
    code: "criterion-not-scalar",
    message: `Criterion nodes to evaluate must have dimension 1x1.`,
    span: node.origin,
    label: `${node.name} has ${elementCount(shape)} elements`,
  });
}
