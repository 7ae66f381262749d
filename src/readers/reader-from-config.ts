import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { openBinary, readBinary } from "./binary-format/binary-from-config.js";
import { openComposite, readComposite } from "./composite/composite-from-config.js";
import { openSpeechReader, readSpeechReader } from "./htk/htk-from-config.js";
import { openImageReader, readImageReader } from "./images/images-from-config.js";
import { readKaldiReader } from "./kaldi/kaldi-from-config.js";
import { readLanguageModelOptions } from "./language-model/language-model-config.js";
import { LanguageModelReader } from "./language-model/language-model-reader.js";
import { readLanguageUnderstandingOptions } from "./language-understanding/language-understanding-config.js";
import { LanguageUnderstandingReader } from "./language-understanding/language-understanding-reader.js";
import { NumberTableReader } from "./number-table/number-table-reader.js";
import { readNumberTableOptions } from "./number-table/number-table-config.js";
import type { Reader, ReaderSurroundings } from "./reader.js";
import { textFormatOptions } from "./text-format/text-format-config.js";
import { createTextFormatReader } from "./text-format/text-format-reader.js";

/** Old and new names of CNTK's reader types; a name can mean another library's type too, which cannot work here. */
const textFormatNames = ["CNTKTextFormatReader", "Cntk.Deserializers.TextFormat"];
const otherNames = [
  "SparsePCReader",
  "Cntk.Reader.SparsePC",
  "KaldiReader",
  "LibSVMBinaryReader",
  "Cntk.Reader.SVMBinary",
  "BinaryReader",
  "Cntk.Reader.Binary",
];

const languageModelNames = ["LMSequenceReader", "Cntk.Reader.LMSequence"];
const languageUnderstandingNames = ["LUSequenceReader", "Cntk.Reader.LUSequence"];
const binaryNames = ["CNTKBinaryReader", "Cntk.Deserializers.Binary"];
const imageNames = ["ImageReader", "Cntk.Deserializers.Image"];
/** The older reader of HTK files and the newer one: here both are the newer one. */
const htkNames = ["HTKMLFReader", "Cntk.Reader.HTKMLF", "HTKDeserializers", "Cntk.Deserializers.HTK"];
const numberTableNames = ["UCIFastReader", "Cntk.Reader.UCIFast"];
const kaldiNames = ["Kaldi2Reader", "Cntk.Reader.Kaldi2"];
const compositeNames = ["CompositeDataReader", "Cntk.Composite"];

/**
 * The reader that a configuration's section describes. Throws CntkError `reader-type` for a type that does not exist or
 * that cntkts does not have, and what the reader itself throws.
 * Source: Source/Common/DataReader.cpp.
 */
export async function readerFromConfig(
  section: ConfigSection,
  surroundings: ReaderSurroundings,
): Promise<Reader> {
  const open = describedReader(section);
  warnOfVerbosity(section, surroundings);
  return open(surroundings);
}

/** Throws what `readerFromConfig` would throw about the section itself; no data is touched. */
export function checkReader(section: ConfigSection): void {
  describedReader(section);
}

/** Reads the section; the function returned opens the data. */
function describedReader(section: ConfigSection): (surroundings: ReaderSurroundings) => Promise<Reader> {
  if (section.has("readers")) {
    throw unavailable(
      "a reader with 'readers' is not available yet",
      section.keySpan("readers") ?? section.span,
    );
  }
  const composite = section.has("deserializers");
  const type = section.string("readerType", composite ? "Cntk.Composite" : "CNTKTextFormatReader");
  const span = section.raw("readerType")?.spanOf() ?? section.span;
  if (compositeNames.includes(type)) {
    const options = readComposite(section);
    return (surroundings) => openComposite(options, surroundings);
  }
  if (textFormatNames.includes(type)) {
    const options = textFormatOptions(section);
    return (surroundings) => createTextFormatReader(options, surroundings);
  }
  if (binaryNames.includes(type)) {
    const options = readBinary(section);
    return (surroundings) => openBinary(options, surroundings);
  }
  if (imageNames.includes(type)) {
    const options = readImageReader(section);
    return (surroundings) => openImageReader(options, surroundings);
  }
  if (htkNames.includes(type)) {
    const options = readSpeechReader(section);
    return (surroundings) => openSpeechReader(options, surroundings);
  }
  if (kaldiNames.includes(type)) {
    const options = readKaldiReader(section);
    return (surroundings) => openSpeechReader(options, surroundings);
  }
  if (languageModelNames.includes(type)) {
    const options = readLanguageModelOptions(section);
    return (surroundings) => Promise.resolve().then(() => new LanguageModelReader(options, surroundings));
  }
  if (languageUnderstandingNames.includes(type)) {
    const options = readLanguageUnderstandingOptions(section);
    return (surroundings) =>
      Promise.resolve().then(() => new LanguageUnderstandingReader(options, surroundings));
  }
  if (numberTableNames.includes(type)) {
    const options = readNumberTableOptions(section);
    return (surroundings) => Promise.resolve().then(() => new NumberTableReader(options, surroundings));
  }
  if (otherNames.includes(type)) throw unavailable(`readerType ${type} is not available yet`, span);
  throw new CntkError({
    code: "reader-type",
    message: `Plugin not found: '${type}'`,
    span,
    label: "no such type of reader",
    hint:
      didYouMean(type, [
        ...textFormatNames,
        ...compositeNames,
        ...binaryNames,
        ...imageNames,
        ...htkNames,
        ...kaldiNames,
        ...languageModelNames,
        ...languageUnderstandingNames,
        ...numberTableNames,
        ...otherNames,
      ]) ?? "readerType = CNTKTextFormatReader reads text files",
  });
}

/** CNTK's readers tell more of their work when asked to; these do not. */
function warnOfVerbosity(section: ConfigSection, { log }: ReaderSurroundings): void {
  const verbosity = section.integer("verbosity", 0);
  if (verbosity <= 0) return;
  log.write(
    `WARNING: verbosity = ${verbosity} is not available yet: the reader tells no more than without it.\n`,
  );
}

function unavailable(message: string, span: Span): CntkError {
  return new CntkError({
    code: "not-available",
    message,
    span,
    hint: "what there is: readerType = CNTKTextFormatReader, CNTKBinaryReader, LMSequenceReader or LUSequenceReader, and deserializers of type CNTKTextFormatDeserializer",
  });
}
