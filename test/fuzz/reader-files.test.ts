import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { decodePure } from "../../src/node/pure-pictures.js";
import type { PictureDecoder } from "../../src/readers/index.js";
import { openReader, readEpoch } from "../support/read-epoch.js";
import { mutated } from "./mutate.mjs";

/** Damaged pictures, HTK files, label files, scripts and map files: read, or refused with a CntkError; never anything else. */
const seeds = 60;

const jpeg = new Uint8Array(readFileSync("test/fixtures/images/a.jpg"));
const png = new Uint8Array(readFileSync("test/fixtures/images/a.png"));
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** Decodes on this thread: starting another one for every damaged file would take longer than all else. */
const here: PictureDecoder = {
  decode: async (bytes, grayscale) => decodePure(bytes, grayscale),
  inflate: () => new Uint8Array(),
};

/** Twenty frames of three numbers, compressed. */
function htk(): Uint8Array {
  const view = new DataView(new ArrayBuffer(12 + 8 * 3 + 6 * 20));
  view.setInt32(0, 24);
  view.setInt32(4, 100000);
  view.setInt16(8, 6);
  view.setInt16(10, 9 | 0o2000);
  for (let i = 0; i < 3; i++) view.setFloat32(12 + 4 * i, 1);
  return new Uint8Array(view.buffer);
}

interface Damageable {
  readonly section: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

const images: Damageable = {
  section: `readerType = ImageReader ; file = map.txt ; randomize = none
    features = [ width = 4 ; height = 4 ; channels = 3 ] ; labels = [ labelDim = 10 ]`,
  files: { "map.txt": text("a.jpg\t3\nkey\tb.png\t1\n"), "a.jpg": jpeg, "b.png": png },
};
const speech: Damageable = {
  section: `readerType = HTKDeserializers ; readMethod = none ; frameMode = false
    x = [ dim = 3 ; scpFile = a.scp ] ; y = [ dim = 8 ; mlfFile = a.mlf ]`,
  files: {
    "a.scp": text("a.fea=x.fea[0,12]\nb.fea=x.fea[13,19]\n"),
    "a.mlf": text('#!MLF!#\n"a.lab"\n0 5 s0 1\n5 13 s1 2\n.\n"*/b.lab"\n0 700000 s1 4\n.\n'),
    "x.fea": htk(),
  },
};

describe("damaged files of readers", () => {
  const cases = [images, speech].flatMap(({ section, files }) =>
    Object.keys(files).map((name) => ({ name, section, files })),
  );
  it.each(cases)("$name", async ({ name, section, files }) => {
    const outcomes = { read: 0, refused: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const damaged = { ...files, [name]: mutated(files[name] ?? new Uint8Array(), seed) };
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
