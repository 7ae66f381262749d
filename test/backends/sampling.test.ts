import { describe, expect, it } from "vitest";
import type { BackendName } from "../../src/index.js";
import { presentBackends } from "../support/backends.js";
import { PlanBuilder, runOn } from "../support/plan-builder.js";

/*
 * Samples of classes by weight. The numbers behind the seeds 0 and 1 are those of std::mt19937_64; the classes are worked out
 * from them by hand: the first sum of weights that is not below the number.
 */

/** Numbers of [0, 1) that the engine of seed 0 gives first. */
const seed0 = [0.15979336337046079, 0.99214518962982, 0.03956902, 0.59749466, 0.54228496];

const present = await presentBackends();

for (const backend of present.filter(({ name }) => ["reference", "javascript"].includes(name))) {
  describe(`drawing classes on ${backend.name satisfies BackendName}`, () => {
    /** What each of the runs with these weights gives. */
    const drawAll = async (
      runs: readonly (readonly number[])[],
      parameters: { size: number; allowDuplicates: boolean; result: "columns" | "frequencies" },
    ): Promise<readonly (readonly number[])[]> => {
      const [weights = []] = runs;
      if ("reason" in backend) throw new Error(backend.reason);
      const builder = new PlanBuilder("double");
      const columns = parameters.result === "columns" ? parameters.size : 1;
      const output = builder.temporary([weights.length, columns], false);
      const given = builder.state("weights", [weights.length]);
      builder.emit("drawClasses", [given], output, { engine: builder.engine("s"), ...parameters });
      const executable = await backend.backend.compile(builder.output("drawn", output).plan());
      const results: (readonly number[])[] = [];
      for (const values of runs) {
        await executable.writeState(new Map([["weights", Float64Array.from(values)]]));
        const { drawn } = await runOn(executable, "double", 1, {});
        results.push(Array.from(drawn ?? []));
      }
      await executable.dispose();
      return results;
    };
    const draw = async (weights: readonly number[], parameters: Parameters<typeof drawAll>[1]) =>
      (await drawAll([weights], parameters))[0] ?? [];

    it("takes the first class whose sum of weights is not below the number", async () => {
      const weights = [1, 2, 1];
      const expected = seed0.slice(0, 3).map((u) => (4 * u <= 1 ? 0 : 4 * u <= 3 ? 1 : 2));
      const columns = await draw(weights, { size: 3, allowDuplicates: true, result: "columns" });
      const classes = [0, 1, 2].map((column) => columns.slice(3 * column, 3 * column + 3).indexOf(1));
      expect(classes).toEqual(expected);
      expect(columns.reduce((sum, x) => sum + x, 0)).toBe(3);
    });
    it("draws again what was drawn before, without duplicates", async () => {
      const columns = await draw([1, 2, 1], { size: 2, allowDuplicates: false, result: "columns" });
      expect([columns.slice(0, 3).indexOf(1), columns.slice(3).indexOf(1)]).toEqual([0, 2]);
    });
    it("expects classes as often as their weights say", async () => {
      expect(await draw([1, 3], { size: 4, allowDuplicates: true, result: "frequencies" })).toEqual([1, 3]);
    });
    it("guesses anew how often without duplicates only when the weights change", async () => {
      const one = { size: 2, allowDuplicates: false, result: "frequencies" } as const;
      const [first, second, third] = await drawAll(
        [
          [1, 8, 1],
          [1, 8, 1],
          [8, 1, 1],
        ],
        one,
      );
      expect(second).toEqual(first);
      expect(third?.[0]).toBeGreaterThan(third?.[1] ?? 1);
    });
    it("refuses what no sample can be drawn from", async () => {
      const one = { size: 1, allowDuplicates: true, result: "columns" } as const;
      await expect(draw([1, -1], one)).rejects.toThrow("Sampling weights contain negative number -1.000000.");
      await expect(draw([0, 0], one)).rejects.toThrow("No sample of 1 classes can be drawn");
    });
  });
}
