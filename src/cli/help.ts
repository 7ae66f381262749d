/** Texts of `cntkts --help`. */
export const runUsage = "cntkts configFile=FILE[+FILE…] [key=value …]";

export const description = [
  "Runs CNTK configurations: trains, tests and applies neural networks written in BrainScript.",
  "",
  "Words after configFile= override the file's keys, later ones win: precision=double,",
  "command=train:test, 'trainNetwork=[SGD=[maxEpochs=3]]'. The log is CNTK's and goes to standard error;",
  "stderr=FILE sends it to a file, stderr=- to standard output. Ctrl-C stops after the minibatch;",
  "the same command line goes on from the last checkpoint.",
].join("\n");

export const commandLines: Readonly<Record<string, string>> = {
  check: "Builds and validates the network of every command; needs no data, writes nothing",
  explain: "Prints one stage of the road from configuration to plan",
  "print-nodes": "Lists the nodes of a model file",
  eval: "Computes a node of a model for samples of a file, one line a sample",
  visualize: "Draws samples: original, encoding and decoding side by side, one PNG",
  mnist: "Writes the MNIST text files that the sample configurations read",
};

export const epilogue = [
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
