import type { ConfigSection } from "../../config/config-section.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { ElementType } from "../../numerics/values.js";
import { readPrecision } from "../common-options.js";
import { streamSections } from "../word-sequences/stream-sections.js";

/** A section of labels: of words that go in, or of those that are to be told. */
export interface LabelOptions {
  readonly name: string;
  readonly type: "category" | "nextWord" | "none";
  /** 0 = the number of known words. */
  readonly dimension: number;
  readonly endSequence: string;
  /** One word a line, where the file exists; absent only for `none`. */
  readonly mappingFile: string | undefined;
}

/** A section of an LMSequenceReader. */
export interface LanguageModelOptions {
  readonly file: string;
  readonly features: string | undefined;
  readonly input: LabelOptions;
  readonly output: LabelOptions;
  /** What the columns of the output hold: word and class, or the word alone. */
  readonly mode: "class" | "softmax";
  /** Lines `index count word class`; empty = none. */
  readonly classFile: string;
  readonly unknownWord: string;
  /** Sentences of one minibatch; 0 = as many as fit. */
  readonly parallelSequences: number;
  /** Words that are read and shuffled at a time. */
  readonly cacheBlockSize: number;
  readonly elementType: ElementType;
}

/**
 * Reads an LMSequenceReader section. Of its two sections of labels the first by name goes in.
 * @throws CntkError `reader-option` with CNTK's sentence for what it refuses, `not-available` for mode = nce.
 * Source: Readers/LMSequenceReader/SequenceReader.cpp, BatchSequenceReader::InitFromConfig.
 */
export function readLanguageModelOptions(section: ConfigSection): LanguageModelOptions {
  const { features, labels } = streamSections(section);
  const [first, second] = labels;
  if (labels.length !== 2 || first === undefined || second === undefined) {
    throw problem(
      section,
      "BatchSequenceReader: Two label definitions (in and out) are required, even if one is of labelType 'none'.",
    );
  }
  const input = readLabels(section, first, true);
  return {
    file: section.string("file", ""),
    features: features[0],
    input,
    output: readLabels(section, second, false),
    mode: readMode(features[0] === undefined ? section : section.section(features[0])),
    classFile: section.string("wordclass", ""),
    unknownWord: section.string("unk", "<unk>"),
    parallelSequences: section.size("nbruttsineachrecurrentiter", 1),
    cacheBlockSize: section.size("cacheBlockSize", 50000),
    elementType: readPrecision(section),
  };
}

function readMode(section: ConfigSection): "class" | "softmax" {
  const mode = section.string("mode", "class");
  const lower = mode.toLowerCase();
  if (lower === "class" || lower === "softmax") return lower;
  if (lower === "nce") {
    throw new CntkError({
      code: "not-available",
      message: "mode = nce of LMSequenceReader is not available yet",
      span: section.keySpan("mode"),
    });
  }
  throw problem(section, `unsupported format ${mode}`, "mode");
}

function readLabels(reader: ConfigSection, name: string, isInput: boolean): LabelOptions {
  const section = reader.section(name);
  const word = section.string("labelType", "category");
  const lower = word.toLowerCase();
  const type =
    lower === "category"
      ? "category"
      : lower === "nextword"
        ? "nextWord"
        : lower === "none"
          ? "none"
          : undefined;
  if (type === undefined) {
    throw problem(section, `BatchSequenceReader: Invalid labelType '${word}'`, "labelType");
  }
  if (type === "nextWord" && isInput) {
    throw problem(section, "BatchSequenceReader: Input labels must not be of kind 'nextWord'.", "labelType");
  }
  return {
    name,
    type,
    dimension: type === "category" ? section.size("labelDim", 0) : 0,
    endSequence: section.string("endSequence", ""),
    mappingFile: type === "none" ? undefined : section.string("labelMappingFile"),
  };
}

function problem(section: ConfigSection, message: string, key?: string): CntkError {
  return new CntkError({
    code: "reader-option",
    message,
    span: (key !== undefined && section.keySpan(key)) || section.span,
  });
}
