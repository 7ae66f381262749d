import type { ConfigSection } from "../../config/config-section.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import { readPrecision, readRandomize } from "../common-options.js";
import type { TextFormatOptions, TextInput } from "./options.js";
import { defaultChunkSize } from "./options.js";

const largestSparseDimension = 2 ** 31 - 1;
/** No network takes dense samples of more elements; -1 reads as such a number. */
const largestDenseDimension = 2 ** 24;

/**
 * Reads the options of a CNTKTextFormatReader. Options that are not in the section are looked for in the ones around it, as
 * everywhere in CNTK's configurations; `input` and what an input has must stand in the section itself. Throws CntkError
 * `reader-option` (and what ConfigSection throws), in CNTK's words, at the place in the configuration.
 * Source: Source/Readers/CNTKTextFormatReader/TextConfigHelper.cpp.
 */
export function textFormatOptions(section: ConfigSection): TextFormatOptions {
  if (!section.hasOwn("input")) {
    throw problem(
      'CNTKTextFormatReader configuration does not contain "input" section.',
      section.span,
      "input = [ features = [ dim = 784 ; format = dense ] ]",
    );
  }
  const input = section.section("input");
  if (input.keys().length === 0) {
    throw problem('CNTKTextFormatReader configuration contains an empty "input" section.', input.span);
  }
  const elementType = readPrecision(section);
  const inputs = readInputs(input);
  const chunkSizeInBytes = section.size("chunkSizeInBytes", defaultChunkSize);
  const randomize = readRandomize(section);
  return {
    file: section.string("file"),
    inputs,
    elementType,
    skipSequenceIds: section.boolean("skipSequenceIds", false),
    maxErrors: section.integer("maxErrors", 0),
    traceLevel: readTraceLevel(section),
    chunkSizeInBytes,
    keepDataInMemory: section.boolean("keepDataInMemory", false),
    frameMode: section.boolean("frameMode", false),
    randomize,
    ...(randomize && section.has("randomizationWindow")
      ? { randomizationWindow: section.size("randomizationWindow") }
      : {}),
    ...(section.boolean("prefetch", true) ? {} : { prefetch: false }),
    sampleBasedRandomizationWindow: section.boolean("sampleBasedRandomizationWindow", false),
    randomizationSeed: section.seed("randomizationSeed", 0),
    verbosity: section.integer("verbosity", 0),
  };
}

/** CNTK takes the level without its sign, and a negative one for a very high one. */
function readTraceLevel(section: ConfigSection): number {
  const level = section.integer("traceLevel", 1);
  return level < 0 ? Infinity : level;
}

function readInputs(section: ConfigSection): TextInput[] {
  const inputs: TextInput[] = [];
  for (const name of section.keys()) {
    const input = section.section(name);
    const span = section.keySpan(name) ?? input.span;
    const textSpan = (key: string): Span => input.raw(key)?.spanOf() ?? span;
    if (!input.hasOwn("dim") || !input.hasOwn("format")) {
      throw problem(
        `Input section for input '${name}' does not specify all the required parameters, "dim" and "format".`,
        span,
        `${name} = [ dim = 784 ; format = dense ]`,
      );
    }
    const dimension = input.size("dim");
    const format = input.string("format").toLowerCase();
    if (format !== "dense" && format !== "sparse") {
      throw problem("'format' parameter must be set either to 'dense' or 'sparse'.", textSpan("format"));
    }
    if (format === "dense" && dimension > largestDenseDimension) {
      throw problem(
        `Sample dimension of input '${name}' is out of range.`,
        textSpan("dim"),
        "dim is the number of elements of a sample",
      );
    }
    if (format === "sparse" && dimension > largestSparseDimension) {
      // The number as C's size_t: a double holds it no longer.
      const shown = BigInt.asUintN(64, BigInt(input.seed("dim")));
      throw problem(
        `Sample dimension (${shown}) for sparse input '${name}' exceeds the maximum allowed value (${largestSparseDimension}).`,
        textSpan("dim"),
      );
    }
    const alias = input.hasOwn("alias") ? input.string("alias", "") : name;
    if (alias === "") throw problem(`Alias value for input '${name}' is empty.`, textSpan("alias"));
    const other = inputs.find((candidate) => candidate.alias === alias);
    if (other) throw problem(`Alias ${alias} is already mapped to input ${other.name}.`, textSpan("alias"));
    const definesMinibatchSize = input.boolean("definesMBSize", false);
    inputs.push({ name, alias, dimension, storage: format, definesMinibatchSize });
  }
  const main = inputs.filter((input) => input.definesMinibatchSize);
  if (main.length > 1) {
    const message = `Only a single stream is allowed to define the minibatch size, but ${main.length} found.`;
    throw problem(message, section.span);
  }
  return inputs;
}

function problem(message: string, span: Span, hint?: string): CntkError {
  return new CntkError({ code: "reader-option", message, span, ...(hint === undefined ? {} : { hint }) });
}
