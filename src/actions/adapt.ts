import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { loadedNetwork } from "./loaded-network.js";
import { trainAction, type TrainingAction } from "./train.js";

/**
 * Action `adapt`: trains a model that is there already (ActionsLib/TrainActions.cpp, DoAdapt; SGD.cpp, Adapt). The
 * regularization towards the original model is refused: CNTK says of its own that it no longer works.
 */
export const adaptAction: TrainingAction = {
  ...trainAction,
  adapts: true,
  describe: undefined,
  // Nothing is demanded of it before the commands run.
  demand: undefined,
  epochs: undefined,
  create(session, section) {
    refuseRegularization(section.section("SGD"));
    const path = section.string("origModelFileName", "");
    session.log.stamped(`Load Network From the original model file ${path}.\n`);
    return Promise.resolve(loadedNetwork(session, path));
  },
};

function refuseRegularization(sgd: ConfigSection): void {
  const kind = sgd.string("adaptationRegType", "None");
  if (kind.toLowerCase() === "none" || !(sgd.number("adaptationRegWeight", 0) > 0)) return;
  throw new CntkError({
    code: "not-available",
    message: `adapt with adaptationRegType = ${kind} is not available: it does not work in CNTK either`,
    span: sgd.keySpan("adaptationRegType"),
    hint: "BS.Network.CloneFunction brings the original model into the criterion, as CNTK recommends",
  });
}
