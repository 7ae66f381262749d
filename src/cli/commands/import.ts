import { defineCommand, textOption } from "../command.js";

/** `cntkts import MODEL.onnx`: an ONNX model as a model file of CNTK. */
export const importCommand = defineCommand({
  name: "import",
  usage: "import MODEL.onnx [--out FILE]",
  describe: "Makes a CNTK model file of an ONNX model, so that its training can go on",
  words: ["MODEL"],
  options: {
    out: textOption("model file to write (default: beside the ONNX model, with the ending .model)"),
  },
  read: ({ words, optional }) => ({ model: words[0] ?? "", ...optional("out") }),
  run: async ({ model, ...request }, { directory, print }) => {
    const { importModelFile } = await import("../../index.js");
    print(`${await importModelFile(model, { ...request, directory })}\n`);
  },
});
