import type { ConfigSection } from "../config/config-section.js";
import { placeOfValue } from "../config/nested-sections.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { missingFileHint } from "../files/missing-file.js";
import { OtherPrecision } from "./other-precision.js";
import type { Reader, ReaderSurroundings, StreamDescription } from "./reader.js";

/** A reader whose section has been read. */
interface Described {
  /** Opens its data. */
  readonly open: (surroundings: ReaderSurroundings) => Reader | Promise<Reader>;
  /** What it will deliver, where the section says so and not the data. */
  readonly streams?: readonly StreamDescription[];
  /** What is wrong with the section, where opening tells of it only when other data is open. */
  readonly problem?: CntkError | undefined;
}

/** Tells what a kind of reader has to say of itself. */
type Announce = (text: string) => void;

/** A kind of reader: it is loaded when a section asks for it. */
interface Kind {
  /** Old and new names of CNTK's; a name can mean another library's type too, which cannot work here. */
  readonly names: readonly string[];
  readonly read: (section: ConfigSection) => Promise<Described>;
  /** What the log says before the section is read. */
  readonly announcement?: string;
}

const kinds: readonly Kind[] = [
  {
    names: ["CNTKTextFormatReader", "Cntk.Deserializers.TextFormat"],
    read: async (section) => {
      const { textFormatOptions } = await import("./text-format/text-format-config.js");
      const options = textFormatOptions(section);
      const { createTextFormatReader } = await import("./text-format/text-format-reader.js");
      return {
        open: (surroundings) => createTextFormatReader(options, surroundings),
        streams: options.inputs,
      };
    },
  },
  {
    names: ["CompositeDataReader", "Cntk.Composite"],
    read: async (section) => {
      const { openComposite, readComposite } = await import("./composite/composite-from-config.js");
      const options = await readComposite(section);
      return { open: (surroundings) => openComposite(options, surroundings), problem: options.problem };
    },
  },
  {
    names: ["CNTKBinaryReader", "Cntk.Deserializers.Binary"],
    read: async (section) => {
      const { openBinary, readBinary } = await import("./binary-format/binary-from-config.js");
      const options = readBinary(section);
      return { open: (surroundings) => openBinary(options, surroundings) };
    },
  },
  {
    names: ["ImageReader", "Cntk.Deserializers.Image"],
    read: async (section) => {
      const { openImageReader, readImageReader } = await import("./images/images-from-config.js");
      const options = readImageReader(section);
      return { open: (surroundings) => openImageReader(options, surroundings) };
    },
  },
  {
    // The older reader of HTK files and the newer one.
    names: ["HTKMLFReader", "Cntk.Reader.HTKMLF", "HTKDeserializers", "Cntk.Deserializers.HTK"],
    read: async (section) => {
      const { openSpeechReader, readSpeechReader } = await import("./htk/htk-from-config.js");
      const options = readSpeechReader(section);
      return { open: (surroundings) => openSpeechReader(options, surroundings), problem: options.problem };
    },
  },
  {
    names: ["Kaldi2Reader", "Cntk.Reader.Kaldi2"],
    read: async (section) => {
      const { readKaldiReader } = await import("./kaldi/kaldi-from-config.js");
      const options = readKaldiReader(section);
      const { openSpeechReader } = await import("./htk/htk-from-config.js");
      return { open: (surroundings) => openSpeechReader(options, surroundings) };
    },
  },
  {
    names: ["LMSequenceReader", "Cntk.Reader.LMSequence"],
    read: async (section) => {
      const { readLanguageModelOptions } = await import("./language-model/language-model-config.js");
      const options = readLanguageModelOptions(section);
      const { LanguageModelReader } = await import("./language-model/language-model-reader.js");
      return { open: (surroundings) => new LanguageModelReader(options, surroundings) };
    },
  },
  {
    names: ["LUSequenceReader", "Cntk.Reader.LUSequence"],
    read: async (section) => {
      const { readLanguageUnderstandingOptions } =
        await import("./language-understanding/language-understanding-config.js");
      const options = readLanguageUnderstandingOptions(section);
      const { LanguageUnderstandingReader } =
        await import("./language-understanding/language-understanding-reader.js");
      return { open: (surroundings) => new LanguageUnderstandingReader(options, surroundings) };
    },
  },
  {
    names: ["UCIFastReader", "Cntk.Reader.UCIFast"],
    announcement:
      "********** DEPRECATED **********\n" +
      "UCIFastReader is no longer actively maintained.\n" +
      "It is known to have defects, proceed with caution (better yet, switch to CNTKTextFormatReader)!\n" +
      "For more details please see https://docs.microsoft.com/en-us/cognitive-toolkit/Brainscript-CNTKTextFormat-Reader \n",
    read: async (section) => {
      const { readNumberTableOptions } = await import("./number-table/number-table-config.js");
      const options = readNumberTableOptions(section);
      const { NumberTableReader } = await import("./number-table/number-table-reader.js");
      return { open: (surroundings) => new NumberTableReader(options, surroundings) };
    },
  },
];

