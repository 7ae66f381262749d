/** BrainScript as a lazy language: syntax tree → values. It knows no networks; a host adds classes and operators. */
export { booleanOf, integerOf, isArray, isFunction, isRecord, numberOf, wrongType } from "./conversions.js";
export { makeArray } from "./arrays.js";
export { evaluateProgram } from "./evaluate.js";
export { type Place, typeName } from "./failures.js";
export { formatValue } from "./format-value.js";
export { nativeFunction } from "./functions.js";
export { languageClasses } from "./language-classes.js";
export { forced, inSteps, type Answer, type Evaluation } from "./machine.js";
export {
  asBoolean,
  asInteger,
  asNumber,
  asSize,
  asString,
  flattened,
  Parameters,
  type Conversion,
} from "./parameters.js";
export { printValues } from "./print-values.js";
export { Scope } from "./scope.js";
export { originOf, readyThunk } from "./thunks.js";
export type * from "./values.js";
