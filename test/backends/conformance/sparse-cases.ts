import { add, argument, constant, multiply, scalar, subtract } from "../../../src/primitives/expression.js";
import { eighths, type SparseNumbers } from "../../support/plan-builder.js";
import { layoutOf, type SequenceCase } from "../../support/sequence-case.js";

/** Two rows, three steps: sequences of 3 and 2, a gap in column 5. */
const layout = layoutOf(2, 3, [0, 0, 3], [1, 0, 2]);
/** Columns of height 4; row 3 is never named, the gap names row 2, which a reader does not do. */
const words: SparseNumbers = [
  [[1, 1]],
  [
    [0, 2],
    [2, 0.5],
  ],
  [],
  [[1, -1]],
  [[0, 1]],
  [[2, 100]],
];
const more: SparseNumbers = [[[3, 1]], [[3, 1]], [[1, 2]], [[3, -1]], [], []];
const longer = layoutOf(2, 4, [0, 0, 4], [1, 0, 4]);
const many: SparseNumbers = [
  [[0, 1]],
  [[1, 1]],
  [[2, 1]],
  [[3, 1]],
  [[0, 2]],
  [[1, 2]],
  [[2, 2]],
  [
    [3, 2],
    [0, 1],
  ],
];

const minibatches = [
  { layouts: { "*": layout }, inputs: { words: { sparse: words }, x: eighths(3 * 6, 1) } },
  { layouts: { "*": layout }, inputs: { words: { sparse: more }, x: eighths(3 * 6, 2) } },
  { layouts: { "*": longer }, inputs: { words: { sparse: many }, x: eighths(3 * 8, 3) } },
  { layouts: { "*": layout }, inputs: { words: { sparse: words }, x: eighths(3 * 6, 4) } },
];
const numbersOnly = minibatches.map(({ layouts, inputs }) => ({ layouts, inputs: { words: inputs.words } }));

/** Rows of `height` numbers a column, gaps left out, in the order of columns. */
function denseColumns(columns: SparseNumbers, height: number): number[][] {
  return columns.map((pairs) => {
    const column = Array<number>(height).fill(0);
    for (const [row, value] of pairs) column[row] = value;
    return column;
  });
}

const isSample = (given: typeof layout, column: number) => !(given === layout && column === 5);

const noWords = {
  layouts: { "*": layout },
  inputs: { words: { sparse: [[], [], [], [], [], []] as SparseNumbers }, x: eighths(3 * 6, 5) },
};

/** Rows that occur in samples. */
function namedWords({ layouts, inputs }: (typeof minibatches)[number]): Set<number> {
  return new Set(
    inputs.words.sparse.flatMap((pairs, c) => (isSample(layouts["*"], c) ? pairs.map(([row]) => row) : [])),
  );
}

/** x·wordsᵀ over the samples, [3 x 4]. */
function gradientOf({ layouts, inputs }: (typeof minibatches)[number]): number[] {
  const result = Array<number>(12).fill(0);
  denseColumns(inputs.words.sparse, 4).forEach((column, c) => {
    if (!isSample(layouts["*"], c)) return;
    column.forEach((value, row) => {
      for (let i = 0; i < 3; i++) result[3 * row + i]! += value * inputs.x[3 * c + i]!;
    });
  });
  return result;
}

const table = eighths(12, 9);

