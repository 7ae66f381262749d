import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Reader } from "./reader.js";
import { textFormatOptions } from "./text-format/text-format-config.js";
import type { ReaderSurroundings } from "./text-format/text-format-deserializer.js";
import { createTextFormatReader } from "./text-format/text-format-reader.js";

/** Old and new names of CNTK's reader types; a name can mean another library's type too, which cannot work here. */
const textFormatNames = ["CNTKTextFormatReader", "Cntk.Deserializers.TextFormat"];
const otherNames = [
  "CNTKBinaryReader",
  "Cntk.Deserializers.Binary",
  "HTKDeserializers",
  "Cntk.Deserializers.HTK",
  "ImageReader",
  "Cntk.Deserializers.Image",
  "CompositeDataReader",
  "Cntk.Composite",
  "HTKMLFReader",
  "Cntk.Reader.HTKMLF",
  "LMSequenceReader",
  "Cntk.Reader.LMSequence",
  "LUSequenceReader",
  "Cntk.Reader.LUSequence",
  "UCIFastReader",
  "Cntk.Reader.UCIFast",
  "SparsePCReader",
  "Cntk.Reader.SparsePC",
  "Kaldi2Reader",
  "Cntk.Reader.Kaldi2",
  "LibSVMBinaryReader",
  "Cntk.Reader.SVMBinary",
  "BinaryReader",
  "Cntk.Reader.Binary",
];

/**
 * The reader that a configuration's section describes. Throws CntkError `reader-type` for a type that does not exist or
 * that cntkts does not have, and what the reader itself throws.
 * Source: Source/Common/DataReader.cpp.
 */
export async function readerFromConfig(
  section: ConfigSection,
  surroundings: ReaderSurroundings,
): Promise<Reader> {
  for (const key of ["readers", "deserializers"]) {
    if (section.hasOwn(key)) {
      throw unsupported(`a reader with '${key}' is not supported yet`, section.keySpan(key) ?? section.span);
    }
  }
  const type = section.string("readerType", "CNTKTextFormatReader");
  if (textFormatNames.includes(type)) return createTextFormatReader(textFormatOptions(section), surroundings);
  const span = section.raw("readerType")?.spanOf() ?? section.span;
  if (otherNames.includes(type)) throw unsupported(`readerType ${type} is not supported yet`, span);
  throw new CntkError({
    code: "reader-type",
    message: `Plugin not found: '${type}'`,
    span,
    label: "no such type of reader",
    hint:
      didYouMean(type, [...textFormatNames, ...otherNames]) ??
      "readerType = CNTKTextFormatReader reads text files",
  });
}

function unsupported(message: string, span: Span): CntkError {
  return new CntkError({
    code: "reader-type",
    message,
    span,
    hint: "what there is: readerType = CNTKTextFormatReader",
  });
}
