import type { ConfigSection } from "../../config/config-section.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { readPrecision } from "../common-options.js";
import { CompositeDeserializer } from "../composite/composite-deserializer.js";
import { keyReading } from "../composite/sequence-keys.js";
import { DataReader, type ReaderOptions } from "../data-reader.js";
import type { Deserializer } from "../deserializer.js";
import type { Reader, ReaderSurroundings } from "../reader.js";
import type { KeyReading } from "../text-format/text-index.js";
import type { FeatureOptions } from "./feature-deserializer.js";
import { htkDeserializer, type HtkOptions } from "./htk-deserializer.js";
import { OlderSpeechLog } from "./older-log.js";
import { OlderSpeechReader } from "./older-speech-reader.js";
import { labelFiles, type LabelSource, MlfDeserializer, type MlfOptions } from "./mlf-deserializer.js";

/** Opens the files of a stream of features. */
type OpenFeatures = (
  surroundings: ReaderSurroundings,
  keys: KeyReading,
  olderLog?: OlderSpeechLog,
) => Deserializer;

/** What a section of a reader of speech says. */
export interface SpeechReaderOptions {
  readonly reader: ReaderOptions;
  readonly features: readonly OpenFeatures[];
  readonly labels: readonly MlfOptions[];
  readonly numericKeys: boolean;
  readonly keySpan: ConfigSection["span"];
  /** What is wrong with options that CNTK reads when the data is open. */
  readonly problem?: CntkError | undefined;
  /** HTKMLFReader: the log speaks as that does. */
  readonly older?: { readonly wholeFiles: boolean; readonly rollingWindow: boolean };
}

/** A window that covers any data. */
const wholeData = 2 ** 62;

/** The kinds of files that a reader of speech finds its streams in. */
export interface SpeechFiles {
  features(section: ConfigSection, options: FeatureOptions, wholeFiles: boolean): OpenFeatures;
  labels(section: ConfigSection): LabelSource;
}

/** HTK's own. */
const htkFiles: SpeechFiles = {
  features(section, options, wholeFiles) {
    const all: HtkOptions = { ...options, ...scriptOptions(section), wholeFiles };
    return (surroundings, keys, olderLog) => htkDeserializer(all, surroundings, keys, olderLog);
  },
  labels: masterLabels,
};

/**
 * Reads the section of a reader of speech: streams are sections with `scpFile` (features) or `mlfFile` (labels).
 * @throws CntkError `htk-option` in CNTK's words, `not-available` for lattices.
 * Source: Source/Readers/HTKDeserializers/HTKMLFReader.cpp, ConfigHelper.cpp.
 */
export function readSpeechReader(section: ConfigSection, files: SpeechFiles = htkFiles): SpeechReaderOptions {
  const names = streamNames(section);
  const featureNames = names.filter((name) => section.section(name).hasOwn("scpFile"));
  if (featureNames.length === 0) throw problem(section, "Network needs at least 1 feature specified.");
  refuseLattices(section, names);
  const labelNames = names.filter((name) => {
    const stream = section.section(name);
    return !stream.hasOwn("scpFile") && (stream.hasOwn("mlfFile") || stream.hasOwn("mlfFileList"));
  });
  // The older readers hand out whole files when they are to be written.
  const wholeFiles = isOlderReader(section) && isWrite(section);
  if (wholeFiles && labelNames.length > 0) {
    const message = "writer mode does not support labels as inputs, only features";
    throw problem(section.section(labelNames[0] ?? ""), message);
  }
  const frameMode = !wholeFiles && section.boolean("frameMode", true);
  const problems: CntkError[] = [];
  const labels = labelNames.flatMap((name) => {
    if (problems.length > 0) return [];
    const stream = section.section(name);
    const options = kept(problems, !isOlderHtk(section), () => labelOptions(stream, name, frameMode));
    // The older reader has boundaries with lattices only.
    const phoneBoundaries = options?.phoneBoundaries === true && !frameMode && !isOlderHtk(section);
    return options ? [{ ...options, phoneBoundaries, readLabels: files.labels(stream) }] : [];
  });
  const randomization = kept(problems, true, () => readRandomization(section));
  return {
    reader: { ...readerOptions(section, frameMode), ...randomization, oneByOne: wholeFiles },
    features: featureNames.map((name) => {
      const stream = section.section(name);
      return files.features(stream, featureOptions(stream, name, frameMode), wholeFiles);
    }),
    labels,
    numericKeys: !isOlderHtk(section) && section.boolean("useNumericSequenceKeys", false),
    keySpan: section.span,
    problem: problems[0],
    ...(isOlderHtk(section) ? { older: { wholeFiles, rollingWindow: isRollingWindow(section) } } : {}),
  };
}

