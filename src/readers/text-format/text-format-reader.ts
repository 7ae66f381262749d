import { CntkError } from "../../diagnostics/diagnostic.js";
import { DataReader } from "../data-reader.js";
import type { Randomization } from "../randomizer/sequence-order.js";
import type { Reader, ReaderSurroundings } from "../reader.js";
import type { TextFormatOptions } from "./options.js";
import { defaultChunkSize, defaultWindowInBytes } from "./options.js";
import { TextFormatDeserializer } from "./text-format-deserializer.js";

/**
 * Opens a file in CNTK's text format, finds its sequences and delivers minibatches. Throws CntkError as
 * TextFormatDeserializer does, and `data-format` for a file without samples.
 * Source: Source/Readers/CNTKTextFormatReader/CNTKTextFormatReader.cpp.
 */
export async function createTextFormatReader(
  options: TextFormatOptions,
  surroundings: ReaderSurroundings,
): Promise<Reader> {
  const deserializer = new TextFormatDeserializer(options, surroundings);
  try {
    if (deserializer.corpus.lengths.every((length) => length === 0)) {
      throw new CntkError({
        code: "data-format",
        message: `CNTKTextFormatReader: While reading '${options.file}': Expected input to contain samples, but the number of successfully read samples was 0.`,
      });
    }
    return new DataReader(
      deserializer,
      {
        randomization: randomizationOf(options),
        keepDataInMemory: options.keepDataInMemory ?? false,
        packing: options.frameMode ? "frame" : "sequence",
        localTimeline: false,
        withKeys: false,
        prefetch: options.prefetch,
        verbosity: options.verbosity,
      },
      (text) => surroundings.log.write(text),
    );
  } catch (error) {
    await deserializer.close();
    throw error;
  }
}

/** The window of the options; a window of 0 is no randomization. */
function randomizationOf(options: TextFormatOptions): Randomization | undefined {
  if (options.randomize === false) return undefined;
  const sampleBased = options.sampleBasedRandomizationWindow ?? false;
  const automatic = sampleBased
    ? Infinity
    : Math.floor(defaultWindowInBytes / (options.chunkSizeInBytes ?? defaultChunkSize));
  const window = options.randomizationWindow ?? automatic;
  return window > 0 ? { window, sampleBased, seed: options.randomizationSeed ?? 0 } : undefined;
}
