import { modelFromNetwork } from "../model-files/index.js";
import { buildFromText, networkText, shapeNetwork } from "../pipeline.js";
import { parameterValues } from "../training/parameters.js";
import { networkForEvaluation } from "./networks.js";
import type { CommandContext } from "./run-context.js";

/**
 * One command of `cntkts check`: builds and validates its network and prints CNTK's log up to there. A train command
 * leaves its untrained network for later commands that load the same modelPath. Reads no data, writes nothing.
 */
export async function checkAction(command: CommandContext): Promise<void> {
  const { section, log } = command;
  const actions = section.array("action", ["train"]);
  if (!actions.some((action) => action.startsWith("train"))) {
    networkForEvaluation(command, actions.includes("write") ? "outputNodeNames" : "evalNodeNames");
    return;
  }
  const traceLevel = section.integer("traceLevel", 0);
  if (traceLevel > 0) log.stamped("\nCreating virgin network.\n");
  const { network } = buildFromText(command, networkText(section), traceLevel, log);
  const { shaped } = shapeNetwork(command, network, traceLevel, log);
  const path = section.optionalSection("SGD")?.string("modelPath", "") ?? section.string("modelPath", "");
  if (path) {
    const values = parameterValues(shaped, command.elementType);
    command.untrained?.set(
      command.files.resolve(path),
      modelFromNetwork(shaped, values, command.elementType),
    );
  }
}
