import { training, type MessageCase } from "./message-case.js";

function converting(code: string, data: string, command: string): MessageCase {
  return { code, files: { "data.txt": data }, command };
}

/** Asks for the file of labels that a table of numbers brings. */
function labelMap(code: string, streams: string): MessageCase {
  const reader = `readerType = UCIFastReader ; file = data.txt\n${streams}`;
  const sections = `train = [ reader = [\n${reader}\n] ]\nmap = [ action = createLabelMap ; section = train ]`;
  const files = { "net.cntk": `command = map\n${sections}\n`, "data.txt": "0 1 yes\n1 0 no\n" };
  return { code, files, command: "configFile=net.cntk" };
}

/** Text files with data, and the reader's section. */
export const dataCases: readonly MessageCase[] = [
  {
    ...training("file-missing", {}),
    command: "configFile=net.cntk reader=[file=DataSets/Train-28x28_cntk_text.txt]",
  },
  {
    ...training("file-missing", {}),
    command: String.raw`configFile=net.cntk reader=[file=.\data.txt]`,
  },
  { ...training("file-missing", {}), command: "configFile=net.cntk reader=[file=date.txt]" },
  training("data-format", { data: "" }),
  training("data-format", { data: "x 0 1\n" }),
  training("data-format", { data: "|x 0 1 |y 1\n|x 1 0 7 |y 0\n" }),
  training("data-format", { data: "|x 0 one |y 1\n" }),
  training("data-format", { data: "|x 0,5 1 |y 1\n" }),
  training("data-format", { data: "|x 0 .5 |y 1\n" }),
  training("data-format", { data: "|x 0 NA |y 1\n" }),
  training("data-format", { data: "|x 0:1 1:1 |y 1\n" }),
  training("data-format", { data: "0.5, 1, 1\n" }),
  training("data-format", { data: "# first\n|x 0 1 |y 1\n" }),
  training("data-format", { data: "1 x |x 0 1 |y 1\n" }),
  training("data-format", { data: "| x 0 1 |y 1\n" }),
  training("data-format", { data: "|x 0 1 |y 1\n\n|x 1 0 |y 0\n" }),
  training("data-format", { data: "|x 0 1 |y 1\n|a 1 0 |b 0\n" }),
  training("data-format", {
    data: "|x 1:1 |y 1\n|x 2:1 |y 0\n",
    reader: "input = [ x = [ dim = 2 ; format = sparse ] ; y = [ dim = 1 ; format = dense ] ]",
  }),
  training("data-malformed", { data: "|x 0 1 |y 1\n|x 1 0\n" }),
  training("data-malformed", { data: "|x 0 1 |Y 1\n" }),
  training("data-format", { data: "\t1 |x 0 1 |y 1\n" }),
  training("data-format", {
    reader: "input = [ x = [ dim = 2 ; format = sparse ] ; y = [ dim = 1 ; format = dense ] ]",
  }),
  training("reader-option", { reader: "input = [ x = [ dim = 2 ] ]" }),
  training("reader-option", { reader: "input = [ x = [ dim = 2 ; format = thick ] ]" }),
  training("reader-precision", {
    reader:
      "precision = double\ninput = [ x = [ dim = 2 ; format = dense ] ; y = [ dim = 1 ; format = dense ] ]",
  }),
  training("sequence-in-frame-mode", {
    data: "1 |x 0 1 |y 1\n1 |x 1 0 |y 0\n",
    reader:
      "frameMode = true\ninput = [ x = [ dim = 2 ; format = dense ] ; y = [ dim = 1 ; format = dense ] ]",
  }),
  labelMap("no-labels", "features = [ dim = 2 ; start = 0 ]"),
  labelMap(
    "no-label-file",
    "features = [ dim = 2 ; start = 0 ]\nlabels = [ dim = 1 ; start = 2 ; labelDim = 2 ]",
  ),
  converting("convert-option", "1 2\n", "convert text-to-bin data.txt out.bin"),
  converting("convert-option", "1 2\n", "convert text-to-binary data.txt out.bin --streams x:2"),
  converting("convert-option", "1 2\n", "convert columns-to-text data.txt out.txt --labels 0:1"),
  converting(
    "convert-data",
    "0 1.5\n3 2.5\n",
    "convert columns-to-text data.txt out.txt --labels 0:1 --features 1:1 --classes 2",
  ),
  converting(
    "convert-data",
    "0 1.5\n1 x\n",
    "convert columns-to-text data.txt out.txt --labels 0:1 --features 1:1",
  ),
  converting("convert-data", "1 2\n", "convert idx-to-text data.txt out.txt"),
];
