import { defineCommand, demandedOption, textOption } from "../command.js";

/** `cntkts visualize`: draws samples and prints where the picture and the text dump lie. */
export const visualizeCommand = defineCommand({
  name: "visualize",
  usage: "visualize MODEL --data FILE --encoder NODE --decoder NODE --out DIR [--count N]",
  describe: "Draws samples: original, encoding and decoding side by side, one PNG",
  words: ["MODEL"],
  options: {
    data: demandedOption("samples, in CNTK's text format"),
    encoder: demandedOption("node shown as the encoding, e.g. z.pool1"),
    decoder: demandedOption("node shown as the decoding, e.g. z"),
    out: demandedOption("folder for the picture and the text dump"),
    count: { ...textOption("number of samples"), default: "5" },
  },
  read: ({ words, text, positive }) => ({
    model: words[0] ?? "",
    data: text("data"),
    count: positive("count"),
    encoder: text("encoder"),
    decoder: text("decoder"),
    out: text("out"),
  }),
  run: async ({ model, ...options }, { directory, backend, signal, print }) => {
    const { visualize } = await import("../../index.js");
    const { picture, text } = await visualize(model, {
      ...options,
      directory,
      signal,
      ...(backend === undefined ? {} : { backend }),
    });
    print(`picture: ${picture}\nvalues: ${text}\n`);
  },
});
