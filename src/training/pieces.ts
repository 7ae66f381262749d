import type { ConfigSection } from "../config/config-section.js";

/** Minibatches computed in pieces, to save memory: gradients and criteria of the pieces are summed, and one update follows. */
export interface PiecesOptions {
  /**
   * Into how many pieces minibatches of a size are to be taken; up to 1 = none. CNTK multiplies by the sequences side by side
   * in the last minibatch, of which there are none before the first.
   */
  needed(minibatchSize: number, parallelSequences: number): number;
  /** What the log adds to `Starting minibatch loop`. */
  modifiers(pieces: number): string;
}

/** No pieces, whatever the size. */
export const wholeMinibatches: PiecesOptions = { needed: () => 1, modifiers: () => "" };

/**
 * Reads `numSubminibatches` and `maxSamplesInRAM`; the former wins (SGDLib/DataReaderHelpers.h, GetNumSubminibatchesNeeded).
 */
export function readPieces(section: ConfigSection): PiecesOptions {
  const given = section.size("numSubminibatches", 1);
  const samples = section.size("maxSamplesInRAM", 2 ** 64);
  const unlimited = samples >= 2 ** 63;
  return {
    needed(minibatchSize, parallelSequences) {
      if (given > 1) return given;
      if (unlimited) return 1;
      const estimated = minibatchSize * parallelSequences;
      return samples > 0 ? Math.ceil(estimated / samples) : estimated;
    },
    modifiers(pieces) {
      if (pieces <= 1) return "";
      return unlimited
        ? `, with ${asInteger(pieces)} subminibatch`
        : `, with maximum ${asInteger(samples)} samples in RAM`;
    },
  };
}

/** As C prints a size with `%d`: its lowest 32 bits. */
function asInteger(size: number): number {
  return Number(BigInt.asIntN(32, BigInt(size) - (size >= 2 ** 64 ? 1n : 0n)));
}
