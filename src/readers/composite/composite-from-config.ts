import { ConfigSection } from "../../config/config-section.js";
import type { MappedText } from "../../config/mapped-text.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import { DataReader, type ReaderOptions } from "../data-reader.js";
import type { Deserializer } from "../deserializer.js";
import type { Randomization } from "../randomizer/sequence-order.js";
import type { Reader, ReaderSurroundings } from "../reader.js";
import { defaultChunkSize, defaultWindowInBytes } from "../text-format/options.js";
import type { KeyReading } from "../text-format/text-index.js";
import { CompositeDeserializer } from "./composite-deserializer.js";
import { keyReading } from "./sequence-keys.js";

/** Opens a deserializer's data. */
type OpenDeserializer = (surroundings: ReaderSurroundings) => Deserializer | Promise<Deserializer>;

type ReadDeserializer = (section: ConfigSection, keys: KeyReading) => Promise<OpenDeserializer>;

/** A library of CNTK's: both its names, and what it makes of a section, by type. It is loaded when a section asks for it. */
interface Module {
  readonly names: readonly string[];
  readonly types: Readonly<Record<string, ReadDeserializer>>;
}

const textType = "CNTKTextFormatDeserializer";
const labelType = "HTKMLFDeserializer";
const imageTypes = ["ImageDeserializer", "Base64ImageDeserializer"];

const modules: readonly Module[] = [
  {
    names: ["CNTKTextFormatReader", "Cntk.Deserializers.TextFormat"],
    types: {
      [textType]: async (section, keys) => {
        const { textFormatOptions } = await import("../text-format/text-format-config.js");
        const options = textFormatOptions(section);
        const { TextFormatDeserializer } = await import("../text-format/text-format-deserializer.js");
        return (surroundings) => new TextFormatDeserializer(options, surroundings, keys);
      },
    },
  },
  {
    names: ["ImageReader", "Cntk.Deserializers.Image"],
    types: {
      ImageDeserializer: async (section, keys) => {
        const { imageOptions } = await import("../images/images-from-config.js");
        const options = imageOptions(section);
        const { ImageDeserializer } = await import("../images/image-deserializer.js");
        return (surroundings) => ImageDeserializer.open(options, surroundings, keys);
      },
      Base64ImageDeserializer: async (section, keys) => {
        const { imageOptions } = await import("../images/images-from-config.js");
        const options = imageOptions(section);
        const { Base64ImageDeserializer } = await import("../images/base64-deserializer.js");
        return (surroundings) => Base64ImageDeserializer.open(options, surroundings, keys);
      },
    },
  },
  {
    names: ["HTKDeserializers", "Cntk.Deserializers.HTK"],
    types: {
      HTKFeatureDeserializer: async (section, keys) => {
        const { featureDeserializerOptions } = await import("../htk/htk-from-config.js");
        const options = featureDeserializerOptions(section);
        const { htkDeserializer } = await import("../htk/htk-deserializer.js");
        return (surroundings) => htkDeserializer(options, surroundings, keys);
      },
      [labelType]: async (section, keys) => {
        const { labelDeserializerOptions } = await import("../htk/htk-from-config.js");
        const options = labelDeserializerOptions(section);
        const { MlfDeserializer } = await import("../htk/mlf-deserializer.js");
        return (surroundings) => new MlfDeserializer(options, surroundings, keys);
      },
    },
  },
];
/** Types of CNTK that are not there. */
const otherTypes = ["LatticeDeserializer"];

/** A window that covers any data. */
const wholeData = 2 ** 62;

/** What a section says of a reader made of deserializers. */
export interface CompositeOptions {
  readonly reader: ReaderOptions;
  /** Each opens its data. */
  readonly deserializers: readonly OpenDeserializer[];
  /** What is wrong with the options of a deserializer; those before it are opened first. */
  readonly problem?: CntkError | undefined;
}

/**
 * Reads `deserializers = ( [ type = … ; module = … ; … ] : … )` and what stands beside it. Throws CntkError `reader-option`
 * in CNTK's words, `reader-type` for a deserializer that is not there, and what the deserializers' options throw.
 * Source: Source/Readers/CompositeDataReader/CompositeDataReader.cpp.
 */
