import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { MersenneTwister64 } from "../../src/numerics/index.js";
import { openReader, readEpoch } from "../support/read-epoch.js";

const sound = "1 |a 1 2 |s 3:4 5:6.5e-1 |# note\n1 |a 3 -4.25 |s\n2 |a 1e3 0 |s 9:1\n17 |a 7 8 |s 0:1\n";
const interesting = Array.from("|#:. -+eE0919\n\r\t\x00\x01\x7f\xff\xfe\xef", (c) => c.charCodeAt(0));
const input = "input = [ a = [ dim = 2 ; format = dense ] ; s = [ dim = 10 ; format = sparse ] ]";
const deserializer = `[ type = CNTKTextFormatDeserializer ; module = CNTKTextFormatReader ; file = d.ctf ; ${input} ; maxErrors = 3 ]`;
const readers = [
  `file = d.ctf ; ${input} ; maxErrors = 2`,
  `file = d.ctf ; ${input} ; skipSequenceIds = true ; frameMode = true ; maxErrors = 100`,
  `truncated = true ; truncationLength = 2 ; deserializers = ( ${deserializer} )`,
  `useNumericSequenceKeys = false ; deserializers = ( ${deserializer} )`,
];

/** The sound file with some bytes changed, left out, doubled or cut off. */
function damaged(engine: MersenneTwister64): Uint8Array {
  const bytes = [...new TextEncoder().encode(sound)];
  for (let changes = 1 + engine.nextModulo(4); changes > 0; changes--) {
    const at = engine.nextModulo(bytes.length + 1);
    const byte = interesting[engine.nextModulo(interesting.length)] ?? 0;
    switch (engine.nextModulo(5)) {
      case 0:
        bytes[at] = byte;
        break;
      case 1:
        bytes.splice(at, 1 + engine.nextModulo(3));
        break;
      case 2:
        bytes.splice(at, 0, byte);
        break;
      case 3:
        bytes.splice(at, 0, ...bytes.slice(at, at + engine.nextModulo(20)));
        break;
      default:
        bytes.length = Math.min(at, bytes.length);
    }
  }
  return Uint8Array.from(bytes, (byte) => byte ?? 0);
}

describe("a damaged data file", () => {
  it.each(readers)("gives samples or an error that names it: %s", async (options) => {
    const engine = new MersenneTwister64(1);
    for (let round = 0; round < 400; round++) {
      const bytes = damaged(engine);
      try {
        const reader = await openReader({ "d.ctf": bytes }, options);
        await readEpoch(reader, { minibatchSize: 3 });
        await reader.close();
      } catch (error) {
        if (!(error instanceof CntkError)) throw error;
        expect(["data-format", "data-malformed", "sequence-in-frame-mode", "sequence-lengths"]).toContain(
          error.code,
        );
      }
    }
  });
});
