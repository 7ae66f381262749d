/**
 * The BrainScript library: text files beside this one, read like a user's own. All of them are members of one record, so
 * their order does not matter to the language; it is the order in which a reader meets them best.
 */
export const libraryFiles: readonly string[] = [
  "language.bs",
  "composition.bs",
  "layers.bs",
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
