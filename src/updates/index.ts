/** How gradients change parameters, as networks. */
export { trainedUses, trainingGraph } from "./training-graph.js";
export type { TrainedParameter, TrainingGraph, TrainingRequest } from "./training-graph.js";
export { updateScalars } from "./scalars.js";
export type { UpdateFacts } from "./scalars.js";
export { updateRuleFor, updateRules } from "./rules.js";
export { sparseGradientError } from "./sparse-refusals.js";
export type { SparseRefusal } from "./sparse-refusals.js";
export type { OptionSource, UpdateOptions, UpdateRule, UpdateRuleEntry } from "./update-rule.js";
