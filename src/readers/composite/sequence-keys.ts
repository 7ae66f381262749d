import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import type { SequenceKey } from "../deserializer.js";
import type { KeyReading } from "../text-format/text-index.js";

/**
 * How a corpus reads the keys of its sequences: as numbers, as names, or as names of which only a hash is kept.
 * @throws CntkError `reader-option` for hashed numbers.
 * Source: Source/Readers/ReaderLib/CorpusDescriptor.h.
 */
export function keyReading(numeric: boolean, hashed: boolean, span: Span): KeyReading {
  if (numeric && hashed) {
    throw new CntkError({
      code: "reader-option",
      message: "Hashing should not be used with numeric sequence keys.",
      span,
      hint: "useNumericSequenceKeys = false reads names",
    });
  }
  if (numeric) return { kind: "numeric" };
  return { kind: "symbolic", toKey: hashed ? hash : name };
}

function name(bytes: Uint8Array): SequenceKey {
  return new TextDecoder("utf-8").decode(bytes);
}

/** The djb2 hash with exclusive or, in 64 bits; bytes are signed, as CNTK's characters are. */
function hash(bytes: Uint8Array): SequenceKey {
  let result = 5381n;
  for (const byte of bytes) {
    result = BigInt.asUintN(64, (result * 33n) ^ BigInt.asUintN(64, BigInt.asIntN(8, BigInt(byte))));
  }
  return result;
}