export async function readComposite(section: ConfigSection): Promise<CompositeOptions> {
  const write = section.string("action", "").toLowerCase() === "write";
  const entries = section.optionalText("deserializers")?.length ? section.texts("deserializers") : [];
  if (entries.length === 0) {
    throw problem("Could not find deserializers in the reader config.", section.span);
  }
  const types = entries.map((entry) => typeOf(section, entry));
  if (types[0] === labelType) {
    throw problem(
      "MLFDeserializer currently does not support primary mode.",
      section.span,
      "features come first",
    );
  }
  const keys = readKeys(section, types);
  const randomization = readRandomization(section, write, types);
  // A chunk is one picture: the order of chunks is all the order there is.
  const onlyImages = types.length === 1 && types[0] === "ImageDeserializer" && randomization !== undefined;
  const packing = onlyImages ? "frame" : readPacking(section, write);
  const reader: ReaderOptions = {
    randomization,
    keepDataInMemory: false,
    packing,
    localTimeline: section.boolean("localTimeline", true),
    firstParallelSequences: 0,
    withKeys: true,
    prefetch: section.boolean("prefetch", true),
    preparesAtOnce: types.some((type) => imageTypes.includes(type)),
    maxInvalid: section.integer("maxErrors", 0),
    verbosity: section.integer("verbosity", 0),
  };
  const deserializers: OpenDeserializer[] = [];
  try {
    for (const entry of entries) {
      const read = readDeserializer(deserializerSection(section, entry, packing === "frame"), keys);
      deserializers.push(await read);
    }
  } catch (error) {
    if (!(error instanceof CntkError) || deserializers.length === 0) throw error;
    return { reader, deserializers, problem: error };
  }
  return { reader, deserializers };
}

/** A reader whose deserializers are joined by the keys of their sequences. Throws what deserializers throw about their data. */
export async function openComposite(
  options: CompositeOptions,
  surroundings: ReaderSurroundings,
): Promise<Reader> {
  const deserializers: Deserializer[] = [];
  try {
    for (const open of options.deserializers) deserializers.push(await open(surroundings));
    if (options.problem) throw options.problem;
    const [first, ...others] = deserializers;
    const write = (text: string): void => surroundings.log.write(text);
    const tell = options.reader.verbosity ? write : undefined;
    const whole =
      first !== undefined && others.length === 0 ? first : new CompositeDeserializer(deserializers, tell);
    return new DataReader(whole, options.reader, write);
  } catch (error) {
    for (const deserializer of deserializers) await deserializer.close();
    throw error;
  }
}

/**
 * One entry of the list, which knows nothing of the sections around it but what the reader says of frames, precision and
 * traceLevel (CompositeDataReader.cpp, CreateDeserializers).
 */
function deserializerSection(reader: ConfigSection, entry: MappedText, frameMode: boolean): ConfigSection {
  const { result, diagnostics } = ConfigSection.read(entry, `${reader.name}:deserializers`, reader, false);
  const [first, ...others] = diagnostics;
  if (first) throw CntkError.ofAll([first, ...others]);
  result.inject("frameMode", frameMode ? "true" : "false");
  result.inject("precision", reader.string("precision", "float"));
  const traceLevel = reader.string("traceLevel", "");
  if (traceLevel !== "") result.inject("traceLevel", traceLevel);
  return result;
}

async function readDeserializer(section: ConfigSection, keys: KeyReading): Promise<OpenDeserializer> {
  const name = section.string("module");
  const type = section.string("type");
  const typeSpan = section.raw("type")?.spanOf() ?? section.span;
  const known = modules.flatMap(({ types }) => Object.keys(types));
  if (otherTypes.includes(type)) {
    throw new CntkError({
      code: "not-available",
      message: `deserializer type ${type} is not available yet`,
      span: typeSpan,
      hint: `what there is: ${known.join(", ")}`,
    });
  }
  const module = modules.find(({ names }) => names.includes(name));
  if (!module) {
    const right = modules.find(({ types }) => type in types) ?? modules[0];
    throw new CntkError({
      code: "reader-type",
      message: `Plugin not found: '${name}'`,
      span: section.raw("module")?.spanOf() ?? section.span,
      hint: `module = ${right?.names[0]}`,
    });
  }
  const read = module.types[type];
  if (read) return read(section, keys);
  throw new CntkError({
    code: "reader-type",
    message: `Unknown deserializer type '${type}'`,
    span: typeSpan,
    hint: `what there is: type = ${Object.keys(module.types).join(" or ")}`,
  });
}