/** Reads options; a mistake in them is kept for later where CNTK comes to it later. */
function kept<T>(problems: CntkError[], isLater: boolean, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isLater || !(error instanceof CntkError)) throw error;
    problems.push(error);
    return undefined;
  }
}

/** Opens what `readSpeechReader` has read. */
export async function openSpeechReader(
  options: SpeechReaderOptions,
  surroundings: ReaderSurroundings,
): Promise<Reader> {
  const keys = keyReading(options.numericKeys, false, options.keySpan);
  const { older } = options;
  const olderLog = older && new OlderSpeechLog(surroundings.log, older.rollingWindow);
  const deserializers: Deserializer[] = [
    ...options.features.map((open) => open(surroundings, keys, olderLog)),
    ...options.labels.map((label) => new MlfDeserializer(label, surroundings, keys, olderLog)),
  ];
  if (options.problem) throw options.problem;
  if (older && !older.wholeFiles) olderLog?.allRead();
  const [first, ...others] = deserializers;
  const write = (text: string): void => surroundings.log.write(text);
  const tell = options.reader.verbosity ? write : undefined;
  const whole = first && others.length === 0 ? first : new CompositeDeserializer(deserializers, tell);
  const reader = new DataReader(whole, options.reader, write);
  if (!older || !olderLog) return reader;
  return new OlderSpeechReader(reader, olderLog, older.wholeFiles);
}

/** An HTKFeatureDeserializer: only the first entry of `input` counts. */
export function featureDeserializerOptions(section: ConfigSection): HtkOptions {
  const { input, name } = firstInput(section);
  const frameMode = section.boolean("frameMode", true);
  return { ...featureOptions(input, name, frameMode), ...scriptOptions(input), wholeFiles: false };
}

/** An HTKMLFDeserializer. */
export function labelDeserializerOptions(section: ConfigSection): MlfOptions {
  const { input, name } = firstInput(section);
  const frameMode = section.boolean("frameMode", true);
  const options = labelOptions(input, name, frameMode);
  if (options.frameMode && options.phoneBoundaries) {
    throw problem(input, "frameMode and phoneBoundaries are mutually exclusive options.", "phoneBoundaries");
  }
  return { ...options, readLabels: masterLabels(input) };
}

function firstInput(section: ConfigSection): { readonly input: ConfigSection; readonly name: string } {
  const inputs = section.section("input");
  const [name] = inputs.keys();
  if (name === undefined) throw problem(inputs, "input names no stream.");
  return { input: inputs.section(name), name };
}

function featureOptions(section: ConfigSection, name: string, frameMode: boolean): FeatureOptions {
  // A deserializer has a type of its own around it.
  if (section.hasOwn("type") && section.string("type").toLowerCase() !== "real") {
    throw problem(section, "Feature type must be of type 'real'.", "type");
  }
  if (!section.has("dim"))
    throw problem(section, "Features must specify dimension: 'dim' property is missing.");
  const [left, right] = contextWindow(section);
  if (section.boolean("expandToUtterance", false)) {
    throw new CntkError({
      code: "not-available",
      message: "expandToUtterance = true is not available yet",
      span: section.keySpan("expandToUtterance"),
    });
  }
  return {
    name,
    dimension: dimensionOf(section, "dim") * (1 + left + right),
    ...{ left, right, frameMode },
    elementType: readPrecision(section),
  };
}

