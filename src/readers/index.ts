export type { Minibatch, StreamMinibatch } from "../minibatch/index.js";
export type { EpochRequest, Reader, StreamDescription } from "./reader.js";
export { readerFromConfig } from "./reader-from-config.js";
export type { TextFormatOptions, TextInput } from "./text-format/options.js";
export { textFormatOptions } from "./text-format/text-format-config.js";
export type { ReaderSurroundings } from "./text-format/text-format-reader.js";
export { createTextFormatReader, TextFormatReader } from "./text-format/text-format-reader.js";
