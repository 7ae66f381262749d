import { describe, expect, it } from "vitest";
import {
  MersenneTwister32,
  MinimalStandard,
  type StandardGenerator,
  standardShuffle,
} from "../../src/numerics/standard-shuffle.js";

/** What programs compiled with g++ 12 print. */
describe("shuffling as GNU's library does", () => {
  it("draws the numbers of std::mt19937", () => {
    const engine = new MersenneTwister32(5489);
    let last = 0;
    for (let i = 0; i < 10000; i++) last = engine.next();
    expect(last).toBe(4123659995);
  });

  const shuffled = (count: number, engine: StandardGenerator): number[] => {
    const items = Array.from({ length: count }, (_, i) => i);
    standardShuffle(items, engine);
    return items;
  };
  const recorded: readonly [count: number, seed: number, mersenne: number[], standard: number[]][] = [
    [5, 1, [1, 0, 2, 3, 4], [3, 0, 4, 2, 1]],
    [5, 2, [3, 0, 2, 4, 1], [4, 3, 1, 0, 2]],
    [8, 1, [1, 0, 2, 5, 7, 4, 6, 3], [2, 7, 1, 6, 5, 0, 4, 3]],
    [8, 2, [5, 0, 3, 1, 7, 4, 6, 2], [2, 0, 4, 7, 1, 3, 6, 5]],
  ];
  for (const [count, seed, mersenne, standard] of recorded) {
    it(`${count} items with the seed ${seed}`, () => {
      expect(shuffled(count, new MersenneTwister32(seed))).toEqual(mersenne);
      expect(shuffled(count, new MinimalStandard(seed))).toEqual(standard);
    });
  }

  const digest = (items: readonly number[]): number =>
    items.reduce((sum, item) => (sum * 31 + item) % 1000000007, 0);
  it("long lists draw once for each item", () => {
    expect(digest(shuffled(1000, new MersenneTwister32(5)))).toBe(886521477);
    expect(digest(shuffled(70000, new MersenneTwister32(1)))).toBe(821432254);
    expect(digest(shuffled(70000, new MinimalStandard(1)))).toBe(135971256);
  });
});
