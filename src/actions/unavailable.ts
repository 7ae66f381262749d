import { CntkError } from "../diagnostics/diagnostic.js";
import type { Session } from "../session.js";
import type { Action, Command } from "./action.js";

/** What the actions that are missing are for. */
const purposes: Readonly<Record<string, string>> = {
  convertdbn: "makes a model of a file of DBN.exe, a tool before CNTK",
  devtest: "is a self test of CNTK's developers",
  exportdbn: "writes a model as a file of DBN.exe, a tool before CNTK",
};

function refuse(action: string, { section }: Command): never {
  throw new CntkError({
    code: "not-available",
    message: `action ${action} is not available yet`,
    span: section.keySpan("action"),
    hint: `it ${purposes[action] ?? "is no action of this version"}; train, adapt, test (or eval), cv, bnstat, write, edit, dumpNodes, plot, SVD and createLabelMap are there`,
  });
}

function unavailable(name: string): Action {
  const refused = (_: Session, command: Command): Promise<never> =>
    Promise.resolve().then(() => refuse(name, command));
  return { run: refused, check: refused };
}

/** Actions of CNTK's that cntkts does not have; they are refused when it is their turn (CNTK.cpp, DoCommands). */
export const unavailableActions: ReadonlyMap<string, Action> = new Map(
  Object.keys(purposes).map((name) => [name, unavailable(name)]),
);
