import { writeWhole } from "../../files/file-access.js";
import { nodeFiles } from "../../node/index.js";
import { defineCommand, demandedOption, textOption } from "../command.js";

/** `cntkts eval`: the values of one node, one sample a line, to standard output or into a file. */
export const evalCommand = defineCommand({
  name: "eval",
  usage: "eval --node NAME --model MODEL [--data FILE] [options]",
  describe: "Computes a node of a model for samples of a file, one line a sample",
  words: [],
  options: {
    node: demandedOption("node by name, or by an ending of its name that no other node has"),
    model: demandedOption("model file"),
    data: textOption("samples, in CNTK's text format; not needed for parameters"),
    count: textOption("number of samples (default: all)"),
    out: textOption("file to write (default: standard output)"),
    format: { ...textOption("text or json"), default: "text" },
  },
  read: ({ text, oneOf, optional, positive }) => ({
    node: text("node"),
    model: text("model"),
    ...optional("data"),
    format: oneOf("format", ["text", "json"]),
    ...optional("out"),
    ...("count" in optional("count") ? { count: positive("count") } : {}),
  }),
  run: async ({ node, model, data, format, out, count }, { directory, backend, signal, print }) => {
    const { evaluatedAsJson, evaluatedAsText, loadModel } = await import("../../index.js");
    const files = nodeFiles(directory);
    const session = loadModel(model, { files, ...(backend === undefined ? {} : { backend }) });
    const evaluated = await session.evaluateFile([node], files, data, count, signal);
    const result = evaluated.map(format === "json" ? evaluatedAsJson : evaluatedAsText).join("");
    if (out === undefined) print(result);
    else writeWhole(files, out, (file) => file.write(result));
  },
});
