import { defineCommand, textOption } from "../command.js";

const details = [
  "The page is one file that needs no network and no program but a browser. It shows",
  "",
  "  the graph       zoom, pan and search; layers are groups by their names, closed where there are many,",
  "                  and open with a double click; parameters are parts of the nodes that use them",
  "  every node      operation, shape, inputs, users, attributes; of parameters a histogram, and their",
  "                  values as a picture: kernels of convolutions, weights of images, matrices",
  "  all parameters  as a table, the largest first",
  "  the training    curves of criteria, learning rates and speed, with --log: what a training of cntkts or",
  "                  CNTK wrote to standard error; of several processes the first one's lines",
  "",
  "Models that cannot be run are shown too. Examples:",
  "",
  "  cntkts view Output/Models/07_Deconvolution_BS.model",
  "  cntkts view net.dnn --log train.log --out net.html",
  "",
  "A name behind # opens the page at that node: net.html#z.conv1.W",
].join("\n");

/** `cntkts view MODEL`: a page that shows a model. */
export const viewCommand = defineCommand({
  name: "view",
  usage: "view MODEL [--out FILE.html] [--log TRAINING.log]",
  describe: "Makes a page of a model: graph, parameters, kernels, training curves",
  details,
  words: ["MODEL"],
  options: {
    out: textOption("page to write (default: beside the model, with the ending .html)"),
    log: textOption("log of the training, for its curves"),
  },
  read: ({ words, optional }) => ({ model: words[0] ?? "", ...optional("out"), ...optional("log") }),
  run: async ({ model, ...request }, { directory, print }) => {
    const { viewModelFile } = await import("../../index.js");
    print(`${await viewModelFile(model, { ...request, directory })}\n`);
  },
});
