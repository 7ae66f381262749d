export { type ElementType, newValues, type Values } from "./values.js";
export { MersenneTwister64, halvesToFloat } from "./mersenne-twister.js";
export {
  drawStandardNormal,
  drawUniform,
  elementTypeOf,
  fillNormal,
  fillTruncatedNormal,
  fillUniform,
} from "./distributions.js";
export type { Initialization, InitializationDescription } from "./initial-values.js";
export { describeInitialization, initialValues, isRandomInitializer } from "./initial-values.js";
export type { ChunkOrder, ChunkWindow } from "./block-shuffle.js";
export { chunkWindows, sampleWindows, shuffledChunks, shuffledSequences } from "./block-shuffle.js";
export { formatExponential, formatFixed, formatGeneral } from "./number-format.js";
