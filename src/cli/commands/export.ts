import { exportFormats, exportModelFile } from "../../index.js";
import { defineCommand, demandedOption, textOption } from "../command.js";

/** `cntkts export MODEL --to FORMAT`: a model for other programs. */
export const exportCommand = defineCommand({
  name: "export",
  usage: "export MODEL --to onnx|tfjs|text|numpy [--output NODE,NODE] [--out FILE] [--opset N]",
  describe: "Writes a model, as far as some nodes need it, for other programs",
  words: ["MODEL"],
  options: {
    to: demandedOption("onnx, or tfjs for TensorFlow.js; or its parameters as text or for numpy"),
    output: textOption("nodes that the exported model computes (default: the model's output nodes)"),
    out: textOption("file to write, for tfjs a folder (default: beside the model)"),
    opset: textOption("ONNX's operation set, from 13 to 21 (default: 17)"),
  },
  read: ({ words, oneOf, optional, positive }) => ({
    model: words[0] ?? "",
    format: oneOf("to", exportFormats),
    ...optional("output"),
    ...optional("out"),
    ...("opset" in optional("opset") ? { opset: positive("opset") } : {}),
  }),
  run: async ({ model, output, ...request }, { directory, backend, print }) => {
    const path = await exportModelFile(model, {
      ...request,
      outputs: output === undefined ? [] : output.split(",").map((name) => name.trim()),
      directory,
      ...(backend === undefined ? {} : { backend }),
    });
    print(`${path}\n`);
  },
});
