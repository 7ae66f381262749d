import { describe, expect, it } from "vitest";
import { FirstFit, type Lifetime } from "../../src/memory-sharing/first-fit.js";

/** Park and Miller's generator: the same lifetimes on every machine. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state = (state * 48271) % 2147483647;
    yield state;
  }
}

const meets = (a: Lifetime, b: Lifetime): boolean => a.from <= b.to && a.to >= b.from;

/** The same by looking at every lifetime of every buffer. */
class Naive {
  readonly buffers: Lifetime[][] = [];

  find(lifetime: Lifetime, end: "first" | "last"): number | undefined {
    const free = (buffer: Lifetime[]): boolean => !buffer.some((other) => meets(other, lifetime));
    const found = end === "first" ? this.buffers.findIndex(free) : this.buffers.findLastIndex(free);
    return found < 0 ? undefined : found;
  }
}

describe("the search for a free buffer", () => {
  it.each([1, 2, 3, 4, 5, 6])("finds what looking at every buffer finds (%i)", (seed) => {
    const random = numbers(seed);
    const next = (below: number): number => (random.next().value as number) % below;
    const count = 300;
    const buffers = new FirstFit(count);
    const naive = new Naive();
    for (let i = 0; i < count; i++) {
      const from = next(200);
      // Short ones, long ones that all meet in the middle, and some that never end.
      const to =
        [from + next(10), 400 - from, from + next(150), Infinity][next(20) === 0 ? 3 : i % 3] ?? from;
      const end = next(2) === 0 ? "first" : "last";
      const found = buffers.find({ from, to }, end);
      expect(found).toBe(naive.find({ from, to }, end));
      if (found === undefined) {
        expect(buffers.add({ from, to })).toBe(naive.buffers.length);
        naive.buffers.push([{ from, to }]);
      } else {
        buffers.occupy(found, { from, to });
        naive.buffers[found]?.push({ from, to });
      }
    }
    expect(naive.buffers.length).toBeGreaterThan(10);
    expect(naive.buffers.some((buffer) => buffer.length > 2)).toBe(true);
  });
});
