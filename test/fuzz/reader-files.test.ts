import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { decodePure } from "../../src/node/pure-pictures.js";
import type { PictureDecoder } from "../../src/readers/index.js";
import { openReader, readEpoch } from "../support/read-epoch.js";
import { mutated } from "./mutate.mjs";
import { dataSets } from "./reader-files.mjs";

/** Damaged pictures, HTK files, label files, scripts, map files and texts: read, or refused with a CntkError; never anything else. */
const seeds = 60;

/** Decodes on this thread: starting another one for every damaged file would take longer than all else. */
const here: PictureDecoder = {
  decode: async (bytes, grayscale) => decodePure(bytes, grayscale),
  inflate: () => new Uint8Array(),
};

describe("damaged files of readers", () => {
  const cases = dataSets.flatMap((set) => Object.keys(set.files).map((file) => ({ file, ...set })));
  it.each(cases)("$name: $file", async ({ file, section, files }) => {
    const outcomes = { read: 0, refused: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const damaged = { ...files, [file]: mutated(files[file] ?? new Uint8Array(), seed) };
      try {
        await readEpoch(await openReader(damaged, section, "", undefined, here), { minibatchSize: 4 });
        outcomes.read++;
      } catch (error) {
        // Anything but a CntkError comes through and fails the test.
        if (!(error instanceof CntkError)) throw error;
        outcomes.refused++;
      }
    }
    expect(outcomes.refused).toBeGreaterThan(0);
  });
});
