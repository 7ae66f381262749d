import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Action, Command } from "./action.js";
import { unavailableActions } from "./unavailable.js";

/** How an action is come by. */
type Load = () => Promise<Action>;

/** Every action of cntkts under its names; what one is made of is loaded when a command asks for it. */
const loaders: readonly (readonly [load: Load, ...names: string[]])[] = [
  [async () => (await import("./train.js")).trainAction, "train", "trainRNN"],
  [async () => (await import("./test.js")).testAction, "test", "eval"],
  [async () => (await import("./write.js")).writeAction, "write"],
  [async () => (await import("./write-word-and-class.js")).writeWordAndClassAction, "writeWordAndClass"],
  [async () => (await import("./create-label-map.js")).createLabelMapAction, "createLabelMap"],
  [async () => (await import("./edit.js")).editAction, "edit"],
  [async () => (await import("./cross-validate.js")).crossValidateAction, "cv"],
  [async () => (await import("./normalization-statistics.js")).normalizationStatisticsAction, "bnstat"],
  [async () => (await import("./adapt.js")).adaptAction, "adapt"],
  [async () => (await import("./dump-nodes.js")).dumpNodesAction, "dumpNodes", "dumpNode", "dumpnode"],
  [async () => (await import("./plot.js")).plotAction, "plot"],
  [async () => (await import("./svd.js")).svdAction, "SVD"],
];

/** By name, CNTK's actions that cntkts does not have among them. */
const byName = new Map<string, Load>([
  ...loaders.flatMap(([load, ...names]) => names.map((name) => [name, load] as const)),
  ...Array.from(unavailableActions, ([name, action]): [string, Load] => [
    name,
    () => Promise.resolve(action),
  ]),
]);

/** The action of a name, if CNTK has one. Case matters, as in CNTK. */
export async function actionByName(name: string): Promise<Action | undefined> {
  return byName.get(name)?.();
}

/** The action of a name that a command gives. Throws CntkError `unknown-action`. */
export async function requireAction(name: string, { name: command, section }: Command): Promise<Action> {
  const action = await actionByName(name);
  if (action) return action;
  throw new CntkError({
    code: "unknown-action",
    message: `unknown action: ${name}  in command set: ${command}`,
    span: section.keySpan("action"),
    hint: didYouMean(name, byName.keys()),
  });
}
