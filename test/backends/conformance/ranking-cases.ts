import { layoutOf, type SequenceCase } from "../../support/sequence-case.js";
import { eighths } from "../../support/plan-builder.js";

// Two queries of three and two items, one frame each.
const layout = layoutOf(5, 1, ...[0, 1, 2, 3, 4].map((row): [number, number, number] => [row, 0, 1]));
const data = { gain: [3, 1, 0, 0, 2], score: [0.5, 1, -1, 2, 1.5], query: [7, 7, 7, 9, 9] };

const ideal = 3 / Math.log(2) + 1 / Math.log(3);
const own = 1 / Math.log(2) + 3 / Math.log(3);
/** The second query's items are scored in the order in which they stand, bad as it is. */
const second = 1;

const ranking = (
  result: "lambdaRank" | "lambdas" | "firstRank",
  inputs: Readonly<Record<"gain" | "score" | "query", readonly number[]>>,
  expected?: readonly number[],
): SequenceCase => ({
  name: `ranking: ${result} of gains ${inputs.gain.join(", ")}`,
  build(b) {
    const output = b.temporary([1], result === "lambdas");
    const reads = [b.input("gain", [1]), b.input("score", [1]), b.input("query", [1])];
    b.emit("ranking", reads, output, { result }).output("y", output);
  },
  minibatches: [{ layouts: { "*": layout }, inputs }],
  ...(expected && { expected: [{ y: expected }] }),
});

const lambda = (
  ideal1: number,
  gap: number,
  ranks: readonly [number, number],
  difference: number,
): number => {
  const [a, b] = ranks.map((rank) => Math.log(2 + rank)) as [number, number];
  return Math.abs((gap * (a - b)) / (a * b) / ideal1) / (1 + Math.exp(difference));
};
const pairs = [
  lambda(ideal, 2, [1, 0], -0.5),
  lambda(ideal, 3, [1, 2], 1.5),
  lambda(ideal, 1, [0, 2], 2),
] as const;

const height = 4;
const outsideTop = (
  name: string,
  count: number,
  [rows, z]: readonly [readonly number[], readonly number[]],
  expected: readonly number[],
): SequenceCase => ({
  name: `outside the top: ${name}`,
  build(b) {
    const output = b.temporary([1]);
    const reads = [b.input("row", [1]), b.input("z", [height]), b.state("count", [1], count)];
    b.emit("outsideTop", reads, output, {}).output("y", output);
  },
  minibatches: [
    { layouts: { "*": layoutOf(1, rows.length, [0, 0, rows.length]) }, inputs: { row: rows, z } },
  ],
  expected: [{ y: expected }],
});

const region = (
  name: string,
  regions: readonly number[],
  expected?: { y: readonly number[]; dx: readonly number[] },
): SequenceCase => ({
  name: `regions: ${name}`,
  build(b) {
    const parameters = { scale: 0.5, grid: [2, 1] } as const;
    const [x, corners] = [b.input("x", [4, 3, 2]), b.input("regions", [4, 2])];
    const [y, dx] = [b.temporary([2, 1, 2, 2]), b.temporary([4, 3, 2])];
    b.emit("regionPool", [x, corners], y, parameters);
    b.emit("regionPoolGradient", [b.input("g", [2, 1, 2, 2]), x, corners], dx, parameters);
    b.output("y", y).output("dx", dx);
  },
  minibatches: [
    {
      layouts: { "*": layoutOf(1, 1, [0, 0, 1]) },
      inputs: {
        x: [5, 1, 2, 3, 4, 9, 7, 8, 0, 6, -1, -2, ...eighths(12, 4)],
        regions,
        g: [1, 2, 4, 8, 16, 32, 64, 128],
      },
    },
  ],
  ...(expected && { expected: [expected] }),
});

export const rankingCases: SequenceCase[] = [
  ranking("lambdaRank", data, [(1 - (own / ideal + second) / 2) * 500]),
  // Rank 1 of the first query is the item of gain 1, where the best one has 3; the second query has nothing to gain there.
  ranking("firstRank", data, [(1 / 3 / 2) * 500]),
  // Only pairs behind an item that gains more than the query's last one: none in the second query.
  ranking("lambdas", data, [-pairs[0] - pairs[1], pairs[0] - pairs[2], pairs[1] + pairs[2], 0, 0]),
  // Two items of equal gain: the pairs behind theirs are weighed by another pair's difference of scores.
  ranking("lambdas", { ...data, gain: [2, 2, 1, 3, 0] }),
  ranking("lambdas", { ...data, gain: [0, 0, 0, 0, 0] }, [0, 0, 0, 0, 0]),
  outsideTop(
    "two of four",
    2,
    [
      [0, 3, 1],
      [4, 3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1],
    ],
    [0, 1, 0],
  ),
  outsideTop("the first of equals", 1, [[0, 1], new Array<number>(8).fill(1)], [0, 1]),
  outsideTop("all", 4, [[3], [4, 3, 2, 1]], [0]),
  region("inside", [0, 0, 3, 3, 2, 2, 7, 5]),
  region("one cell, and the whole image", [2, 2, 2, 2, 0, 0, 7, 5]),
  region("partly and wholly outside", [-3, -1, 4, 4, 20, 20, 30, 30]),
  region("ending before they begin", [6, 4, 2, 2, 4, 4, 2, 2]),
];
