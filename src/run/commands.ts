import { actionByName } from "../actions/registry.js";
import type { Command } from "../actions/action.js";
import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { RunLog } from "../log/run-log.js";

/** A command and what it is to do, in this order. */
export interface ReadCommand extends Command {
  readonly actions: readonly string[];
}

/** The commands of a configuration. */
export function readCommands(root: ConfigSection, names: readonly string[]): ReadCommand[] {
  return names.map((name): ReadCommand => {
    const section = commandSection(root, name);
    return { name, section, actions: section.array("action", ["train"]) };
  });
}

/** Demands what the actions demand before any of them runs. A check demands nothing: it looks at what is there. */
export async function demandKeys(commands: readonly ReadCommand[]): Promise<void> {
  for (const { section, actions } of commands) {
    for (const name of actions) (await actionByName(name))?.demand?.(section);
  }
}

function commandSection(root: ConfigSection, name: string): ConfigSection {
  if (root.has(name)) return root.section(name);
  throw new CntkError({
    code: "command-missing",
    message: `configparameters: required parameter missing: ${root.name}:${name}`,
    span: root.keySpan("command"),
    label: `there is no section '${name}'`,
    hint: didYouMean(name, root.keys()),
  });
}

/** `progressTracing = true`: the epochs that the commands will run, for whoever watches a cluster. */
export async function progressTracing(
  commands: readonly ReadCommand[],
  root: ConfigSection,
  log: RunLog,
): Promise<void> {
  if (!root.boolean("progressTracing", false)) return;
  log.stamped(`CNTKModelPath: ${root.string("modelPath", "")}\n`);
  let total = 0;
  for (const { name, section, actions } of commands) {
    for (const action of actions) {
      const epochs = (await actionByName(action))?.epochs?.(section);
      if (epochs === undefined) continue;
      total += epochs;
      log.stamped(`CNTKCommandTrainInfo: ${name} : ${epochs}\n`);
    }
  }
  log.stamped(`CNTKCommandTrainInfo: CNTKNoMoreCommands_Total : ${total}\n`);
}
