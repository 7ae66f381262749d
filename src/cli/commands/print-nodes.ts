import { defineCommand } from "../command.js";

/** `cntkts print-nodes MODEL`: every node of a model file, one a line; or its layers with their numbers of parameters. */
export const printNodesCommand = defineCommand({
  name: "print-nodes",
  usage: "print-nodes MODEL [--long|--json|--summary]",
  describe: "Lists the nodes of a model file",
  words: ["MODEL"],
  options: {
    long: { type: "boolean", describe: "with type, shape and inputs of every node", default: false },
    json: { type: "boolean", describe: "the same as JSON, with parameters and groups", default: false },
    summary: { type: "boolean", describe: "layers with their numbers of parameters", default: false },
  },
  read: ({ words, flag }) => ({
    model: words[0] ?? "",
    long: flag("long"),
    json: flag("json"),
    summary: flag("summary"),
  }),
  run: async ({ model, long, json, summary }, { directory, print }) => {
    const { loadModel, modelSummary, nodesAsJson, printNodes } = await import("../../api-model.js");
    const session = loadModel(model, { directory });
    const shape = () => session.shaped;
    if (json) print(nodesAsJson(session.model, shape));
    else if (summary) print(modelSummary(session.model));
    else print(printNodes(session.model, long, shape));
  },
});
