import type { Minibatch } from "./minibatch.js";
import { shareOfMinibatch } from "./share.js";

const hint =
  "numSubminibatches and maxSamplesInRAM take minibatches apart whose inputs all have the same sequences; here some have lengths of their own";

/**
 * A minibatch in pieces of some of its parallel sequences each, as many as asked for or as there are rows.
 * @throws CntkError `minibatch-shares` for streams that lie differently, which CNTK does not take apart either.
 */
export function splitMinibatch(minibatch: Minibatch, pieces: number): readonly Minibatch[] {
  const [first] = minibatch.streams.values();
  const count = Math.min(pieces, first?.layout.rows ?? 1);
  if (count <= 1) return [minibatch];
  return Array.from({ length: count }, (_, piece) => shareOfMinibatch(minibatch, piece, count, hint));
}
