import { nthElement } from "../../numerics/nth-element.js";
import { axisOf, operandAt, type KernelCompiler } from "../host/kernel.js";
import { topTooLarge } from "../host/ranking-failures.js";
import { allColumns, countOf, numberAt } from "./cells.js";

interface Item {
  readonly column: number;
  readonly gain: number;
  readonly score: number;
}

/** Splits a list where the key changes. */
function runsOf<T>(items: readonly T[], key: (item: T) => number): T[][] {
  return items.reduce<T[][]>((runs, item) => {
    const last = runs.at(-1);
    if (last?.[0] !== undefined && key(last[0]) === key(item)) last.push(item);
    else runs.push([item]);
    return runs;
  }, []);
}

const dcg = (items: readonly Item[]): number =>
  items.reduce((sum, { gain }, rank) => sum + gain / Math.log(rank + 2), 0);

const byScore = (items: readonly Item[]): Item[] =>
  [...items].sort((a, b) => b.score - a.score || a.gain - b.gain);

/** NDCG of each query against the order given; λ of LambdaRank with the score differences that CNTK mixes up. */
export const ranking: KernelCompiler<"ranking"> = ({ reads, writes, parameters: { result } }) => {
  const [gain, score, query] = [operandAt(reads, 0), operandAt(reads, 1), operandAt(reads, 2)];
  return (run) => {
    const columns = run.columns(axisOf(gain));
    const ids = run.view(query);
    const items = Array.from({ length: columns }, (_, column): Item => ({
      column,
      gain: numberAt(run.view(gain), column),
      score: numberAt(run.view(score), column),
    }));
    const queries = runsOf(items, ({ column }) => Math.trunc(numberAt(ids, column)));
    const target = run.view(writes);
    const mean = (measure: (items: readonly Item[]) => number): number =>
      queries.reduce((sum, each) => sum + measure(each), 0) / queries.length;
    if (result === "lambdaRank") {
      const quality = mean((each) => (dcg(each) === 0 ? 0 : dcg(byScore(each)) / dcg(each)));
      target[0] = (1 - quality) * 100 * columns;
      return;
    }
    if (result === "firstRank") {
      const quality = mean((each) => (each[0]!.gain === 0 ? 0 : byScore(each)[0]!.gain / each[0]!.gain));
      target[0] = quality * 100 * columns;
      return;
    }
    const pairsOf = (each: readonly Item[]): (readonly [Item, Item])[] =>
      each.flatMap((a, place) =>
        a.gain > each.at(-1)!.gain ? each.slice(place + 1).map((b) => [a, b] as const) : [],
      );
    const differences = queries.flatMap(pairsOf).map(([a, b]) => a.score - b.score);
    const sums = new Float64Array(columns);
    const anyPositive = queries.some((each) => each.length > 1 && each.some(({ gain: own }) => own > 0));
    for (const each of anyPositive ? queries : []) {
      const ranked = byScore(each);
      const discount = (item: Item): number => Math.log(ranked.indexOf(item) + 2);
      for (const [a, b] of pairsOf(each)) {
        if (Math.abs(a.gain - b.gain) < 1e-7) continue;
        const difference = differences.shift() ?? 0;
        const change = (a.gain - b.gain) * (1 / discount(b) - 1 / discount(a));
        const lambda = (dcg(each) === 0 ? 0 : Math.abs(change / dcg(each))) / (1 + Math.exp(difference));
        sums[a.column]! -= lambda;
        sums[b.column]! += lambda;
      }
    }
    target.set(sums);
  };
};

/** 1 where fewer than all of the places 0 … count − 1 of the column's order hold the row. */
export const outsideTop: KernelCompiler<"outsideTop"> = ({ reads, writes }) => {
  const [row, z, count] = [operandAt(reads, 0), operandAt(reads, 1), operandAt(reads, 2)];
  const height = countOf(z.dims);
  return (run) => {
    const top = Math.trunc(numberAt(run.view(count), 0));
    if (top > height) throw topTooLarge(top, height);
    let order = Int32Array.from({ length: height }, (_, index) => index);
    for (const column of allColumns(run, axisOf(z))) {
      const value = (index: number): number => numberAt(run.view(z), column * height + index);
      order = Int32Array.from(order);
      if (top === 1) order.sort((a, b) => value(b) - value(a) || a - b);
      else nthElement(order, top, (a, b) => value(a) > value(b));
      const hits = [...order.slice(0, top)].filter((index) => index === numberAt(run.view(row), column));
      run.view(writes)[column] = 1 - hits.length;
    }
  };
};