/** Where HTK's files are listed. */
function scriptOptions(section: ConfigSection): Pick<HtkOptions, "scriptFile" | "root" | "readsAhead"> {
  const root = section.string("prefixPathInSCP", "").replace(/\\/g, "/").replace(/\/+$/, "");
  return {
    scriptFile: section.string("scpFile"),
    root: root === "" ? "" : `${root}/`,
    readsAhead: section.boolean("prefetch", true),
  };
}

function contextWindow(section: ConfigSection): [number, number] {
  const window = section.integerSchedule("contextWindow", [1]).values;
  const [first = 1, second] = window;
  if (window.length > 2) {
    const message = `contextWindow must have 1 or 2 values specified, found ${window.length}.`;
    throw problem(section, message, "contextWindow");
  }
  const fits = [first, second ?? 0].every((frames) => frames >= 0 && frames < 10000);
  if (!fits) throw problem(section, "contextWindow is out of range.", "contextWindow");
  if (second !== undefined) return [first, second];
  if (first % 2 === 0) {
    const message = `Neighbor expansion of input features to ${first} is not symmetrical.`;
    throw problem(section, message, "contextWindow");
  }
  return [(first - 1) / 2, (first - 1) / 2];
}

function labelOptions(
  section: ConfigSection,
  name: string,
  frameMode: boolean,
): Omit<MlfOptions, "readLabels"> {
  const typeKey = ["labelType", "type"].find((key) => section.hasOwn(key));
  const type = typeKey === undefined ? "category" : section.string(typeKey);
  if (type.toLowerCase() !== "category") {
    throw problem(section, "Label type must be of type 'category'.", typeKey);
  }
  const key = section.has("labelDim") ? "labelDim" : "dim";
  if (!section.has(key)) {
    throw problem(section, "Labels must specify dimension: 'dim/labelDim' property is missing.");
  }
  const dimension = dimensionOf(section, key);
  if (dimension > 65535) {
    throw problem(section, `Label dimension (${dimension}) exceeds the maximum allowed value (65535)`, key);
  }
  const phoneBoundaries = section.boolean("phoneBoundaries", false);
  return { name, dimension, elementType: readPrecision(section), frameMode, phoneBoundaries };
}

/** CNTK's master label files. */
function masterLabels(section: ConfigSection): LabelSource {
  if (!section.hasOwn("mlfFile") && !section.hasOwn("mlfFileList")) {
    throw problem(section, "Either mlfFile or mlfFileList must exist in the reader configuration.");
  }
  const files = section.hasOwn("mlfFile")
    ? { paths: [section.string("mlfFile")] }
    : { list: section.string("mlfFileList") };
  return labelFiles(files, section.string("labelMappingFile", ""));
}

function dimensionOf(section: ConfigSection, key: string): number {
  const dimension = section.size(key);
  if (dimension > 0 && dimension < 2 ** 24) return dimension;
  throw problem(section, `${key} is out of range.`, key);
}

function readerOptions(section: ConfigSection, frameMode: boolean): ReaderOptions {
  if (isOlderHtk(section) && section.integerSchedule("nbruttsineachrecurrentiter", [1]).values.includes(0)) {
    throw problem(section, "nbrUttsInEachRecurrentIter cannot be less than 1.", "nbruttsineachrecurrentiter");
  }
  const truncated = section.boolean("truncated", false) && !isWrite(section);
  if (frameMode && truncated) {
    throw problem(section, "frameMode and truncated BPTT are mutually exclusive.", "truncated");
  }
  const parallel = section.integerSchedule("nbruttsineachrecurrentiter", [1]);
  const parallelSequences = (epoch: number): number => Math.max(1, parallel.at(epoch));
  const older = isOlderHtk(section) && !isWrite(section);
  return {
    keepDataInMemory: false,
    packing: frameMode
      ? "frame"
      : older
        ? { parallelUtterances: parallelSequences, truncated }
        : truncated
          ? {
              truncationLength: section.size("truncationLength", 0),
              parallelSequences,
            }
          : "sequence",
    isOlder: true,
    firstParallelSequences: parallelSequences(0),
    localTimeline: false,
    withKeys: false,
    prefetch: section.boolean("prefetch", true),
    verbosity: isOlderHtk(section) ? 0 : section.integer("verbosity", 0),
  };
}

