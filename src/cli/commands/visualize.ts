import { defineCommand, demandedOption, textOption } from "../command.js";

const list = (names: string | undefined): string[] =>
  names === undefined ? [] : names.split(",").map((name) => name.trim());

/** `cntkts visualize`: draws samples and prints where the picture and the text dump lie. */
export const visualizeCommand = defineCommand({
  name: "visualize",
  usage: "visualize MODEL… --data FILE --out DIR [--node NODE,NODE] [--count N] [options]",
  describe: "Draws what nodes of one or more models make of samples, side by side, one PNG",
  details:
    "The input comes first, then of each model its nodes, each under its name and shape. Of several models each shows those of the " +
    "nodes that it has. Maps of several channels are tiles; an input of three channels is in colour. Each tile goes from black " +
    "(its smallest value) to white (its largest); the numbers stand in a text file beside the picture.",
  words: ["MODEL…"],
  options: {
    data: demandedOption("samples, in CNTK's text format"),
    node: textOption("nodes, by name or by an ending of it (default: the models' outputs)"),
    encoder: textOption("node to draw before these, e.g. z.pool1"),
    decoder: textOption("node to draw behind the encoder, e.g. z"),
    input: textOption("input to draw (default: the first one that the nodes need)"),
    out: demandedOption("folder for the picture and the text, or the picture's path with .png"),
    count: { ...textOption("number of samples"), default: "5" },
  },
  read: ({ words, text, optional, positive }) => ({
    models: words,
    data: text("data"),
    count: positive("count"),
    nodes: list(optional("node").node),
    ...optional("encoder"),
    ...optional("decoder"),
    ...optional("input"),
    out: text("out"),
  }),
  run: async ({ models, ...options }, { directory, backend, signal, print }) => {
    const { visualize } = await import("../../index.js");
    const { picture, text } = await visualize(models, {
      ...options,
      directory,
      signal,
      ...(backend === undefined ? {} : { backend }),
    });
    print(`picture: ${picture}\nvalues: ${text}\n`);
  },
});
