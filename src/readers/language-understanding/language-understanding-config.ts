import type { ConfigSection } from "../../config/config-section.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { ElementType } from "../../numerics/values.js";
import { readPrecision } from "../common-options.js";
import { streamSections } from "../word-sequences/stream-sections.js";

/** A section of labels: the words that go in, or the tags that come out. */
export interface TokenOptions {
  readonly name: string;
  /** One word a line, or with classes `word class`; empty = no words. */
  readonly tokenFile: string;
  readonly withClasses: boolean;
  /** A word in the place of which a sentence ends; empty = none. */
  readonly endSequence: string;
  readonly usesWordMap: boolean;
}

/** A section of an LUSequenceReader. */
export interface LanguageUnderstandingOptions {
  readonly file: string;
  readonly features: string | undefined;
  readonly input: TokenOptions;
  readonly output: TokenOptions;
  /** Pairs of a word and the one it is read as; empty = none. */
  readonly wordMapFile: string;
  readonly unknownWord: string;
  /** Which neighbours of a word stand below each other in a column; 0 = the word itself. */
  readonly wordContext: readonly number[];
  readonly parallelSequences: number;
  readonly equalLength: boolean;
  readonly randomize: boolean;
  /** Begin the file anew within an epoch. */
  readonly severalPasses: boolean;
  /** CNTK never sets its own trace level here: only in commands that insert one does it name the file. */
  readonly namesFile: boolean;
  readonly elementType: ElementType;
}

/**
 * Reads an LUSequenceReader section. Of its two sections of labels the first by name goes in, unless inputLabel and
 * outputLabel say otherwise.
 * @throws CntkError `reader-option` with CNTK's sentence for what it refuses, `not-available` for several streams.
 * Source: Readers/LUSequenceReader/LUSequenceReader.cpp, BatchLUSequenceReader::InitFromConfig.
 */
export function readLanguageUnderstandingOptions(section: ConfigSection): LanguageUnderstandingOptions {
  if (section.array("ioNodeNames", []).length > 0) {
    throw new CntkError({
      code: "not-available",
      message: "ioNodeNames of LUSequenceReader is not available yet",
      span: section.keySpan("ioNodeNames"),
    });
  }
  const { features, labels } = streamSections(section);
  if (labels.length !== 2) {
    throw problem(section, "BatchLUSequenceReader: Two label definitions (in and out) are required.");
  }
  if (section.boolean("ignoresentencebegintag", false)) {
    throw problem(
      section,
      "BatchLUSequenceReader: ignoresentencebegintag option disabled, not supported by latest architecture changes.",
      "ignoresentencebegintag",
    );
  }
  const [input, output] = labelNames(section, labels);
  return {
    file: section.string("file"),
    features: features[0],
    input: readTokens(section, input),
    output: readTokens(section, output),
    wordMapFile: section.string("wordmap", ""),
    unknownWord: section.string("unk", "<unk>"),
    wordContext: section.integerSchedule("wordContext", [0]).values,
    parallelSequences: section.size("nbruttsineachrecurrentiter", 1),
    equalLength: section.boolean("equalLength", true),
    randomize: /^(auto|true)$/i.test(section.string("randomize", "none")),
    severalPasses: section.boolean("dataMultiPass", false),
    namesFile: section.hasOwn("traceLevel"),
    elementType: readPrecision(section),
  };
}

function labelNames(section: ConfigSection, labels: readonly string[]): readonly [string, string] {
  const [first = "", second = ""] = labels;
  const [input, output] = [section.string("inputLabel", ""), section.string("outputLabel", "")];
  if (input === "" && output === "") return [first, second];
  if (!labels.includes(input)) throw problem(section, "cannot find input label", "inputLabel");
  if (!labels.includes(output)) throw problem(section, "cannot find output label", "outputLabel");
  return [input, output];
}

function readTokens(reader: ConfigSection, name: string): TokenOptions {
  const section = reader.section(name);
  if (section.string("labelType", "category").toLowerCase() !== "category") {
    throw problem(section, "LUSequence reader only supports category label", "labelType");
  }
  const mode = section.string("mode", "plain");
  if (!/^(plain|class)$/i.test(mode)) {
    throw problem(
      section,
      `Unsupported label mode format ${mode} for LUSequenceReader. Should be either 'plain' or 'class'`,
      "mode",
    );
  }
  return {
    name,
    tokenFile: section.string("token", ""),
    withClasses: mode.toLowerCase() === "class",
    endSequence: section.string("endSequence", ""),
    usesWordMap: section.boolean("useWordMap", false),
  };
}

function problem(section: ConfigSection, message: string, key?: string): CntkError {
  return new CntkError({
    code: "reader-option",
    message,
    span: (key !== undefined && section.keySpan(key)) || section.span,
  });
}
