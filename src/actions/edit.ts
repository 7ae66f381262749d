import { modelFromNetwork, saveModel } from "../model-files/index.js";
import type { ShapedNetwork } from "../network/network.js";
import { buildShapedNetwork } from "../pipeline.js";
import type { Session } from "../session.js";
import { parameterValues } from "../training/parameters.js";
import type { Action, Command } from "./action.js";
import { editByScript, editingServices } from "./edit-script.js";
import { leaveUntrained } from "./stored-values.js";

/**
 * Action `edit`: saves the network that BrainScriptNetworkBuilder describes, usually one made of a loaded model, or carries
 * out a script of the model editing language (ActionsLib/TrainActions.cpp, DoEdit). With `makeMode` a model that is there already is left alone.
 */
export const editAction: Action = {
  async run(session, command) {
    const { files, log } = session;
    const { section } = command;
    if (isScript(command)) {
      editByScript(session, section);
      return {};
    }
    const makeMode = section.boolean("makeMode", true);
    const path = section.string("outputModelPath");
    if (makeMode && files.exists(path)) {
      log.stamped(`'${path}' exists, skipping. Specify makeMode=false to force executing the action.\n`);
      return {};
    }
    const shaped = await editedNetwork(session, command);
    const { elementType } = session;
    const model = modelFromNetwork(shaped, parameterValues(shaped, elementType), elementType);
    saveModel(model, files, path);
    log.stamped(`\nModel with ${model.nodes.length} nodes saved as '${path}'.\n`);
    return {};
  },
  async check(session, command) {
    const { section } = command;
    if (isScript(command)) {
      editByScript(session, section, editingServices(session, section, true));
      return;
    }
    section.boolean("makeMode", true);
    const path = section.string("outputModelPath");
    leaveUntrained(session, path, await editedNetwork(session, command));
  },
};

async function editedNetwork(session: Session, { section }: Command): Promise<ShapedNetwork> {
  return buildShapedNetwork(session, section, section.integer("traceLevel", 0));
}

/** The older way to edit is a script in a language of its own. */
function isScript({ section }: Command): boolean {
  return !section.has("BrainScriptNetworkBuilder");
}
