import type { ConfigSection } from "../../config/config-section.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { readPrecision } from "../common-options.js";
import { CompositeDeserializer } from "../composite/composite-deserializer.js";
import { keyReading } from "../composite/sequence-keys.js";
import { DataReader, type ReaderOptions } from "../data-reader.js";
import type { Deserializer } from "../deserializer.js";
import type { Reader, ReaderSurroundings } from "../reader.js";
import { HtkDeserializer, type HtkOptions } from "./htk-deserializer.js";
import { MlfDeserializer, type MlfOptions } from "./mlf-deserializer.js";

/** What a section of readerType HTKDeserializers or HTKMLFReader says. */
export interface HtkReaderOptions {
  readonly reader: ReaderOptions;
  readonly features: readonly HtkOptions[];
  readonly labels: readonly MlfOptions[];
  readonly numericKeys: boolean;
  readonly keySpan: ConfigSection["span"];
}

/** A window that covers any data. */
const wholeData = 2 ** 62;

/**
 * Reads the section of an HTK reader: streams are sections with `scpFile` (features) or `mlfFile` (labels).
 * @throws CntkError `htk-option` in CNTK's words, `not-available` for lattices.
 * Source: Source/Readers/HTKDeserializers/HTKMLFReader.cpp, ConfigHelper.cpp.
 */
export function readHtkReader(section: ConfigSection): HtkReaderOptions {
  const names = streamNames(section);
  const featureNames = names.filter((name) => section.section(name).hasOwn("scpFile"));
  if (featureNames.length === 0) throw problem(section, "Network needs at least 1 feature specified.");
  refuseLattices(section, names);
  const labelNames = names.filter((name) => {
    const stream = section.section(name);
    return !stream.hasOwn("scpFile") && (stream.hasOwn("mlfFile") || stream.hasOwn("mlfFileList"));
  });
  // The older reader hands out whole files when they are to be written.
  const isOlder = /HTKMLF/.test(section.string("readerType", ""));
  const wholeFiles = isOlder && isWrite(section);
  const frameMode = !wholeFiles && section.boolean("frameMode", true);
  return {
    reader: { ...readerOptions(section, frameMode), writesOneByOne: true },
    features: featureNames.map((name) => featureOptions(section.section(name), name, frameMode, wholeFiles)),
    labels: labelNames.map((name) => labelOptions(section.section(name), name, frameMode)),
    numericKeys: section.boolean("useNumericSequenceKeys", false),
    keySpan: section.span,
  };
}

/** Opens what `readHtkReader` has read. */
export async function openHtkReader(
  options: HtkReaderOptions,
  surroundings: ReaderSurroundings,
): Promise<Reader> {
  const keys = keyReading(options.numericKeys, false, options.keySpan);
  const deserializers: Deserializer[] = [
    ...options.features.map((feature) => new HtkDeserializer(feature, surroundings, keys)),
    ...options.labels.map((label) => new MlfDeserializer(label, surroundings, keys)),
  ];
  const [first, ...others] = deserializers;
  const whole = first && others.length === 0 ? first : new CompositeDeserializer(deserializers);
  return new DataReader(whole, options.reader, (text) => surroundings.log.write(text));
}

/** An HTKFeatureDeserializer: only the first entry of `input` counts. */
export function featureDeserializerOptions(section: ConfigSection): HtkOptions {
  const { input, name } = firstInput(section);
  return featureOptions(input, name, section.boolean("frameMode", true));
}

/** An HTKMLFDeserializer. */
export function labelDeserializerOptions(section: ConfigSection): MlfOptions {
  const { input, name } = firstInput(section);
  return labelOptions(input, name, section.boolean("frameMode", true));
}

function firstInput(section: ConfigSection): { readonly input: ConfigSection; readonly name: string } {
  const inputs = section.section("input");
  const [name] = inputs.keys();
  if (name === undefined) throw problem(inputs, "input names no stream.");
  return { input: inputs.section(name), name };
}

function featureOptions(
  section: ConfigSection,
  name: string,
  frameMode: boolean,
  wholeFiles = false,
): HtkOptions {
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
  const root = section.string("prefixPathInSCP", "").replace(/\\/g, "/").replace(/\/+$/, "");
  return {
    name,
    scriptFile: section.string("scpFile"),
    root: root === "" ? "" : `${root}/`,
    dimension: dimensionOf(section, "dim") * (1 + left + right),
    ...{ left, right, frameMode, wholeFiles },
    elementType: readPrecision(section),
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

function labelOptions(section: ConfigSection, name: string, frameMode: boolean): MlfOptions {
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
  if (frameMode && phoneBoundaries) {
    throw problem(
      section,
      "frameMode and phoneBoundaries are mutually exclusive options.",
      "phoneBoundaries",
    );
  }
  if (!section.hasOwn("mlfFile") && !section.hasOwn("mlfFileList")) {
    throw problem(section, "Either mlfFile or mlfFileList must exist in the reader configuration.");
  }
  const files = section.hasOwn("mlfFile")
    ? { paths: [section.string("mlfFile")] }
    : { list: section.string("mlfFileList") };
  const stateList = section.string("labelMappingFile", "");
  return {
    name,
    files,
    stateList,
    dimension,
    elementType: readPrecision(section),
    frameMode,
    phoneBoundaries,
  };
}

function dimensionOf(section: ConfigSection, key: string): number {
  const dimension = section.size(key);
  if (dimension > 0 && dimension < 2 ** 24) return dimension;
  throw problem(section, `${key} is out of range.`, key);
}

function readerOptions(section: ConfigSection, frameMode: boolean): ReaderOptions {
  const truncated = section.boolean("truncated", false) && !isWrite(section);
  if (frameMode && truncated) {
    throw problem(section, "frameMode and truncated BPTT are mutually exclusive.", "truncated");
  }
  const parallel = section.integerSchedule("nbruttsineachrecurrentiter", [1]);
  return {
    ...readRandomization(section),
    keepDataInMemory: false,
    packing: frameMode
      ? "frame"
      : truncated
        ? {
            truncationLength: section.size("truncationLength", 0),
            parallelSequences: (epoch: number) => Math.max(1, parallel.at(epoch)),
          }
        : "sequence",
    localTimeline: false,
    withKeys: false,
    prefetch: section.boolean("prefetch", true),
  };
}

function readRandomization(section: ConfigSection): Pick<ReaderOptions, "randomization"> {
  const method = section.string("readMethod", "blockRandomize").toLowerCase();
  const isOlder = /HTKMLF/.test(section.string("readerType", ""));
  if (isWrite(section)) {
    if (isOlder || method === "none") return {};
    throw problem(section, "'readMethod' must be 'none' for write action.", "readMethod");
  }
  if (method === "none") return {};
  if (method !== "blockrandomize" && method !== "rollingwindow") {
    throw problem(section, "readMethod must be 'blockRandomize' or 'none'.", "readMethod");
  }
  const word = section.string("randomize", "auto").toLowerCase();
  if (word === "none" && isOlder && method === "rollingwindow") return {};
  if (word === "none") {
    const message = "'randomize' cannot be 'none' when 'readMethod' is 'blockRandomize'.";
    throw problem(section, message, "randomize");
  }
  const window = word === "auto" ? wholeData : section.size("randomize");
  return { randomization: { window, sampleBased: true, seed: section.size("randomizationSeed", 0) } };
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
