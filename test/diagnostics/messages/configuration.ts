import { configuration, network, training, type MessageCase } from "./message-case.js";

/** Configuration files and command lines. */
export const configurationCases: readonly MessageCase[] = [
  { code: "usage", files: {}, command: "exlain net.cntk" },
  { code: "file-missing", files: {}, command: "check precision=double configFile=net.cntk" },
  { code: "file-unreadable", files: {}, command: "print-nodes ." },
  {
    code: "file-unwritable",
    files: { "net.cntk": "stderr = net.cntk/log\ncommand = train\n" },
    command: "configFile=net.cntk",
  },
  {
    code: "config-file-missing",
    files: { "net.cntk": "command = train\n" },
    command: "configFile= net.cntk precision=double",
  },
  configuration("config-file-twice", "command = train", "check configFile=net.cntk+net.cntk"),
  configuration("carriage-return", "command = train\rprecision = double"),
  configuration(
    "variables-nested",
    Array.from({ length: 20 }, (_, i) => `a${i + 1} = $a${i}$$a${i}$`).join("\n") +
      "\na0 = x\ncommand = train\nprecision = $a20$",
  ),
  configuration("include-variable", "dir = configs\ninclude=$dir$/base.cntk"),
  configuration("directory-missing", "command = train", "check currentDirectory=nowhere configFile=net.cntk"),
  configuration("no-closing", "train = [\n  action = train\n"),
  configuration(
    "no-closing",
    "train = {\n  SGD = { maxEpochs = 1\n  reader = { file = data.txt }\n}\nprecision = double",
  ),
  configuration("unmatched-bracket", "train = [\n  SGD = ( maxEpochs = 1 ]\n]"),
  configuration("no-value", "train = [\n  SGD =\n  [ maxEpochs = 1 ]\n]"),
  configuration(
    "unknown-variable",
    "command = train\ntrain = [ action = train ; modelPath = $dir$/net ]\nmodelPath = $outDir$/net",
    "configFile=net.cntk",
  ),
  configuration(
    "circular-variable",
    "SGD = [ maxEpochs = 1 ; learningRatesPerSample = 0.01 ] ; reader = [ file = data.txt ]\nroot = $data$/..\ndata = $root$/data\ncommand = train\nmodelPath = $data$/net\ntrain = [ action = train ]",
    "configFile=net.cntk",
  ),
  configuration(
    "newline-in-variable",
    "SGD = [ maxEpochs = 1 ; learningRatesPerSample = 0.01 ] ; reader = [ file = data.txt ]\nlines = [\n  a = 1\n]\nmodelPath = $lines$\ncommand = train\ntrain = [ action = train ]",
    "configFile=net.cntk",
  ),
  configuration("bad-value", "traceLevel = high\ncommand = train"),
  configuration("precision", "precision = half\ncommand = train\ntrain = [ action = train ]"),
  configuration("precision", "type = double\ncommand = train\ntrain = [ action = train ]"),
  configuration("command-missing", "command = trainNet\ntrainNetwork = [ action = train ]"),
  configuration("missing-key", "command = train\ntrain = [\n  action = train\n]", "configFile=net.cntk"),
  configuration(
    "missing-key",
    "command = test\ntest = [\n  action = test ; modelPath = net.model\n  output = [\n    reader = [ file = data.txt ]\n  ]\n]",
    "configFile=net.cntk",
  ),
  configuration("unknown-action", "command = train\ntrain = [ action = trian ]"),
  configuration(
    "builder-missing",
    "SGD = [ maxEpochs = 1 ; learningRatesPerSample = 0.01 ] ; reader = [ file = data.txt ]\nmodelPath = net.model\ncommand = train\ntrain = [ action = train ]",
  ),
  configuration(
    "not-available",
    "SGD = [ maxEpochs = 1 ; learningRatesPerSample = 0.01 ] ; reader = [ file = data.txt ]\nmodelPath = net.model\ncommand = train\ntrain = [\n  action = train\n  createNetwork = [ ]\n]",
  ),
  configuration(
    "network-options",
    "SGD = [ maxEpochs = 1 ; learningRatesPerSample = 0.01 ] ; reader = [ file = data.txt ]\nmodelPath = net.model\ncommand = train\ntrain = [\n  action = train\n  SimpleNetworkBuilder = [\n    layerSizes = 2:5:1 ; rnnType = LTSM\n    trainingCriterion = squareError ; evalCriterion = squareError\n  ]\n]",
  ),
  configuration(
    "word-classes",
    "command = count\ncount = [\n  action = writeWordAndClass\n  inputFile = text.txt ; outputVocabFile = words.txt ; vocabSize = 100\n]",
  ),
  {
    code: "no-network",
    files: { "net.bs": "z = 1 + 2\n" },
    command: "explain configFile=net.bs --stage network",
  },
  network(
    "network-description",
    "x = Input {2}",
    "check configFile=net.cntk train=[BrainScriptNetworkBuilder=x]",
  ),
  training("reader-type", {
    reader: "readerType = CNTKTextFormatReadr\ninput = [ x = [ dim = 2 ; format = dense ] ]",
  }),
  training("not-available", { reader: "readerType = KaldiReader\nfeatures = [ dim = 2 ]" }),
];
