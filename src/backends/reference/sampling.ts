import { formatFixed } from "../../numerics/number-format.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { KernelCompiler, KernelRun } from "../host/kernel.js";
import type { RandomEngine } from "../host/random-engine.js";
import { countOf } from "./cells.js";

/** Draws that a sample without duplicates may take; more, and it would never end. */
const mostDraws = 100_000_000;
/** Samples by which CNTK guesses how many draws one takes. */
const experiments = 10;

/**
 * Classes drawn by weight: one-hot columns, or how often each is expected (TrainingNodes.cpp, RandomSampleNodeBase). The
 * columns are drawn anew for each minibatch; the expectation is an estimate that stays as long as the weights do, and no longer
 * than an epoch, which has an engine of its own.
 */
export const drawClasses: KernelCompiler<"drawClasses"> = ({ reads, writes, parameters }) => {
  const [weights] = reads;
  const { size, allowDuplicates, result } = parameters;
  let known: Expectation | undefined;
  return (run: KernelRun) => {
    const engine = run.engines.get(parameters.engine);
    if (!engine || !weights) throw new Error(`the plan has no random engine ${parameters.engine}`);
    const classes = countOf(weights.dims);
    const sums = prefixSums(run.view(weights).subarray(0, classes));
    const target = run.view(writes);
    if (result === "columns") {
      target.fill(0, 0, classes * size);
      const { drawn } = draw(engine, sums, size, allowDuplicates);
      drawn.forEach((index, column) => void (target[column * classes + index] = 1));
      return;
    }
    const [seed = 0] = engine.read();
    if (known?.seed !== seed || !known.sums.every((sum, index) => sum === sums[index])) {
      known = { seed, sums, counts: expectedCounts(engine, sums, size, allowDuplicates) };
    }
    target.set(known.counts);
  };
};

/** How often each class is expected in a sample, and the engine and the weights that this holds for. */
interface Expectation {
  readonly seed: number;
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

/** Without duplicates a guess by the number of draws that some samples take. */
function expectedCounts(
  engine: RandomEngine,
  sums: Float64Array,
  size: number,
  allowDuplicates: boolean,
): Float64Array {
  let draws = 0;
  for (let i = 0; i < experiments; i++) draws += draw(engine, sums, size, allowDuplicates).draws;
  const expected = draws / experiments;
  const total = sums[sums.length - 1] ?? 0;
  return sums.map((sum, i) => {
    const share = (sum - (sums[i - 1] ?? 0)) / total;
    return allowDuplicates ? share * size : -Math.expm1(expected * Math.log1p(-share));
  });
}

function prefixSums(weights: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(weights.length);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    if (weight < 0) {
      throw new CntkError({
        code: "negative-weight",
        message: `Sampling weights contain negative number ${formatFixed(weight, 6)}.`,
      });
    }
    sums[i] = sum += weight;
  }
  return sums;
}

/** The classes of a sample, and the draws that it took. */
function draw(engine: RandomEngine, sums: Float64Array, size: number, allowDuplicates: boolean) {
  const drawn: number[] = [];
  const seen = new Set<number>();
  const total = sums[sums.length - 1] ?? 0;
  let draws = 0;
  while (drawn.length < size) {
    if (draws++ === mostDraws || !(total > 0)) throw endless(size);
    const index = firstAtLeast(sums, engine.nextUniform("double") * total);
    if (!allowDuplicates && seen.has(index)) continue;
    drawn.push(index);
    seen.add(index);
  }
  return { drawn, draws };
}

/** The first place whose sum is not below a value; the sums ascend. */
function firstAtLeast(sums: Float64Array, value: number): number {
  let [from, to] = [0, sums.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sums[middle] ?? 0) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

function endless(size: number): CntkError {
  return new CntkError({
    code: "sample-endless",
    message: `No sample of ${size} classes can be drawn with these weights.`,
    hint: "without duplicates there must be as many classes with a weight above 0; with one weight far above the others it takes too long",
  });
}
