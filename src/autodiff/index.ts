/** Networks to be run: forward passes and gradients, made of ordinary nodes. */
export { forwardGraph, neededNodes } from "./forward.js";
export type { ForwardGraph, Mode } from "./forward.js";
export { backwardGraph } from "./backward.js";
export { gradientGraph, inferenceGraph } from "./execution-graphs.js";
export type { GradientGraph, GradientRequest } from "./execution-graphs.js";
export { statisticsGraph } from "./statistics-graph.js";
export { printGradients } from "./print-gradients.js";
