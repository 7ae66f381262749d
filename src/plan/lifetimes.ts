import type { BufferId } from "../primitives/instruction.js";
import { type Buffer, type Entry, instructionsOf } from "./plan.js";

/** Step numbers within an entry, both inclusive. */
export interface Lifetime {
  readonly first: number;
  /** Infinity for a buffer that the caller gets or that is carried over. */
  readonly last: number;
}

/**
 * When each temporary of an entry is first written and last used; its memory is free at other times. A loop counts as one
 * step: what it touches lives through all its turns.
 */
export function bufferLifetimes(buffers: readonly Buffer[], entry: Entry): Map<BufferId, Lifetime> {
  const lifetimes = new Map<BufferId, Lifetime>();
  entry.steps.forEach((step, index) => {
    for (const { reads, writes } of instructionsOf([step])) {
      for (const { buffer } of [writes, ...reads]) {
        if (buffers[buffer]?.role !== "temporary") continue;
        lifetimes.set(buffer, { first: lifetimes.get(buffer)?.first ?? index, last: index });
      }
    }
  });
  const kept = [...entry.outputs.map(({ buffer }) => buffer), ...entry.carries.map(({ value }) => value)];
  for (const buffer of kept) {
    const lifetime = lifetimes.get(buffer);
    if (lifetime) lifetimes.set(buffer, { first: lifetime.first, last: Infinity });
  }
  return lifetimes;
}
