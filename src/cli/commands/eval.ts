import { writeWhole } from "../../files/file-access.js";
import { nodeFiles } from "../../node/index.js";
import { defineCommand, demandedOption, textOption } from "../command.js";

/** `cntkts eval`: the values of one node, one sample a line, to standard output or into a file. */
export const evalCommand = defineCommand({
  name: "eval",
  usage: "eval --node NAME [--model MODEL] [--data FILE] [configFile=… key=value …] [options]",
  describe: "Computes a node of a model for samples of a file, one line a sample",
  details:
    "Without --model it is the model that the configuration trains, without --data the data of its test command; without a " +
    "configuration either is what the last run in this folder left. What is taken is said on standard error.",
  configurationIsOptional: true,
  options: {
    node: demandedOption("node by name, or by an ending of its name that no other node has"),
    model: textOption("model file"),
    data: textOption("samples, in CNTK's text format; not needed for parameters"),
    count: textOption("number of samples (default: all)"),
    out: textOption("file to write (default: standard output)"),
    format: { ...textOption("text or json"), default: "text" },
  },
  read: ({ words, text, oneOf, optional, positive }) => ({
    node: text("node"),
    ...optional("model"),
    ...optional("data"),
    ...(words.length > 0 && { words }),
    format: oneOf("format", ["text", "json"]),
    ...optional("out"),
    ...("count" in optional("count") ? { count: positive("count") } : {}),
  }),
  run: async ({ node, format, out, ...request }, { directory, backend, signal, print, errors }) => {
    const { evaluatedAsJson, evaluatedAsText, evaluateNodes } = await import("../../index.js");
    const files = nodeFiles(directory);
    const onChoice = (choice: string): void => void errors.write(`${choice}\n`);
    const options = { files, signal, onChoice, ...(backend === undefined ? {} : { backend }) };
    const evaluated = await evaluateNodes([node], { ...request, ...options });
    const result = evaluated.map(format === "json" ? evaluatedAsJson : evaluatedAsText).join("");
    if (out === undefined) print(result);
    else writeWhole(files, out, (file) => file.write(result));
  },
});
