import { expect, it } from "vitest";
import { CLibraryRandom, windowOrdering } from "../../src/numerics/c-library-random.js";

// Printed by a C program built with GCC 12 and glibc.
it("draws the numbers of glibc's rand", () => {
  const draw = (seed: number): number[] => {
    const random = new CLibraryRandom(seed);
    return Array.from({ length: 3 }, () => random.next());
  };
  expect(draw(1)).toEqual([1804289383, 846930886, 1681692777]);
  expect(draw(0)).toEqual(draw(1));
  expect(draw(12345)).toEqual([383100999, 858300821, 357768173]);
  expect(draw(3000000000)).toEqual([2058147116, 854483408, 922419988]);
});

// The same program with the loop of RandomOrdering.h.
it.each([
  [10, 10, 1, 1, "2 1 3 6 0 7 4 5 8 9"],
  [7, 7, 2, 2, "2 0 1 3 5 4 6"],
  [12, 6, 5, 2, "0 3 1 4 2 5 7 6 9 8 11 10"],
  [
    40,
    40,
    12345,
    4,
    "19 0 17 2 13 15 11 10 9 14 16 20 4 3 5 33 24 1 23 12 8 32 7 31 25 6 28 34 21 36 22 39 29 18 35 38 27 26 37 30",
  ],
])("orders %i samples within %i, seed %i", (length, range, seed, retries, order) => {
  const found = windowOrdering(length, range, seed);
  expect([...found.order].join(" ")).toBe(order);
  expect(found.retries).toBe(retries);
});
