import { loadModel, printNodes } from "../../index.js";
import { defineCommand } from "../command.js";

/** `cntkts print-nodes MODEL [--long]`: every node of a model file, one a line. */
export const printNodesCommand = defineCommand({
  name: "print-nodes",
  usage: "print-nodes MODEL [--long]",
  describe: "Lists the nodes of a model file",
  words: ["MODEL"],
  options: {
    long: { type: "boolean", describe: "with type, shape and inputs of every node", default: false },
  },
  read: ({ words, flag }) => ({ model: words[0] ?? "", long: flag("long") }),
  run: async ({ model, long }, { directory, print }) => {
    const session = loadModel(model, { directory });
    print(printNodes(session.model, long, () => session.shaped));
  },
});
