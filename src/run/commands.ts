import { actionByName } from "../actions/registry.js";
import type { Command } from "../actions/action.js";
import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";

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
export async function demandKeys(root: ConfigSection, commands: readonly ReadCommand[]): Promise<void> {
  // CNTK looks at the actions of all commands before it fills in the default one (CNTK.cpp, DisableLegacyTruncationSettings).
  if (!root.hasOwn("truncated")) for (const { section } of commands) refuseOldTruncation(section);
  for (const { section, actions } of commands) {
    for (const name of actions) (await actionByName(name))?.demand?.(section);
  }
}

/** `truncated` of a reader alone would leave the training ignorant of it. */
function refuseOldTruncation(section: ConfigSection): void {
  const trains = section.texts("action").some(({ text }) => text === "train" || text === "trainRNN");
  if (!trains) return;
  const sgd = section.section("SGD");
  const reader = section.section("reader");
  if (!reader.hasOwn("truncated") || sgd.hasOwn("truncated")) return;
  throw new CntkError({
    code: "truncated-in-reader",
    message:
      "DisableLegacyUsage: setting Truncated only in reader section are not allowed. Please move Truncated=true/false to the top level section.",
    span: reader.keySpan("truncated"),
  });
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
