import { roundingOf } from "../../plan/fold-constants.js";
import type { Values } from "../../numerics/values.js";
import { axisOf, operandAt, type KernelCompiler } from "../host/kernel.js";

/** The items of one query: columns first … end − 1, and where each stands when they are sorted by score. */
interface Query {
  readonly first: number;
  readonly end: number;
  /** By place in the query. */
  readonly ranks: Int32Array;
}

/**
 * Ranking measures over queries (CNTK's LambdaRankNode, NDCG1EvalNode). DCG = Σ gain / ln(2 + rank), the ideal one with the
 * items as they stand.
 */
export const compileRanking: KernelCompiler<"ranking"> = ({ reads, writes, parameters }, { elementType }) => {
  const [gain, score, query] = [operandAt(reads, 0), operandAt(reads, 1), operandAt(reads, 2)];
  const round = roundingOf(elementType);
  return (run) => {
    const columns = run.columns(axisOf(gain));
    const [gains, scores] = [run.view(gain), run.view(score)];
    const queries = queriesOf(run.view(query), gains, scores, columns);
    const target = run.view(writes);
    if (parameters.result === "lambdas") {
      target.fill(0, 0, columns);
      addLambdas(queries, gains, scores, target, round);
      return;
    }
    let sum = 0;
    for (const each of queries)
      sum += parameters.result === "lambdaRank" ? ndcg(each, gains) : firstNdcg(each, gains);
    const mean = sum / queries.length;
    target[0] = (parameters.result === "lambdaRank" ? 1 - mean : mean) * 100 * columns;
  };
};

/** Equal whole numbers of neighbours are one query. */
function queriesOf(ids: Values, gains: Values, scores: Values, columns: number): Query[] {
  const queries: Query[] = [];
  for (let first = 0, end = 0; first < columns; first = end) {
    const id = Math.trunc(ids[first]!);
    while (end < columns && Math.trunc(ids[end]!) === id) end++;
    queries.push({ first, end, ranks: ranksOf(first, end, gains, scores) });
  }
  return queries;
}

/** The best score has rank 0; of equal scores the smaller gain comes first. */
function ranksOf(first: number, end: number, gains: Values, scores: Values): Int32Array {
  const order = Array.from({ length: end - first }, (_, place) => place).sort((a, b) => {
    const [left, right] = [scores[first + a]!, scores[first + b]!];
    if (left < right || left > right) return right - left;
    return gains[first + a]! - gains[first + b]!;
  });
  const ranks = new Int32Array(end - first);
  order.forEach((place, rank) => (ranks[place] = rank));
  return ranks;
}

const discounted = (gain: number, rank: number): number => gain / Math.log(2 + rank);

function idealDcg({ first, ranks }: Query, gains: Values): number {
  let ideal = 0;
  for (let place = 0; place < ranks.length; place++) ideal += discounted(gains[first + place]!, place);
  return ideal;
}

/** DCG over the ideal DCG; 0 where there is nothing to gain. */
function ndcg(query: Query, gains: Values): number {
  const ideal = idealDcg(query, gains);
  if (ideal === 0) return 0;
  let own = 0;
  query.ranks.forEach((rank, place) => (own += discounted(gains[query.first + place]!, rank)));
  return own / ideal;
}

/** The same of the first place alone. */
function firstNdcg({ first, ranks }: Query, gains: Values): number {
  const ideal = gains[first]!;
  return ideal === 0 ? 0 : gains[first + ranks.indexOf(0)]! / ideal;
}

/** Gains that are nearer than this do not make a pair. */
const equalGains = 0.0000001;

/**
 * λ = −|ΔNDCG| / (1 + e^(s_i − s_j)) for each pair of a query, added to i and taken from j. CNTK keeps the score differences of
 * all pairs in a list but leaves pairs of equal gain out when it reads them, so that the pairs behind such a pair get the
 * difference of another one; that is kept.
 */
function addLambdas(
  queries: readonly Query[],
  gains: Values,
  scores: Values,
  target: Values,
  round: (x: number) => number,
): void {
  const differences: number[] = [];
  let [positive, pairs] = [0, 0];
  for (const { first, end } of queries) {
    const count = end - first;
    positive = 0;
    for (let i = first; i < end; i++) if (gains[i]! > 0) positive++;
    pairs += Math.floor(((2 * count - 1 - positive) * positive) / 2);
    for (let i = first; i < end; i++) {
      if (!(gains[i]! > gains[end - 1]!)) continue;
      for (let j = i + 1; j < end; j++) differences.push(round(scores[i]! - scores[j]!));
    }
  }
  if (pairs === 0) return;
  let next = 0;
  for (const query of queries) {
    const { first, end, ranks } = query;
    const ideal = round(idealDcg(query, gains));
    for (let i = first; i < end; i++) {
      if (!(gains[i]! > gains[end - 1]!)) continue;
      const discount = Math.log(2 + ranks[i - first]!);
      for (let j = i + 1; j < end; j++) {
        const gap = gains[i]! - gains[j]!;
        if (Math.abs(gap) < equalGains) continue;
        const other = Math.log(2 + ranks[j - first]!);
        const change = (gap * (discount - other)) / (discount * other);
        const weight = ideal === 0 ? 0 : Math.abs(change / ideal);
        const lambda = (-1 / (1 + Math.exp(differences[next++]!))) * weight;
        target[i] = target[i]! + lambda;
        target[j] = target[j]! - lambda;
      }
    }
  }
}
