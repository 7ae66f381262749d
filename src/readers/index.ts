export type {
  EpochRequest,
  Minibatch,
  MinibatchLayout,
  Reader,
  SparseColumns,
  StreamDescription,
  StreamMinibatch,
} from "./reader.js";
export { readerFromConfig } from "./reader-from-config.js";
export type { TextFormatOptions, TextInput } from "./text-format/options.js";
export { textFormatOptions } from "./text-format/text-format-config.js";
export type { ReaderSurroundings } from "./text-format/text-format-reader.js";
export { createTextFormatReader, TextFormatReader } from "./text-format/text-format-reader.js";
export { packFrames, packSequences } from "./minibatch-packer.js";
