import { configurationCases } from "./configuration.js";
import { dataCases } from "./data.js";
import { imageCases } from "./images.js";
import { languageCases } from "./language.js";
import type { MessageCase } from "./message-case.js";
import { modelCases } from "./models.js";
import { networkCases } from "./networks.js";
import { scriptCases } from "./scripts.js";
import { sequenceCases } from "./sequences.js";
import { speechCases } from "./speech.js";
import { syntaxCases } from "./syntax.js";
import { trainingCases } from "./training.js";

/** Messages of one kind: a page of `docs/messages`. */
export interface Family {
  /** The page's name without `.md`. */
  readonly name: string;
  readonly title: string;
  readonly cases: readonly MessageCase[];
}

export const families: readonly Family[] = [
  { name: "configuration", title: "Command lines and configurations", cases: configurationCases },
  { name: "syntax", title: "BrainScript that cannot be read", cases: syntaxCases },
  { name: "language", title: "BrainScript without a value", cases: languageCases },
  { name: "networks", title: "Networks", cases: networkCases },
  { name: "scripts", title: "The old network description language", cases: scriptCases },
  { name: "sequences", title: "Sequences", cases: sequenceCases },
  { name: "training", title: "Training", cases: trainingCases },
  { name: "data", title: "Data files", cases: dataCases },
  { name: "images", title: "Pictures", cases: imageCases },
  { name: "speech", title: "Features and labels of speech", cases: speechCases },
  { name: "models", title: "Models and what is done with them", cases: modelCases },
];

/** Codes without a snapshot, and why. */
export const unshown: Readonly<Record<string, string>> = {
  "backend-unavailable": "depends on what is installed on the machine",
  "export-outputs": "takes a model without output nodes, which no sample configuration makes",
  "svd-does-not-converge": "takes a model whose values are no numbers",
  "svd-keeps-nothing": "takes a KeepRatio of 1 or more and a matrix of some size",
  "cycle-without-delay": "BrainScript itself refuses such a cycle as a circular reference",
  "data-too-short": "readers go over their data again; only those of words end before their epoch does",
  "loop-both-directions": "the shape stage refuses such a loop first",
  "no-past-values": "takes a minibatch that goes on with sequences that nothing began",
  "rows-changed": "takes a reader that changes its number of parallel sequences",
  "sequence-missing": "takes data whose sequences differ from those of another axis",
  "wrong-attribute": "takes a damaged model file",
  "minibatch-shares": "takes several processes, and streams of unequal lengths",
  "mpi-missing": "depends on what is installed on the machine; test/node/mpi.test.ts shows it",
  "processes-differ": "takes several processes; test/node/mpi.test.ts shows it",
  "out-of-memory": "takes more memory than a test should ask for",
  "thread-lost": "needs threads that end in a step; test/backends/wasm/threads.test.ts shows it",
  "minibatch-too-large": "takes a minibatch of more than 2^31 stored values",
  "needs-too-much-memory": "takes a model that no machine can compute",
  "needs-too-much-work": "takes a model whose windows are far larger than its data",
  "network-malformed": "only a program that makes networks by hand can leave an input open",
  "no-samples": "the reader refuses data without samples first",
  "parameter-size": "takes a damaged model file",
  "reader-streams": "takes several sources of data with a stream of the same name",
  "unknown-key": "a warning of check, which does not end with it",
  syntax: "stands for an error that the parser does not name",
  "unknown-backend": "the command line refuses unknown names first, with `usage`",
  "validation-unstable": "a shape rule that contradicts itself; none does",
};
