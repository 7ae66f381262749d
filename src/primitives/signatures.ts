import { expressionText } from "./expression-text.js";
import type { Kind } from "./instruction.js";
import { alongAxis, broadcasts, count, matmulProblem, sameAxis, sameCount } from "./operand-rules.js";
import type { Signature } from "./signature.js";
import { windowSignatures } from "./window-signatures.js";

const silent = (): string => "";
const fine = (): undefined => undefined;

/**
 * The closed vocabulary of primitives. A backend computes these and knows nothing else. To add one: its parameters
 * (parameters.ts), its row here, a plain loop in backends/reference, a case in test/backends/conformance; the compiler and
 * the suite name what is missing. The other backends take the plain loop until somebody writes them a faster one.
 */
export const signatures: { readonly [K in Kind]: Signature<K> } = {
  map: {
    doc: "expression(reads), operands stretched: missing trailing dims count as 1, a dim of 1 (or no axis) stretches",
    reads: ["x…"],
    pure: true,
    pointwise: true,
    problem: broadcasts,
    text: ({ expression }, names) => expressionText(expression, names),
  },
  reduce: {
    doc:
      "x over the axes that are 1 in the result and not in x, and over the columns if only x has a dynamic axis; in double, " +
      "then rounded, then multiplied by scale. Neighbouring reduced axes count as one; where kept axes lie between, a sum's inner " +
      "totals are rounded too, as in CNTK. argmax and argmin give the flat index (from 0, lowest among equals)",
    reads: ["x"],
    pure: true,
    problem: ([x], writes) => {
      if (!x) return "there is no operand";
      if (writes.axis !== null && writes.axis !== x.axis) return "a reduction cannot add a dynamic axis";
      const grown = writes.dims.some((dim, i) => dim !== 1 && dim !== (x.dims[i] ?? 1));
      return grown ? `[${x.dims.join(" x ")}] is not reduced by [${writes.dims.join(" x ")}]` : undefined;
    },
    text: ({ operation, scale, gaps }) =>
      `${operation}${scale === 1 ? "" : ` · ${scale}`}${gaps === "counted" ? ", gaps counted" : ""}`,
  },
  copy: {
    doc: "the elements of x under the result's dimensions",
    reads: ["x"],
    pure: true,
    problem: (reads, writes) =>
      reads[0]?.axis === writes.axis ? sameCount(reads, writes) : "a copy keeps its dynamic axis",
    text: silent,
  },
  transpose: {
    doc: "axis i of the result is axis axes[i] of x; a permutation, columns stay last",
    reads: ["x"],
    pure: true,
    problem: sameCount,
    text: ({ axes }) => `axes ${axes.map((axis) => axis + 1).join(":")}`,
  },
  slice: {
    doc: "the part of x that begins at `begin` of an axis and is as long as the result",
    reads: ["x"],
    pure: true,
    problem: (reads, writes, { axis, begin }) =>
      alongAxis(axis, (from, to) => begin >= 0 && begin + to <= from)(reads, writes),
    text: ({ axis, begin }) => `axis ${axis + 1} from ${begin}`,
  },
  pad: {
    doc: "x put at `begin` of an axis, zeros around it",
    reads: ["x"],
    pure: true,
    problem: (reads, writes, { axis, begin }) =>
      alongAxis(axis, (from, to) => begin >= 0 && begin + from <= to)(reads, writes),
    text: ({ axis, begin }) => `axis ${axis + 1} from ${begin}`,
  },
  concatenate: {
    doc: "the operands one after another along an axis; in the other axes (and columns) they stretch",
    reads: ["x…"],
    pure: true,
    problem: (reads, writes, { axis }) => {
      const total = reads.reduce((sum, { dims }) => sum + (dims[axis] ?? 1), 0);
      if (total !== (writes.dims[axis] ?? 1)) return `${total} places do not make ${writes.dims[axis]}`;
      return sameAxis(reads, writes);
    },
    text: ({ axis }) => `axis ${axis + 1}`,
  },
  iota: {
    doc: "0, 1, 2, … along the result's elements",
    reads: [],
    pure: true,
    problem: (_, writes) => (writes.axis === null ? undefined : "numbers have no dynamic axis"),
    text: silent,
  },
  matmul: {
    doc:
      "op(a)·op(b), op transposing if asked. dims are [rows, columns]; a matrix with a dynamic axis has that many columns for each " +
      "column of the axis, one behind another. Transposing b contracts the axis that both have; gaps add nothing. With b sparse " +
      "the result is dense, or, where the axis is contracted, touched; touched of a dense b, it lists the rows of b that are not all zero",
    reads: ["a", "b"],
    pure: true,
    takesSparse: true,
    problem: matmulProblem,
    // What the factors have in common is contracted. Of a sparse factor only the numbers that are there count.
    work: ([a, b], writes) => {
      const all = Math.sqrt((a ? count(a) : 1) * (b ? count(b) : 1) * count(writes));
      return b?.storage === "sparse" ? count(writes) : all;
    },
    text: ({ transposeA, transposeB }) =>
      [transposeA ? "a transposed" : "", transposeB ? "b transposed" : ""].filter(Boolean).join(", "),
  },
  ...windowSignatures,
  dropoutMask: {
    doc:
      "per element (column-major, gaps included) u ≤ rate ? 0 : 1/(1−rate), u uniform in [0, 1) from the engine, a 64-bit Mersenne " +
      "twister; at rate 0 all ones and no draws. The operand only lends its columns",
    reads: ["like"],
    pure: false,
    problem: sameAxis,
    text: ({ engine, rate }) => `engine ${engine}, rate ${rate}`,
  },
  drawClasses: {
    doc:
      "`size` classes drawn by weight, double numbers uniform in [0, sum of the weights) from the engine: the first class whose sum of " +
      "weights up to it is not below the number; without duplicates one that was drawn before is drawn again. columns: a one-hot column " +
      "for each. frequencies: how often each class is expected in it, without duplicates guessed from the draws that ten samples take",
    reads: ["weights"],
    pure: false,
    wholeAxis: true,
    problem: ([weights], writes, { size, result }) => {
      if (weights?.axis !== null || writes.axis !== null) return "classes have no dynamic axis";
      const wanted = count(weights) * (result === "columns" ? size : 1);
      return count(writes) === wanted ? undefined : `${wanted} numbers are drawn`;
    },
    text: ({ engine, size, allowDuplicates, result }) =>
      `engine ${engine}, ${size} ${allowDuplicates ? "" : "different "}classes, ${result}`,
  },
  count: {
    doc: "number of samples (columns that are no gaps), of columns, or of sequences of x's dynamic axis",
    reads: ["x"],
    pure: true,
    wholeAxis: true,
    takesSparse: true,
    problem: ([x], writes) =>
      x?.axis === null || writes.axis !== null ? "counts the columns of a dynamic axis" : undefined,
    text: ({ what }) => what,
  },
  shift: {
    doc:
      "frame t holds frame t − steps of x; where that lies outside the sequence (and in gaps) the boundary value: a tensor without axis is " +
      "stretched; of one with an axis the sequence of the same number, its last frames (steps > 0) or first ones, or its single one. " +
      "What continues from an earlier minibatch takes `carried`, the last frames of x there",
    reads: ["x", "initial", "carried?"],
    pure: true,
    mixesAxes: true,
    problem: ([x], writes) => (x?.axis === writes.axis ? undefined : "a shift keeps its dynamic axis"),
    text: ({ steps, carries }) => `${steps}${carries ? ", carries over" : ""}`,
  },
  shiftInitialGradient: {
    doc:
      "the gradient of a shift's boundary value. Result with the gradient's axis: the gradient where the boundary value was used, 0 elsewhere. " +
      "Result with another axis: put back to the frames it was taken from, added up",
    reads: ["gradient", "initial"],
    pure: true,
    wholeAxis: true,
    mixesAxes: true,
    problem: fine,
    text: ({ steps }) => String(steps),
  },
  where: {
    doc:
      "opens an axis: for each sequence the numbers of the frames whose flag is not 0; a flag of n repeats a frame n times, fractions add up. " +
      "A sequence left without a frame is an error if so said",
    reads: ["flags"],
    pure: true,
    wholeAxis: true,
    opensAxis: true,
    mixesAxes: true,
    problem: fine,
    text: ({ empty }) => `empty sequences ${empty}`,
  },
  packIndex: {
    doc: "frame numbers within sequences → columns of the axis of `of`; gaps: −1",
    reads: ["index", "of"],
    pure: true,
    wholeAxis: true,
    mixesAxes: true,
    takesSparse: true,
    problem: ([index], writes) => sameAxis(index ? [index] : [], writes),
    text: silent,
  },
  gather: {
    doc: "column index[c] of source; without a dynamic axis the source's last dimension is its columns. 0 where the index is negative",
    reads: ["index", "source"],
    pure: true,
    wholeAxis: true,
    mixesAxes: true,
    problem: ([index], writes) => sameAxis(index ? [index] : [], writes),
    text: silent,
  },
  scatter: {
    doc: "the adjoint of gather: source's columns added at column index[c] of the result, whose columns `like` lends; zeros elsewhere",
    reads: ["index", "source", "like"],
    pure: true,
    wholeAxis: true,
    mixesAxes: true,
    problem: ([, , like], writes) =>
      like?.axis === writes.axis ? undefined : "the result has the columns of `like`",
    text: silent,
  },
  reconcile: {
    doc:
      "x with the dynamic axis of `like`: both must have the same sequences in the same places, or, if so said, x a single frame per " +
      "sequence, which is repeated; without a dynamic axis x is repeated for every column",
    reads: ["x", "like"],
    pure: true,
    wholeAxis: true,
    mixesAxes: true,
    takesSparse: true,
    problem: ([, like], writes) =>
      like?.axis === writes.axis ? undefined : "the result has the axis of `like`",
    text: ({ repeats }) => (repeats ? "single frames repeated" : ""),
  },
  reconcileGradient: {
    doc: "the adjoint of reconcile: the gradient at the columns of x, the frames of a sequence added up where x has a single one",
    reads: ["gradient", "x"],
    pure: true,
    wholeAxis: true,
    mixesAxes: true,
    takesSparse: true,
    problem: ([, x], writes) => (x?.axis === writes.axis ? undefined : "the result has the axis of x"),
    text: silent,
  },
  sumSequence: {
    doc: "opens an axis of one frame per sequence: the sum of the sequence's frames",
    reads: ["x"],
    pure: true,
    wholeAxis: true,
    opensAxis: true,
    mixesAxes: true,
    problem: fine,
    text: silent,
  },
  spreadSequence: {
    doc: "the adjoint of sumSequence: the single frame of each sequence, for all frames of `like`; 0 in gaps",
    reads: ["x", "like"],
    pure: true,
    wholeAxis: true,
    mixesAxes: true,
    problem: ([, like], writes) =>
      like?.axis === writes.axis ? undefined : "the result has the axis of `like`",
    text: silent,
  },
  rotateColumns: {
    doc: "column c holds column (c + steps) mod columns of x, gaps and sequences not minded (CNTK's negative samples)",
    reads: ["x"],
    pure: true,
    wholeAxis: true,
    problem: sameCount,
    text: ({ steps }) => String(steps),
  },
  toDense: {
    doc: "a sparse or touched value with its zeros",
    reads: ["x"],
    pure: true,
    takesSparse: true,
    problem: sameCount,
    text: silent,
  },
  mapTouched: {
    doc: "expression(touched, x…) in the columns that `touched` lists, zeros elsewhere; the result lists the same columns",
    reads: ["touched", "x…"],
    pure: true,
    takesSparse: true,
    problem: ([touched], writes) =>
      touched?.storage === "touched" && writes.storage === "touched" ? undefined : "needs a touched value",
    text: ({ expression }, names) => expressionText(expression, names),
  },
  addTouched: {
    doc: "a + b, listing the columns of both",
    reads: ["a", "b"],
    pure: true,
    takesSparse: true,
    problem: sameCount,
    text: silent,
  },
  putTouched: {
    doc: "base with the columns that `touched` lists replaced by touched's; costs no more than these where the result is base's own memory",
    reads: ["base", "touched"],
    pure: true,
    pointwise: true,
    takesSparse: true,
    problem: sameCount,
    text: silent,
  },
  reduceTouched: {
    doc:
      "one number: the elements in the columns that x lists added up one by one in the order of the list, every sum rounded; " +
      "mean: divided by their count. 0 where x lists none",
    reads: ["x"],
    pure: true,
    takesSparse: true,
    problem: ([x], writes) => {
      if (x?.storage !== "touched") return "needs a touched value";
      return count(writes) === 1 && writes.storage === "dense" ? undefined : "gives one number";
    },
    text: ({ operation }) => operation,
  },
  connectionistTemporal: {
    doc:
      "connectionist temporal classification (Graves 2006) of `labels` (one-hot per frame; runs of a label with value 2 mark its first frame) " +
      "against logSoftmax: the loss, or for each frame the posterior of each label",
    reads: ["labels", "logSoftmax"],
    pure: true,
    wholeAxis: true,
    problem: fine,
    text: ({ result, blank, delay }) => `${result}, blank ${blank}${delay < 0 ? "" : `, delay ${delay}`}`,
  },
  editDistance: {
    doc: "edit distance of the largest rows of two sequences' frames, as CNTK counts it (EditDistanceErrorNode)",
    reads: ["a", "b"],
    pure: true,
    wholeAxis: true,
    problem: fine,
    text: ({ substitutionPenalty, deletionPenalty, insertionPenalty, squashInputs }) =>
      `penalties ${substitutionPenalty}:${deletionPenalty}:${insertionPenalty}${squashInputs ? ", squashed" : ""}`,
  },
  outsideTop: {
    doc:
      "per column 1 if row number `row` is not among the `count` largest of z, else 0. A single largest is the first of equals; " +
      "of several, equal rows are chosen by the C++ library's nth_element, which goes on from the order that the column before left; gaps are columns like others",
    reads: ["row", "z", "count"],
    pure: true,
    wholeAxis: true,
    problem: ([row, z], writes) => sameAxis(row && z ? [row, z] : [], writes),
    text: silent,
  },
  ranking: {
    doc:
      "items grouped by equal neighbouring queries, ranked by score: 100·columns·(1 − mean NDCG), the gradients of LambdaRank for " +
      "each score, or 100·columns·mean NDCG at rank 1 (CNTK's LambdaRankNode and NDCG1EvalNode); gaps are columns like others",
    reads: ["gain", "score", "query"],
    pure: true,
    wholeAxis: true,
    problem: fine,
    text: ({ result }) => result,
  },
};

/** The row of a kind, for code that treats all kinds alike. */
export function signatureOf(kind: Kind): Signature<Kind> {
  return signatures[kind];
}