function readRandomization(section: ConfigSection): Pick<ReaderOptions, "randomization"> {
  const method = section.string("readMethod", "blockRandomize").toLowerCase();
  const isOlder = isOlderReader(section);
  if (isWrite(section)) {
    if (isOlder || method === "none") return {};
    throw problem(section, "'readMethod' must be 'none' for write action.", "readMethod");
  }
  if (isOlderHtk(section) && method !== "blockrandomize" && method !== "rollingwindow") {
    throw problem(section, "readMethod must be 'rollingWindow' or 'blockRandomize'", "readMethod");
  }
  if (method === "none") return {};
  if (method !== "blockrandomize" && !(isOlder && method === "rollingwindow")) {
    throw problem(section, "readMethod must be 'blockRandomize' or 'none'.", "readMethod");
  }
  const word = section.string("randomize", "auto").toLowerCase();
  if (word === "none" && isOlder && method === "rollingwindow") return {};
  if (word === "none") throw noOrder(section);
  const window = word === "auto" ? wholeData : section.size("randomize");
  if (window === 0) throw noOrder(section);
  // HTKMLFReader knows no seed of its own.
  if (isOlderHtk(section) && !section.boolean("useMersenneTwisterRand", false)) {
    return { randomization: { window, sampleBased: true, seed: 0, byCLibrary: true } };
  }
  return { randomization: { window, sampleBased: true, seed: section.seed("randomizationSeed", 0) } };
}

function noOrder(section: ConfigSection): CntkError {
  const message = "'randomize' cannot be 'none' when 'readMethod' is 'blockRandomize'.";
  return problem(section, message, "randomize");
}

/** The reader of HTK's files before deserializers, and the one of Kaldi's. */
function isOlderReader(section: ConfigSection): boolean {
  return /HTKMLF|Kaldi/.test(section.string("readerType", ""));
}

function isOlderHtk(section: ConfigSection): boolean {
  return /HTKMLF/.test(section.string("readerType", ""));
}

function isRollingWindow(section: ConfigSection): boolean {
  return section.string("readMethod", "").toLowerCase() === "rollingwindow";
}

function isWrite(section: ConfigSection): boolean {
  return section.string("action", "").toLowerCase() === "write";
}

/** Phones and lattices are for training by sequences, which cntkts does not have. */
function refuseLattices(section: ConfigSection, names: readonly string[]): void {
  for (const name of names) {
    const stream = section.section(name);
    for (const key of ["denlatTocFile", "phoneFile"]) {
      if (!stream.hasOwn(key)) continue;
      throw new CntkError({
        code: "not-available",
        message: `${key} (lattices) is not available yet`,
        span: stream.keySpan(key),
      });
    }
  }
}

/** Names of the sections in a section. */
function streamNames(section: ConfigSection): string[] {
  return section.keys().filter((name) => {
    try {
      return /^\s*[[{(]/.test(section.raw(name)?.text ?? "") && section.section(name).keys().length > 0;
    } catch {
      return false;
    }
  });
}

function problem(section: ConfigSection, message: string, key?: string): CntkError {
  const span = (key === undefined ? undefined : section.raw(key)?.spanOf()) ?? section.span;
  return new CntkError({ code: "htk-option", message, span });
}