function readPacking(section: ConfigSection, write: boolean): ReaderOptions["packing"] {
  const frameMode = section.boolean("frameMode", false);
  const truncated = section.boolean("truncated", false);
  if (frameMode && truncated) {
    throw problem("frameMode and truncated BPTT are mutually exclusive.", spanOf(section, "truncated"));
  }
  // What is written comes in whole sequences.
  if (write) return "sequence";
  if (frameMode) return "frame";
  if (!truncated) return "sequence";
  const truncationLength = section.size("truncationLength", 0);
  if (truncationLength === 0) {
    throw problem(
      "Truncation length cannot be 0.",
      spanOf(section, "truncationLength"),
      "truncationLength is the number of time steps of a minibatch",
    );
  }
  return { truncationLength };
}

/** The type of an entry of the list, before it is read. */
function typeOf(reader: ConfigSection, entry: MappedText): string {
  return ConfigSection.read(entry, `${reader.name}:deserializers`, reader).result.string("type", "");
}

/** Numbers where a deserializer of text files or images takes part, unless the section says otherwise. */
function readKeys(section: ConfigSection, types: readonly string[]): KeyReading {
  const hashed = section.boolean("hashSequenceKeys", false);
  if (hashed && section.boolean("writeSequenceKey", false)) {
    throw problem(
      "Retrieving original sequence key is not supported. Please disable hashing in configuration.",
      spanOf(section, "hashSequenceKeys"),
    );
  }
  const usual = types.some((type) => type === textType || imageTypes.includes(type));
  const numeric = section.boolean("useNumericSequenceKeys", usual);
  return keyReading(numeric, hashed, spanOf(section, "hashSequenceKeys"));
}

function readRandomization(
  section: ConfigSection,
  write: boolean,
  types: readonly string[],
): Randomization | undefined {
  if (write || !readRandomize(section)) return undefined;
  const seed = section.seed("randomizationSeed", 0);
  const sampleBased = section.boolean("sampleBasedRandomizationWindow", true);
  if (section.hasOwn("randomizationWindow")) {
    return { window: section.size("randomizationWindow"), sampleBased, seed };
  }
  if (!types.includes(textType)) {
    const window = types.length === 1 && types[0] === "ImageDeserializer" ? 1 : wholeData;
    return { window: section.size("randomizationWindow", window), sampleBased, seed };
  }
  if (section.hasOwn("sampleBasedRandomizationWindow") && sampleBased) {
    throw problem(
      "'sampleBasedRandomizationWindow' (== 'true') requires that the 'randomizationWindow' is explicitly specified.",
      spanOf(section, "sampleBasedRandomizationWindow"),
    );
  }
  const window = Math.floor(defaultWindowInBytes / section.size("chunkSizeInBytes", defaultChunkSize));
  return { window, sampleBased: false, seed };
}

/** A boolean only: `None`, which test puts where nothing stands, is an error, as in CNTK. */
function readRandomize(section: ConfigSection): boolean {
  if (section.string("randomize", "").toLowerCase() !== "none") return section.boolean("randomize", true);
  throw problem(
    "ConfigValue (bool): boolean argument expected",
    section.keySpan("randomize") ?? section.span,
    "a reader made of deserializers needs randomize = true or false; for test and eval it must say so itself",
  );
}

function spanOf(section: ConfigSection, key: string): Span {
  return section.raw(key)?.spanOf() ?? section.span;
}

function problem(message: string, span: Span, hint?: string): CntkError {
  return new CntkError({ code: "reader-option", message, span, hint });
}
