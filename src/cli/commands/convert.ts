import { defineCommand, textOption } from "../command.js";

const details = [
  "KIND is one of",
  "",
  "  text-to-binary   CNTK's text format → CNTKBinaryReader's, as ctf2bin does. Needs the streams of the text:",
  "                   --streams 'features dense 784, labels dense 10' (NAME [ALIAS] dense|sparse DIMENSION, …)",
  "  binary-to-text   and back; sequences of several samples get their numbers",
  "  columns-to-text  a table of numbers, a sample a line, columns apart by blanks, tabs or commas (UCIFastReader's data)",
  "                   → text: --features 1:784 --labels 0:1 --classes 10 (columns FIRST:COUNT from 0; without --classes",
  "                   labels are numbers)",
  "  images-to-map    a folder with a folder of pictures for each class → the map file that image readers take; the names",
  "                   of the classes stand beside it in TARGET.classes",
  "  idx-to-text      bytes of an idx file (MNIST's form) → text: --labels FILE --classes 10 adds one-hot labels",
  "",
  "TARGET appears when it is whole. Examples:",
  "",
  "  cntkts convert text-to-binary Train.txt Train.bin --streams 'features dense 784, labels dense 10'",
  "  cntkts convert columns-to-text iris.csv iris.txt --features 0:4 --labels 4:1 --classes 3",
  "  cntkts convert images-to-map photos map.txt",
  "  cntkts convert idx-to-text train-images-idx3-ubyte Train.txt --labels train-labels-idx1-ubyte",
].join("\n");

/** `cntkts convert KIND SOURCE TARGET`. */
export const convertCommand = defineCommand({
  name: "convert",
  usage: "convert KIND SOURCE TARGET [options]",
  describe: "Converts data: text ↔ binary, tables, idx files and folders of pictures for CNTK's readers",
  details,
  words: ["KIND", "SOURCE", "TARGET"],
  options: {
    streams: textOption("streams of the text file: NAME [ALIAS] dense|sparse DIMENSION, separated by commas"),
    header: textOption("file that lists them, one a line, as ctf2bin has it"),
    precision: textOption("float (the default) or double: what a binary file holds"),
    "chunk-size": textOption("bytes of text in a chunk of the binary file (default: 33554432)"),
    features: textOption("columns of the features, FIRST:COUNT, from 0"),
    labels: textOption("columns of the labels, or the idx file with them"),
    classes: textOption("classes of a label, written one-hot"),
  },
  read: ({ words, optional, positive }) => ({
    kind: words[0] ?? "",
    source: words[1] ?? "",
    target: words[2] ?? "",
    ...optional("streams"),
    ...optional("header"),
    ...optional("precision"),
    ...optional("features"),
    ...optional("labels"),
    ...("chunk-size" in optional("chunk-size") ? { chunkSize: positive("chunk-size") } : {}),
    ...("classes" in optional("classes") ? { classes: positive("classes") } : {}),
  }),
  run: async ({ kind, source, target, ...options }, { directory, errors, print }) => {
    const { convertData } = await import("../../index.js");
    let shown = -1;
    const onProgress = (share: number): void => {
      const percent = Math.floor(100 * share);
      if (!errors.isTTY || percent === shown) return;
      shown = percent;
      errors.write(`\r${percent}%${percent >= 100 ? "\n" : ""}`);
    };
    const { path, sequences } = await convertData(kind, source, target, {
      directory,
      onProgress,
      ...options,
    });
    print(`${path}: ${sequences} ${kind === "images-to-map" ? "pictures" : "sequences"}\n`);
  },
});
