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
