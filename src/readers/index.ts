export type { Minibatch, StreamMinibatch } from "../minibatch/index.js";
export type { EpochRequest, Reader, ReaderSurroundings, ReaderThreads, StreamDescription } from "./reader.js";
export type {
  Chunk,
  Corpus,
  Deserializer,
  DeserializerStream,
  SequenceBlock,
  SequenceKey,
} from "./deserializer.js";
export { DataReader, type ReaderOptions } from "./data-reader.js";
export { checkReader, readerFromConfig } from "./reader-from-config.js";
export type { TextFormatOptions, TextInput } from "./text-format/options.js";
export { textFormatOptions } from "./text-format/text-format-config.js";
export { createTextFormatReader } from "./text-format/text-format-reader.js";
export { TextFormatDeserializer } from "./text-format/text-format-deserializer.js";
export { readWordClasses } from "./language-model/word-classes.js";
export type { Picture, PictureDecoder } from "./images/picture.js";
export { streamSections } from "./word-sequences/stream-sections.js";
