/** From one form of data to another. */
export { conversionKinds, convert, type ConversionKind, type ConversionOptions } from "./convert.js";
export type { Conversion, Converted } from "./conversion.js";
