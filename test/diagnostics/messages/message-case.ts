/** One way to go wrong: the files there are, the command line, and the code of the message that follows. */
export interface MessageCase {
  readonly code: string;
  /** Shown and written into the folder where the command runs. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** A command line that is run first and goes well. */
  readonly before?: string;
  /** The command line, words separated by one blank. */
  readonly command: string;
  /** Ctrl-C is pressed at once. */
  readonly interrupted?: boolean;
}

const check = "check configFile=net.cntk";

function indented(text: string, width: number): string {
  const lines = text.replace(/^\n|\s+$/g, "").split("\n");
  const common = Math.min(...lines.filter((line) => line.trim()).map((line) => line.search(/\S/)));
  return lines.map((line) => (line.trim() ? " ".repeat(width) + line.slice(common) : "")).join("\n");
}

/** A configuration file as it stands. */
export function configuration(code: string, text: string, command = check): MessageCase {
  return { code, files: { "net.cntk": indented(text, 0) + "\n" }, command };
}

/** The text of a network in a configuration that does nothing but hold it. */
export function network(code: string, text: string, command = check): MessageCase {
  return { code, files: { "net.cntk": networkFile(text) }, command };
}

export function networkFile(text: string): string {
  return `train = [\n  action = "train" ; modelPath = "net.model"\n  SGD = [ maxEpochs = 1 ; learningRatesPerSample = 0.01 ] ; reader = [ file = data.txt ]\n  BrainScriptNetworkBuilder = {\n${indented(text, 4)}\n  }\n]\n`;
}

/** An expression of BrainScript, shown with its values by `explain`. */
export function expression(code: string, text: string): MessageCase {
  return {
    code,
    files: { "net.cntk": networkFile(text) },
    command: "explain configFile=net.cntk --stage values",
  };
}

interface TrainingParts {
  readonly network?: string;
  readonly sgd?: string;
  /** Lines of the reader section besides its type and file. */
  readonly reader?: string;
  /** The reader's section is made of deserializers, and says all itself. */
  readonly composite?: boolean;
  readonly data?: string | Uint8Array;
  /** Lines at the end of the configuration. */
  readonly more?: string;
  readonly before?: string;
  readonly command?: string;
}

/** A whole training; each part may be replaced by one that goes wrong. */
export function training(code: string, parts: TrainingParts): MessageCase {
  const network = `
    x = Input {2} ; y = Input {1}
    z = LinearLayer {1} (x)
    error = SquareError (y, z)
    criterionNodes = (error) ; outputNodes = (z)`;
  const sgd = "maxEpochs = 1 ; minibatchSize = 2 ; epochSize = 4 ; learningRatesPerSample = 0.01";
  const reader = "input = [ x = [ dim = 2 ; format = dense ] ; y = [ dim = 1 ; format = dense ] ]";
  const text = [
    "command = train",
    'modelPath = "net.model"',
    "train = [",
    '  action = "train"',
    `  BrainScriptNetworkBuilder = {\n${indented(parts.network ?? network, 4)}\n  }`,
    `  SGD = [\n${indented(parts.sgd ?? sgd, 4)}\n  ]`,
    "]",
    `reader = [\n${parts.composite ? "" : "  readerType = CNTKTextFormatReader ; file = data.txt\n"}${indented(parts.reader ?? reader, 2)}\n]`,
    ...(parts.more === undefined ? [] : [indented(parts.more, 0)]),
  ].join("\n");
  const data = parts.data ?? "|x 0 1 |y 1\n|x 1 0 |y 0\n|x 1 1 |y 1\n|x 0 0 |y 0\n";
  return {
    code,
    files: { "net.cntk": text + "\n", "data.txt": data },
    ...(parts.before === undefined ? {} : { before: parts.before }),
    command: parts.command ?? "configFile=net.cntk",
  };
}
