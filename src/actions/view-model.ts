import { CntkError } from "../diagnostics/diagnostic.js";
import { readTrainings } from "../log/training-curves.js";
import type { PageParts } from "../view/index.js";
import type { ModelSession } from "./model-session.js";

export interface ViewModelRequest {
  /** Name of the model, as the page shows it. */
  readonly title: string;
  /** The program's version. */
  readonly version: string;
  /** Text and name of a training's log. */
  readonly log?: { readonly text: string; readonly name: string };
  readonly parts: PageParts;
}

/**
 * A model as one page of HTML that needs nothing else.
 * @throws CntkError `log-empty` when the log tells of no training
 */
export async function viewModelPage(session: ModelSession, request: ViewModelRequest): Promise<string> {
  const { title, version, log, parts } = request;
  // Loaded when somebody asks for a page: no other command has to wait for it.
  const { pageText, viewOfModel } = await import("../view/index.js");
  const trainings = log ? readTrainings(log.text) : [];
  if (log && trainings.length === 0) {
    throw new CntkError({
      code: "log-empty",
      message: `The log '${log.name}' tells of no training: it has no lines of epochs or minibatches.`,
      hint: "--log takes what a training wrote to standard error, or to the file of stderr=",
    });
  }
  const { model } = session;
  const producer = `cntkts ${version}`;
  return pageText(viewOfModel({ model, shape: () => session.shaped, title, producer, trainings }), parts);
}
