import { describe, expect, it } from "vitest";
import { halvesToFloat, largestDraw, MersenneTwister64 } from "../../src/numerics/mersenne-twister.js";

/** Numbers of std::mt19937_64 (g++, Linux). */
describe("MersenneTwister64", () => {
  it.each([
    [0, ["2947667278772165694", "18301848765998365067", "729919693006235833"]],
    [1, ["2469588189546311528", "2516265689700432462", "8323445853463659930"]],
    [2, ["16668552215174154828", "15684088468973760345", "14458935525009338917"]],
  ])("draws what C++ draws from seed %i", (seed, expected) => {
    const engine = new MersenneTwister64(seed);
    expect(expected.map(() => String(engine.nextUint64()))).toEqual(expected);
  });

  it("gives the C++ standard's check value at draw 10000 of seed 5489", () => {
    const engine = new MersenneTwister64(5489n);
    engine.discard(9999);
    expect(engine.nextUint64()).toBe(9981545732273789042n);
  });

  it("passes over numbers as drawing them would", () => {
    const drawn = new MersenneTwister64(7);
    for (let i = 0; i < 1000; i++) drawn.next();
    const passed = new MersenneTwister64(7);
    passed.discard(1);
    passed.discard(999);
    expect(passed.nextUint64()).toBe(drawn.nextUint64());
  });

  it("takes a draw modulo n exactly, for small and for large n", () => {
    for (const n of [1, 2, 3, 10, 60000, 2 ** 31 + 11, 2 ** 37, 2 ** 37 + 1, 2 ** 52 - 1]) {
      const draws = new MersenneTwister64(3);
      const engine = new MersenneTwister64(3);
      for (let i = 0; i < 200; i++) expect(engine.nextModulo(n)).toBe(Number(draws.nextUint64() % BigInt(n)));
    }
  });

  it("gives the dropout draws of CNTK", () => {
    const engine = new MersenneTwister64(0);
    const draws = Array.from({ length: 6 }, () => engine.nextUniform("float").toPrecision(9));
    expect(draws).toEqual([
      "0.159793362",
      "0.992145181",
      "0.0395690240",
      "0.597494662",
      "0.542284966",
      "0.0571597926",
    ]);
    for (const [seed, mask] of [
      [0, [0, 2, 0, 2, 2, 0, 2, 0, 2, 2, 0, 2]],
      [1, [0, 0, 0, 0, 0, 2, 0, 0, 2, 2, 0, 2]],
    ] as const) {
      const masks = new MersenneTwister64(seed);
      expect(mask.map(() => (masks.nextUniform("float") <= 0.5 ? 0 : 2))).toEqual(mask);
    }
  });
});

describe("draws by a limit", () => {
  it.each(["float", "double"] as const)("are those of one number after the other, in %s", (elementType) => {
    for (const limit of [0.5, 0.2, Math.fround(0.2), 0.999, 1 - 2 ** -24, 2 ** -12, 0, -1, 1]) {
      const [one, many] = [new MersenneTwister64(7), new MersenneTwister64(7)];
      for (const count of [5, 1000, 307, 0, 4001]) {
        const expected = Array.from({ length: count }, () => (one.nextUniform(elementType) <= limit ? 3 : 4));
        const found = new Float32Array(count + 1);
        many.fillByLimit(found, count, [limit, 3, 4], elementType);
        expect([...found]).toEqual([...expected, 0]);
      }
      expect(many.nextUint64()).toBe(one.nextUint64());
    }
  });

  it.each(["float", "double"] as const)("know the last draw below each limit, in %s", (elementType) => {
    const uniform = (draw: bigint): number => {
      const [high, low] = [Number(draw >> 32n), Number(draw & 0xffffffffn)];
      return (elementType === "float" ? halvesToFloat(high, low) : Number(draw)) / 2 ** 64;
    };
    for (const limit of [0, 2 ** -40, 0.1, Math.fround(0.1), 0.5, 1 - 2 ** -24, 1 - 2 ** -53]) {
      const { high, low } = largestDraw(limit, elementType);
      const draw = (BigInt(high) << 32n) | BigInt(low);
      expect(uniform(draw)).toBeLessThanOrEqual(limit);
      expect(uniform(draw + 1n)).toBeGreaterThan(limit);
    }
  });
});

describe("halvesToFloat", () => {
  it("rounds 64 bits once where rounding to double first would go wrong", () => {
    // One above the middle between two floats, in the last bit that a double drops.
    expect(halvesToFloat(0x80000080, 1)).toBe(2 ** 63 + 2 ** 40);
    expect(halvesToFloat(0x80000080, 0)).toBe(2 ** 63);
    expect(halvesToFloat(0x80000180, 0)).toBe(2 ** 63 + 2 ** 41);
    expect(halvesToFloat(0x8000007f, 0xffffffff)).toBe(2 ** 63);
    expect(halvesToFloat(0xffffffff, 0xffffffff)).toBe(2 ** 64);
    expect(halvesToFloat(0, 0x1000001)).toBe(2 ** 24);
  });
});
