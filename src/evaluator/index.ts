/** BrainScript as a lazy language: syntax tree → values. It knows no networks; a host adds classes and operators. */
export {
  arrayItems,
  booleanOf,
  integerOf,
  isArray,
  isFunction,
  isRecord,
  numberOf,
  requiredParameter,
} from "./conversions.js";
export { makeArray } from "./arrays.js";
export { evaluateProgram } from "./evaluate.js";
export { typeName } from "./failures.js";
export { formatValue } from "./format-value.js";
export { nativeFunction } from "./functions.js";
export { languageClasses } from "./language-classes.js";
export { printValues } from "./print-values.js";
export { Scope } from "./scope.js";
export { originOf, readyThunk } from "./thunks.js";
export type * from "./values.js";