/** w[:, word] and its gradient put into the columns it touches, with a momentum that is touched as well. */
export const sparseCases: SequenceCase[] = [
  {
    name: "sparse data with its zeros; a sparse input as an output",
    build: (b) => {
      const input = b.sparseInput("words", [4]);
      const dense = b.temporary([4]);
      b.emit("toDense", [input], dense, {}).output("dense", dense).output("words", input);
    },
    minibatches: numbersOnly,
    expected: numbersOnly.map(({ layouts, inputs }) => {
      const dense = denseColumns(inputs.words.sparse, 4)
        .filter((_, column) => isSample(layouts["*"], column))
        .flat();
      return { dense, words: dense };
    }),
  },
  ...[false, true].map((transposeA): SequenceCase => ({
    name: `dense times sparse${transposeA ? ", the dense one transposed" : ""}`,
    build: (b) => {
      const w = b.state("w", transposeA ? [4, 3] : [3, 4]);
      const result = b.temporary([3, 1]);
      const words = { ...b.sparseInput("words", [4]), dims: [4, 1] };
      b.emit("matmul", [w, words], result, { transposeA, transposeB: false }).output("y", result);
    },
    states: { w: table },
    minibatches: numbersOnly,
    expected: numbersOnly.map(({ layouts, inputs }) => ({
      y: denseColumns(inputs.words.sparse, 4)
        .filter((_, column) => isSample(layouts["*"], column))
        .flatMap((column) =>
          [0, 1, 2].map((i) =>
            column.reduce(
              (sum, value, row) => sum + value * table[transposeA ? row + 4 * i : i + 3 * row]!,
              0,
            ),
          ),
        ),
    })),
  })),
  ...[true, false].map((isTouched): SequenceCase => ({
    name: `dense times sparse transposed, ${isTouched ? "touched" : "dense"}: gaps add nothing`,
    build: (b) => {
      const [x, words] = [b.input("x", [3, 1]), { ...b.sparseInput("words", [4]), dims: [4, 1] }];
      const gradient = isTouched ? b.touched([3, 4]) : b.temporary([3, 4], false);
      b.emit("matmul", [x, words], gradient, { transposeA: false, transposeB: true }).output("y", gradient);
    },
    minibatches,
    expected: minibatches.map((minibatch) => ({ y: gradientOf(minibatch) })),
  })),
  {
    name: "dense times dense transposed, touched: the rows of the second that are not all zero",
    build: (b) => {
      const [w, drawn] = [b.state("w", [3, 2]), b.state("drawn", [4, 2])];
      const gradient = b.touched([3, 4]);
      const result = b.temporary([3, 4], false);
      b.emit("matmul", [w, drawn], gradient, { transposeA: false, transposeB: true });
      b.emit("mapTouched", [gradient], gradient, { expression: add(argument(0), constant(1)) });
      b.emit("toDense", [gradient], result, {}).output("y", result);
    },
    states: { w: table.slice(0, 6), drawn: [0, 2, 0, 0, 0, -1, 0, 1] },
    minibatches: numbersOnly.slice(0, 1),
    expected: [
      {
        y: [0, 1, 2, 3].flatMap((row) =>
          [0, 1, 2].map((i) => {
            const [first, second] = [table[i]!, table[3 + i]!];
            return [0, 1 + 2 * first - second, 0, 1 + second][row]!;
          }),
        ),
      },
    ],
  },
  {
    name: "touched gradients added up, scaled, and put into a state's own memory",
    scalars: { rate: 0.25 },
    build: (b) => {
      const [x, words] = [b.input("x", [3, 1]), { ...b.sparseInput("words", [4]), dims: [4, 1] }];
      const w = b.state("w", [3, 4]);
      const [once, twice, next] = [b.touched([3, 4]), b.touched([3, 4]), b.touched([3, 4])];
      const dense = b.temporary([3, 4], false);
      b.emit("matmul", [x, words], once, { transposeA: false, transposeB: true });
      b.emit("addTouched", [once, once], twice, {});
      const expression = subtract(argument(1), multiply(scalar("rate"), argument(0)));
      b.emit("mapTouched", [twice, w], next, { expression });
      b.emit("putTouched", [w, next], w, {});
      b.emit("toDense", [next], dense, {});
      b.output("twice", twice);
    },
    states: { w: table },
    minibatches,
    expected: minibatches.map((minibatch) => ({ twice: gradientOf(minibatch).map((g) => 2 * g) })),
    expectedStates: {
      w: table.map((value, i) =>
        minibatches.reduce((w, minibatch) => w - 0.5 * gradientOf(minibatch)[i]!, value),
      ),
    },
  },
  ...(["sum", "mean"] as const).map((operation): SequenceCase => ({
    name: `${operation} of the touched columns, 0 where there are none`,
    build: (b) => {
      const [x, words] = [b.input("x", [3, 1]), { ...b.sparseInput("words", [4]), dims: [4, 1] }];
      const [gradient, result] = [b.touched([3, 4]), b.temporary([1], false)];
      b.emit("matmul", [x, words], gradient, { transposeA: false, transposeB: true });
      b.emit("reduceTouched", [gradient], result, { operation }).output("y", result);
    },
    minibatches: [...minibatches, noWords],
    expected: [...minibatches, noWords].map((minibatch) => {
      const total = gradientOf(minibatch).reduce((sum, g) => sum + g, 0);
      const count = 3 * namedWords(minibatch).size;
      return { y: [operation === "mean" ? total / Math.max(count, 1) : total] };
    }),
  })),
  {
    name: "a touched state takes the touched columns only",
    build: (b) => {
      const [x, words] = [b.input("x", [3, 1]), { ...b.sparseInput("words", [4]), dims: [4, 1] }];
      const [gradient, state] = [b.touched([3, 4]), b.state("g", [3, 4], undefined, "touched")];
      b.emit("matmul", [x, words], gradient, { transposeA: false, transposeB: true });
      b.emit("mapTouched", [gradient, b.state("one", [1], 1)], state, {
        expression: add(argument(0), argument(1)),
      });
      b.output("state", state);
    },
    minibatches,
    expected: minibatches.map((minibatch) => {
      const named = namedWords(minibatch);
      return { state: gradientOf(minibatch).map((g, i) => (named.has(Math.floor(i / 3)) ? g + 1 : 0)) };
    }),
  },
  {
    name: "a state replaced as a whole where it is not its own base",
    build: (b) => {
      const [x, words] = [b.input("x", [3, 1]), { ...b.sparseInput("words", [4]), dims: [4, 1] }];
      const [gradient, result] = [b.touched([3, 4]), b.temporary([3, 4], false)];
      b.emit("matmul", [x, words], gradient, { transposeA: false, transposeB: true });
      b.emit("putTouched", [b.state("w", [3, 4]), gradient], result, {}).output("y", result);
    },
    states: { w: table },
    minibatches,
  },
];
