import type { ConfigSection } from "../../config/config-section.js";
import type { ElementType } from "../../numerics/values.js";
import { DataReader, type ReaderOptions } from "../data-reader.js";
import { readPrecision, readRandomize } from "../common-options.js";
import type { Reader, ReaderSurroundings } from "../reader.js";
import { BinaryDeserializer } from "./binary-deserializer.js";

/** Width of the window, in chunks, where none is given. */
const defaultWindow = 128;

/** What a section says of a CNTKBinaryReader. */
export interface BinaryOptions {
  readonly file: string;
  readonly elementType: ElementType;
  /** The stream's name for a name in the file. */
  readonly renamed: ReadonlyMap<string, string>;
  readonly reader: ReaderOptions;
}

/**
 * Reads the options of a CNTKBinaryReader; its `input` only gives streams other names. Throws CntkError as ConfigSection does.
 * Source: Source/Readers/CNTKBinaryReader/BinaryConfigHelper.cpp.
 */
export function readBinary(section: ConfigSection): BinaryOptions {
  const sampleBased = section.boolean("sampleBasedRandomizationWindow", false);
  const window = readRandomize(section)
    ? section.size("randomizationWindow", sampleBased ? Infinity : defaultWindow)
    : 0;
  const seed = section.seed("randomizationSeed", 0);
  return {
    file: section.string("file"),
    elementType: readPrecision(section),
    renamed: renamedStreams(section),
    reader: {
      randomization: window > 0 ? { window, sampleBased, seed } : undefined,
      keepDataInMemory: section.boolean("keepDataInMemory", false),
      packing: "sequence",
      localTimeline: false,
      withKeys: false,
      prefetch: section.boolean("prefetch", true),
      verbosity: section.integer("verbosity", 0),
    },
  };
}

/**
 * Opens a file in CNTK's binary format. Throws what BinaryDeserializer throws.
 * Source: Source/Readers/CNTKBinaryReader/CNTKBinaryReader.cpp.
 */
export async function openBinary(options: BinaryOptions, surroundings: ReaderSurroundings): Promise<Reader> {
  const { file, elementType, renamed } = options;
  const deserializer = new BinaryDeserializer(file, elementType, renamed, surroundings);
  try {
    return new DataReader(deserializer, options.reader, (text) => surroundings.log.write(text));
  } catch (error) {
    await deserializer.close();
    throw error;
  }
}

/** `input = [ newName = [ alias = nameInFile ] ]`. */
function renamedStreams(section: ConfigSection): Map<string, string> {
  const names = new Map<string, string>();
  if (!section.hasOwn("input")) return names;
  const input = section.section("input");
  for (const name of input.keys()) {
    const own = input.section(name);
    names.set(own.hasOwn("alias") ? own.string("alias", name) : name, name);
  }
  return names;
}
