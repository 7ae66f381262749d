import type { Options } from "yargs";
import type { Command } from "./command.js";
import { parser } from "./parser.js";

const runUsage = "cntkts configFile=FILE[+FILE…] [key=value …]";

const description = [
  "Runs CNTK configurations: trains, tests and applies neural networks written in BrainScript.",
  "",
  "Words after configFile= override the file's keys, later ones win: precision=double,",
  "command=train:test, 'trainNetwork=[SGD=[maxEpochs=3]]'. The log is CNTK's and goes to standard error;",
  "stderr=FILE sends it to a file, stderr=- to standard output. Ctrl-C stops after the minibatch;",
  "the same command line goes on from the last checkpoint.",
].join("\n");

const epilogue = [
  "Examples:",
  "  cntkts mnist DataSets/MNIST",
  "  cntkts configFile=models/07_Deconvolution_BS.cntk",
  "  cntkts explain configFile=models/07_Deconvolution_BS.cntk --stage shapes",
  "  cntkts eval --node z.pool1 --model Output/Models/07_Deconvolution_BS.model \\",
  "      --data DataSets/MNIST/Test-28x28_cntk_text.txt --count 3",
  "",
  "cntkts COMMAND --help tells more about one command.",
  "Exit status: 0 done, 1 something is wrong, 130 stopped by Ctrl-C.",
].join("\n");

const backendOption: Options = {
  type: "string",
  describe: "backend to compute with, instead of the automatic choice",
};

/** `cntkts --help`. */
export function mainHelp(commands: readonly Command[]): Promise<string> {
  let help = parser([]).usage(`${runUsage}\n\n${description}`);
  for (const { usage, describe } of commands)
    help = help.command(usage.split(" [options]")[0] ?? "", describe);
  return help
    .option("backend", backendOption)
    .help("help", "this text")
    .option("version", { type: "boolean", describe: "the version" })
    .epilogue(epilogue)
    .getHelp();
}

/** `cntkts COMMAND --help`. */
export function commandHelp({ usage, describe, details, options }: Command): Promise<string> {
  return parser([])
    .usage(`cntkts ${usage}\n\n${describe}${details === undefined ? "" : `\n\n${details}`}`)
    .options(options)
    .option("backend", backendOption)
    .help("help", "this text")
    .getHelp();
}
