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

function unavailable(...names: readonly string[]): Action {
  const refused = (_: Session, command: Command): never => {
    const actions = command.section.array("action");
    return refuse(actions.find((action) => names.includes(action)) ?? names[0] ?? "", command);
  };
  return {
    names,
    run: (session, command) => Promise.resolve().then(() => refused(session, command)),
    check: (session, command) => Promise.resolve().then(() => refused(session, command)),
  };
}

/** Actions of CNTK's that cntkts does not have; they are refused when it is their turn (CNTK.cpp, DoCommands). */
export const unavailableActions: readonly Action[] = [
  unavailable("convertdbn"),
  unavailable("devtest"),
  unavailable("exportdbn"),
];
