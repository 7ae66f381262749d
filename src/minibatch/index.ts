export type {
  AxisLayout,
  FedMinibatch,
  Minibatch,
  SequencePlacement,
  StreamData,
  StreamMinibatch,
  UnpackedColumns,
} from "./minibatch.js";
export {
  columnCount,
  columnsOf,
  gapMask,
  hasGaps,
  layoutsEqual,
  packFrames,
  packSequences,
  sampleCount,
  visibleSteps,
} from "./layout.js";
export { denseValues, elementTypeOfData } from "./data.js";
export { shareOfMinibatch } from "./share.js";
export type { FedInput } from "./feed.js";
export { feed, missingStream, realSamples } from "./feed.js";
export { splitMinibatch } from "./split.js";
