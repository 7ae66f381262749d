/** CNTK's model editing language. */
export { readEditingScript } from "./read-script.js";
export { runEditingScript } from "./run-script.js";
export type { EditingServices } from "./services.js";
export type { InlineDescription } from "./model-set.js";
