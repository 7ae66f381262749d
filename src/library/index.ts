import type { Source } from "../diagnostics/source.js";

/** A file of the library. */
export interface LibrarySource extends Source {
  /** Its syntax tree, written out when cntkts was built (grammar/tree-text.ts); absent before, and for parts of other files. */
  readonly tree?: string | undefined;
}

/**
 * The BrainScript library: text files beside this one, read like a user's own. All of them are members of one record, so
 * their order does not matter to the language; it is the order in which a reader meets them best.
 */
export const libraryFiles: readonly string[] = [
  "language.bs",
  "composition.bs",
  "layers.bs",
  "recurrent-layers.bs",
  "inputs.bs",
  "elementwise.bs",
  "matrix.bs",
  "convolution.bs",
  "regularization.bs",
  "reduction.bs",
  "shapes.bs",
  "criteria.bs",
  "sequences.bs",
  "stable.bs",
  "namespace.bs",
];

/** Texts that namespace.bs includes inside of its record `BS`. */
export const libraryParts: readonly string[] = [
  "namespace/constants.bs",
  "namespace/boolean.bs",
  "namespace/sequences.bs",
  "namespace/loops.bs",
  "namespace/parameters.bs",
  "namespace/recurrence.bs",
  "namespace/seq2seq.bs",
  "namespace/network.bs",
];

/**
 * Functions that CNTK's library has and this one does not yet, by their full names (`BS.Network.Load`): whoever uses one is
 * told so instead of being offered a name that is spelled alike. None at the moment.
 */
export const namesNotYet: ReadonlySet<string> = new Set<string>();

/** Optional arguments that CNTK's functions had before version 2.0, and what to write today. */
export const formerArguments: ReadonlyMap<string, string> = new Map([
  ["mapCount", "mapCount is called mapDims today"],
  ["transpose", "a transposed convolution is a function of its own: ConvolutionTranspose"],
]);

const counting =
  "it cannot be called; n = BS.Constants.OnesLike (x) + PastValue (1, n, defaultHiddenActivation = 0) counts the steps";

/** What to tell who calls a function with the wrong arguments, by its name. */
export const callHints: ReadonlyMap<string, string> = new Map([
  ["Dropout", "the rate is dropoutRate in the SGD section"],
  [
    "Convolution",
    "the dimensions of the kernel are one argument, (3:3:1), and the number of maps is mapDims",
  ],
  ["ImageInput", "a shape belongs to Input {(6:6:3)}"],
  ["Pooling", "the dimensions of the window are one argument, (2:2:1)"],
]);

/** Functions that fail whatever they are given, as CNTK's do: what to write in their place. */
export const brokenFunctions: ReadonlyMap<string, string> = new Map([
  ["Reshape", "this oldest form cannot be called; NewReshape (x, (3:2)) gives x other dimensions"],
  ["Count", counting],
  ["Iteration", counting],
]);

/** Names of older descriptions of networks, and of other programs, that this library does not know: what to write. */
export const foreignNames: ReadonlyMap<string, string> = new Map([
  ["Const", "did you mean 'Constant'?"],
  ["LookupTable", "LookupTable (E, x) is E * x here, or EmbeddingLayer {dim} (x)"],
  ["RandomSample", "did you mean 'CNTK2.GetRandomSample'?"],
  ["LSTM", "did you mean 'RecurrentLSTMLayer'?"],
  ["LSTMLayer", "did you mean 'RecurrentLSTMLayer'?"],
  ["Convolution2D", "did you mean 'ConvolutionalLayer'?"],
  ["Conv2D", "did you mean 'ConvolutionalLayer'?"],
  ["Concat", "did you mean 'Splice'?"],
  ["Concatenate", "did you mean 'Splice'?"],
  ["LeakyReLU", "define it: LeakyReLU (x) = 0.1 * x + 0.9 * ReLU (x)"],
  ["ELU", "define it: ELU (x) = if x > 0 then x else Exp (x) - 1"],
  ["Mul", "did you mean 'ElementTimes'?"],
  ["Pow", "a power is Exp (p * Log (x)); a square is x .* x"],
  ["True", "did you mean 'true'?"],
  ["False", "did you mean 'false'?"],
]);
