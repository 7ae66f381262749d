import type { MappedText } from "../../config/index.js";
import { runCommand } from "./commands.js";
import { placed } from "./editing-problem.js";
import { ModelSet } from "./model-set.js";
import { type EditingStatement, readEditingScript } from "./read-script.js";
import type { EditingServices } from "./services.js";

/**
 * Carries out a script of CNTK's model editing language, statement by statement (ModelEditLanguage.h and .cpp, MELScript).
 * Throws CntkError at the first mistake; what was saved until then stays, as in CNTK.
 */
export function runEditingScript(text: MappedText, services: EditingServices): void {
  const models = new ModelSet((line) => services.log(line));
  for (const statement of readEditingScript(text)) {
    placed(statement.text.spanOf(), () => runStatement(statement, models, services));
  }
}

function runStatement(statement: EditingStatement, models: ModelSet, services: EditingServices): void {
  switch (statement.kind) {
    case "command": {
      const { name, parameters, text: at } = statement;
      runCommand(name, { models, services, parameters, at });
      return;
    }
    case "description": {
      const network = services.newModel();
      services.describeWhole(network, statement.text);
      models.enter(statement.name.text, network);
      return;
    }
    case "inline": {
      const model = models.requireDefault(statement.text);
      model.description ??= services.describe(model.network);
      model.description.add(statement.text);
    }
  }
}
