/** Finding and checking shapes: the second half of what CNTK calls compiling a network. */
export { AxisNames } from "./axis-names.js";
export { validateNetwork } from "./validate-network.js";
export type { ValidatedNetwork, ValidationOptions } from "./validate-network.js";
export { checkMemory, checkTotal } from "./size-limits.js";
export { printShapes } from "./print-shapes.js";
