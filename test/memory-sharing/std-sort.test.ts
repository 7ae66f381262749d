import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { stdSort } from "../../src/memory-sharing/std-sort.js";

interface Recorded {
  readonly name: string;
  readonly count: number;
  readonly order: readonly number[];
}

/** Orders that `std::sort` of libstdc++ (g++ 12) gave, largest size first. */
const recorded = JSON.parse(
  readFileSync(new URL("../fixtures/validation/std-sort.json", import.meta.url), "utf8"),
) as Recorded[];

/** The sizes of each case, generated as the C++ program did. */
function sizes({ name, count }: Recorded): number[] {
  if (name === "organ pipe") return Array.from({ length: count }, (_, i) => (i < 32 ? i : 63 - i));
  if (name === "killer") {
    const values = new Array<number>(count).fill(0);
    const half = count / 2;
    for (let i = 1; i <= half; i++) {
      if (i % 2 === 1) [values[i - 1], values[i]] = [i, half + i];
      values[half + i - 1] = 2 * i;
    }
    return values.map((value) => -value);
  }
  const modulus = Number(name.split(" ").at(-1));
  let state = 12345;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % modulus;
  });
}

describe("std::sort", () => {
  it.each(recorded.map((entry) => [`${entry.count} elements, ${entry.name}`, entry] as const))(
    "%s",
    (_, entry) => {
      const items = sizes(entry).map((size, id) => ({ size, id }));
      stdSort(items, (a, b) => a.size > b.size);
      expect(items.map(({ id }) => id)).toEqual(entry.order);
    },
  );

  it("is not a stable sort", () => {
    const moved = recorded.find(({ name, count }) => name === "lcg mod 1" && count === 40);
    expect(moved?.order).not.toEqual(Array.from({ length: 40 }, (_, i) => i));
  });
});