const otherNames = [
  "SparsePCReader",
  "Cntk.Reader.SparsePC",
  "KaldiReader",
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
  const described = await describedReader(section, (text) => surroundings.log.write(text));
  const reader = await opened(described, section, surroundings);
  const { elementType } = surroundings;
  const precision = section.string("precision", "float").toLowerCase() === "double" ? "double" : "float";
  if (elementType === undefined || precision === elementType) return reader;
  return new OtherPrecision(reader, precision, section.optionalText("precision")?.spanOf() ?? section.span);
}

/** Opens the data; an error about a file that the section names gets the place where it does. */
async function opened(
  { open }: Described,
  section: ConfigSection,
  surroundings: ReaderSurroundings,
): Promise<Reader> {
  try {
    return await open(surroundings);
  } catch (error) {
    if (!(error instanceof CntkError) || error.diagnostic.span) throw error;
    const { diagnostic } = error;
    for (const [, quoted, path = quoted ?? ""] of diagnostic.message.matchAll(
      /(?:file|reading) '([^']+)'|Could not open (?:file: )?(\S+)/gi,
    )) {
      const span = placeOfValue(section, path);
      if (!span) continue;
      const { files } = surroundings;
      const hint = files.exists(path) ? undefined : missingFileHint(files, path);
      throw new CntkError({ ...diagnostic, span, hint: diagnostic.hint ?? hint });
    }
    throw error;
  }
}

/**
 * Throws what `readerFromConfig` would throw about the section itself; no data is touched. Returns what the reader will deliver,
 * where the section says so.
 */
export async function checkReader(section: ConfigSection): Promise<readonly StreamDescription[] | undefined> {
  const { streams, problem } = await describedReader(section);
  if (problem) throw problem;
  return streams;
}

/** Reads the section; what is returned opens the data. */
async function describedReader(section: ConfigSection, announce: Announce = () => {}): Promise<Described> {
  if (section.has("readers")) return listedReader(section, announce);
  const composite = section.has("deserializers");
  const type = section.string("readerType", composite ? "Cntk.Composite" : "CNTKTextFormatReader");
  return readerOfType(section, type, announce);
}

/** CNTK's readers from before there were deserializers. */
const isOlderType = (type: string): boolean => /HTKMLF|Kaldi|LMSequence|LUSequence|UCIFast/.test(type);

/** What all readers of deserializers read before anything else (Source/Readers/ReaderLib/ReaderShim.cpp, Init). */
function readCommonOptions(section: ConfigSection): void {
  section.integerSchedule("nbruttsineachrecurrentiter", [1]);
  section.boolean("prefetch", true);
}

/** `readers = NAME`: the section of this name beside it. More than one reader at a time there is not. */
function listedReader(section: ConfigSection, announce: Announce): Promise<Described> {
  const [name, ...others] = section.array("readers");
  if (name === undefined || others.length > 0) {
    throw unavailable("several 'readers' are not available yet", section.keySpan("readers") ?? section.span);
  }
  const own = section.section(name);
  return readerOfType(own, own.string("readerType", "CNTKTextFormatReader"), announce);
}

async function readerOfType(section: ConfigSection, type: string, announce: Announce): Promise<Described> {
  const span = section.raw("readerType")?.spanOf() ?? section.span;
  const kind = kinds.find(({ names }) => names.includes(type));
  if (kind?.announcement !== undefined) announce(kind.announcement);
  if (kind && !isOlderType(type)) readCommonOptions(section);
  if (kind) return kind.read(section);
  if (otherNames.includes(type)) throw unavailable(`readerType ${type} is not available yet`, span);
  throw new CntkError({
    code: "reader-type",
    message: `Plugin not found: '${type}'`,
    span,
    label: "no such type of reader",
    hint:
      didYouMean(type, [...kinds.flatMap(({ names }) => names), ...otherNames]) ??
      "readerType = CNTKTextFormatReader reads text files",
  });
}

function unavailable(message: string, span: Span): CntkError {
  return new CntkError({
    code: "not-available",
    message,
    span,
    hint: `what there is: readerType = ${kinds.map(({ names }) => names[0]).join(", ")}`,
  });
}
