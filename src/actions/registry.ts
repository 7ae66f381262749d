import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Action, Command } from "./action.js";
import { adaptAction } from "./adapt.js";
import { createLabelMapAction } from "./create-label-map.js";
import { crossValidateAction } from "./cross-validate.js";
import { dumpNodesAction } from "./dump-nodes.js";
import { editAction } from "./edit.js";
import { normalizationStatisticsAction } from "./normalization-statistics.js";
import { plotAction } from "./plot.js";
import { svdAction } from "./svd.js";
import { testAction } from "./test.js";
import { trainAction } from "./train.js";
import { unavailableActions } from "./unavailable.js";
import { writeAction } from "./write.js";
import { writeWordAndClassAction } from "./write-word-and-class.js";

/** Every action of CNTK's, those that cntkts does not have among them. */
export const actions: readonly Action[] = [
  trainAction,
  testAction,
  writeAction,
  writeWordAndClassAction,
  createLabelMapAction,
  editAction,
  crossValidateAction,
  normalizationStatisticsAction,
  adaptAction,
  dumpNodesAction,
  plotAction,
  svdAction,
  ...unavailableActions,
];

const byName = new Map(actions.flatMap((action) => action.names.map((name) => [name, action] as const)));

/** The action of a name, if CNTK has one. Case matters, as in CNTK. */
export function actionByName(name: string): Action | undefined {
  return byName.get(name);
}

/** The action of a name that a command gives. Throws CntkError `unknown-action`. */
export function requireAction(name: string, { name: command, section }: Command): Action {
  const action = byName.get(name);
  if (action) return action;
  throw new CntkError({
    code: "unknown-action",
    message: `unknown action: ${name}  in command set: ${command}`,
    span: section.keySpan("action"),
    hint: didYouMean(name, byName.keys()),
  });
}
