import { exportFormats } from "../../choices.js";
import { defineCommand, demandedOption, textOption } from "../command.js";

/** `cntkts export MODEL --to FORMAT`: a model for other programs. */
export const exportCommand = defineCommand({
  name: "export",
  usage: "export MODEL --to onnx|tfjs|cntk|text|numpy [--output NODE,NODE] [--out FILE]",
  describe: "Writes a model, as far as some nodes need it, for other programs",
  words: ["MODEL"],
  options: {
    to: demandedOption(
      "onnx, tfjs for TensorFlow.js, cntk for the cntk program; or its parameters as text or for numpy",
    ),
    output: textOption("nodes that the exported model computes (default: the model's output nodes)"),
    out: textOption("file to write, for tfjs a folder (default: beside the model)"),
    "file-version": textOption(
      "with --to cntk: version of the model file, from 1 to 26 (default: what it has, or 26)",
    ),
    opset: textOption("with --to onnx: operation set, from 13 to 21 (default: 17)"),
  },
  read: ({ words, oneOf, optional, positive }) => ({
    model: words[0] ?? "",
    format: oneOf("to", exportFormats),
    ...optional("output"),
    ...optional("out"),
    ...("file-version" in optional("file-version") ? { fileVersion: positive("file-version") } : {}),
    ...("opset" in optional("opset") ? { opset: positive("opset") } : {}),
  }),
  run: async ({ model, output, ...request }, { directory, backend, print }) => {
    const { exportModelFile } = await import("../../index.js");
    const path = await exportModelFile(model, {
      ...request,
      outputs: output === undefined ? [] : output.split(",").map((name) => name.trim()),
      directory,
      ...(backend === undefined ? {} : { backend }),
    });
    print(`${path}\n`);
  },
});
