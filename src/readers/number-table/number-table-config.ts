import type { ConfigSection } from "../../config/config-section.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { ElementType } from "../../numerics/values.js";
import { readPrecision } from "../common-options.js";
import { streamSections } from "../word-sequences/stream-sections.js";

/** Neighbouring columns of the table. */
export interface ColumnRange {
  readonly start: number;
  readonly count: number;
}

export interface TableLabels extends ColumnRange {
  readonly name: string;
  /** A class by its word, one-hot; or the numbers themselves. */
  readonly type: "category" | "regression";
  /** Of a category, at least; the number of words where that is larger. */
  readonly dimension: number;
  /** One word a line; only for categories. */
  readonly mappingFile: string;
  readonly mappingFileKey: ConfigSection;
}

/** A UCIFastReader section. */
export interface NumberTableOptions {
  readonly file: string;
  readonly features: ColumnRange & { readonly name: string };
  readonly labels: TableLabels | undefined;
  /** There may be one that says that labels are of no type. */
  readonly hasLabelSection: boolean;
  /** Separates columns, besides blanks and tabs; empty = nothing else does. */
  readonly delimiter: string;
  readonly decimalPoint: string;
  /** Samples that change places with each other; `auto` = those of an epoch. */
  readonly randomize: "none" | "auto" | number;
  /** Is a minibatch delivered that is smaller than asked for? */
  readonly partialMinibatches: boolean;
  /** Is a mapping file made that is not there? */
  readonly createsMapping: boolean;
  readonly traceLevel: number;
  readonly elementType: ElementType;
}

/**
 * Reads a UCIFastReader section.
 * @throws CntkError `reader-option` with CNTK's sentence for what it refuses, `not-available` for a cache in a binary file.
 * Source: Readers/UCIFastReader/UCIFastReader.cpp, InitFromConfig.
 */
export function readNumberTableOptions(section: ConfigSection): NumberTableOptions {
  for (const key of ["writerType", "oneLinePerFile"]) {
    if (!section.has(key) || section.string(key).toLowerCase() === "false") continue;
    throw problem(section, `${key} of UCIFastReader is not available yet`, key, undefined, "not-available");
  }
  const { features, labels } = streamSections(section);
  const [name] = features;
  if (name === undefined) {
    throw problem(
      section,
      "features file not found, required in configuration: i.e. 'features=[file=c:\\myfile.txt;start=1;dim=123]'",
    );
  }
  const ofFeatures = section.section(name);
  const file = ofFeatures.string("file", "") || section.string("file", "");
  if (file === "") throw problem(section, "UCIFastReader: the section of the features names no file.", name);
  const delimiter = section.string("customDelimiter", "").slice(0, 1);
  const decimalPoint = section.string("customDecimalPoint", "").slice(0, 1) || ".";
  if (delimiter === decimalPoint) {
    throw problem(section, "The delimiter and decimal point cannot be the same.", "customDelimiter");
  }
  return {
    file,
    features: { name, start: ofFeatures.size("start", 0), count: ofFeatures.size("dim") },
    labels: labels[0] === undefined ? undefined : readLabels(section, labels[0], file),
    hasLabelSection: labels[0] !== undefined,
    delimiter,
    decimalPoint,
    randomize: readRange(section),
    partialMinibatches: section.string("minibatchMode", "partial").toLowerCase() === "partial",
    createsMapping: section.boolean("allowMapCreation", false),
    traceLevel: section.integer("traceLevel", 0),
    elementType: readPrecision(section),
  };
}

function readLabels(reader: ConfigSection, name: string, file: string): TableLabels | undefined {
  const section = reader.section(name);
  const type = section.string("labelType", "category").toLowerCase();
  if (type === "none") return undefined;
  if ((section.string("file", "") || reader.string("file", "")) !== file) {
    throw problem(
      section,
      "features and label files must be the same file, use separate readers to define single use files",
      "file",
    );
  }
  if (type !== "category" && type !== "regression") {
    throw problem(
      section,
      `UCIFastReader: there is no labelType '${type}'.`,
      "labelType",
      "category, regression or none",
    );
  }
  return {
    name,
    type,
    start: section.size("start", 0),
    count: section.size("dim", 0),
    dimension: type === "category" ? section.size("labelDim", 0) : section.size("dim", 0),
    mappingFile: type === "category" ? section.string("labelMappingFile") : "",
    mappingFileKey: section,
  };
}

function readRange(section: ConfigSection): "none" | "auto" | number {
  const word = section.string("randomize", "auto").toLowerCase();
  return word === "none" || word === "auto" ? word : section.size("randomize");
}

function problem(
  section: ConfigSection,
  message: string,
  key?: string,
  hint?: string,
  code = "reader-option",
): CntkError {
  return new CntkError({
    code,
    message,
    span: (key !== undefined && section.keySpan(key)) || section.span,
    hint,
  });
}
