/*
 * Small networks for the gradient check. `L` is the objective; `x` (and `y`) are inputs, everything made by Lit is a
 * parameter. Values stay away from kinks and ties, where CNTK's rule is not the derivative.
 */

export interface GradientCase {
  /** Operations that the case is there for. */
  readonly operations: readonly string[];
  readonly title: string;
  readonly network: string;
  /** Elements per sample of each input. */
  readonly inputs: Readonly<Record<string, number>>;
  /** Nodes that are differentiated. */
  readonly wanted: readonly string[];
  /** Values are shifted to be positive. */
  readonly positive?: boolean;
  /** Rate of dropout. */
  readonly dropoutRate?: number;
}

const lit = "Lit (dims, values) = ParameterTensor {dims, init = 'fromLiteral', initFromLiteral = values}";
const random = (dims: string, seed: number): string =>
  `ParameterTensor {(${dims}), init = 'uniform', initValueScale = 20, randomSeed = ${seed}}`;

/** An operation of no wrapper function. */
const raw = (operation: string, inputs: string): string =>
  `new ComputationNode [ operation = '${operation}' ; inputs = (${inputs}) ; tag = '' ]`;

/** The objective: a weighted sum that treats every element differently. */
const weigh = (value: string, dims: string): string => `L = SumElements (${value} .* ${random(dims, 99)})`;

function unary(operation: string, positive = false): GradientCase {
  return {
    operations: [operation],
    title: operation,
    network: `x = Input {(5)}\na = ${raw(operation, "x")}\n${weigh("a", "5")}`,
    inputs: { x: 5 },
    wanted: ["x"],
    positive,
  };
}

function binary(operation: string): GradientCase {
  return {
    operations: [operation],
    title: `${operation}, broadcast both ways`,
    network: `x = Input {(3:1)}\np = ${random("1:2", 3)}\na = ${raw(operation, "x : p")}\nb = ${raw(operation, "p : x")}
      ${weigh("(a .* b)", "3:2")}`,
    inputs: { x: 3 },
    wanted: ["x", "p"],
  };
}

function windows(
  title: string,
  operations: readonly string[],
  dims: string,
  body: string,
  out: string,
): GradientCase {
  const count = dims.split(":").reduce((product, dim) => product * Number(dim), 1);
  const wanted = body.includes("W =") ? ["x", "W"] : ["x"];
  return {
    title,
    operations,
    network: `x = Input {(${dims})}\n${body}\n${weigh("a", out)}`,
    inputs: { x: count },
    wanted,
  };
}

const reduction = (operation: string, axis: number, out: string): GradientCase => ({
  operations: ["ReduceElements"],
  title: `ReduceElements ${operation} over axis ${axis}`,
  network: `x = Input {(3:2)}
    a = new ComputationNode [ operation = 'ReduceElements' ; inputs = x ; reductionOp = '${operation}' ; axis = ${axis} ; tag = '' ]
    ${weigh(operation === "Prod" ? "Log (a .* a)" : "a .* a", out)}`,
  inputs: { x: 6 },
  wanted: ["x"],
});

export const gradientCases: readonly GradientCase[] = [
  ...["Abs", "Cosine", "Sin", "Exp", "Negate", "Pass", "LabelsToGraph", "RectifiedLinear", "Sigmoid"].map(
    (name) => unary(name),
  ),
  ...["StableSigmoid", "Tanh", "Reciprocal", "Softmax", "LogSoftmax"].map((name) => unary(name)),
  ...["Log", "Sqrt"].map((name) => unary(name, true)),
  ...["Plus", "Minus", "ElementTimes", "LogPlus"].map(binary),
  {
    operations: ["If"],
    title: "If",
    network: `x = Input {(4)}\np = ${random("4", 3)}\nf = Greater (x, Constant (0))
      a = BS.Boolean.If (f, x .* x, p .* x)\n${weigh("a", "4")}`,
    inputs: { x: 4 },
    wanted: ["x", "p"],
  },
  {
    operations: ["Clip"],
    title: "Clip",
    network: `x = Input {(6)}\na = Clip (Constant (-0.5), Constant (0.6), x)\n${weigh("a .* x", "6")}`,
    inputs: { x: 6 },
    wanted: ["x"],
  },
  {
    operations: ["Times"],
    title: "Times, tensors and output rank 2",
    network: `x = Input {(3:2)}\nW = ${random("2:2:3", 5)}\na = Times (W, x, outputRank = 2)\n${weigh("a", "2:2:2")}`,
    inputs: { x: 6 },
    wanted: ["x", "W"],
  },
  {
    operations: ["Times"],
    title: "Times, both operands with samples",
    network: `x = Input {(2:3)}\ny = Input {(3:2)}\na = Times (x, y)\n${weigh("a", "2:2")}`,
    inputs: { x: 6, y: 6 },
    wanted: ["x", "y"],
  },
  {
    operations: ["Times"],
    title: "Times, dot product per sample",
    network: `x = Input {(1:3)}\ny = Input {(3)}\na = Times (x, y)\n${weigh("a", "1")}`,
    inputs: { x: 3, y: 3 },
    wanted: ["x", "y"],
  },
  {
    operations: ["TransposeTimes"],
    title: "TransposeTimes",
    network: `x = Input {(3)}\nW = ${random("3:2", 5)}\na = TransposeTimes (W, x)\n${weigh("a", "2")}`,
    inputs: { x: 3 },
    wanted: ["x", "W"],
  },
  {
    operations: ["TransposeTimes"],
    title: "TransposeTimes, both operands with samples",
    network: `x = Input {(3:2)}\ny = Input {(3)}\na = TransposeTimes (x, y)\n${weigh("a", "2")}`,
    inputs: { x: 6, y: 3 },
    wanted: ["x", "y"],
  },
  windows(
    "Convolution, automatic padding, stride 2, two maps",
    ["Convolution"],
    "5:4:2",
    `W = ${random("3:2:2:2", 7)}\na = Convolution (W, x, (3:2), mapDims = 2, stride = 2)`,
    "3:2:2",
  ),
  windows(
    "Convolution, transposed",
    ["Convolution"],
    "3:2:2",
    `W = ${random("3:3:1:2", 7)}
     a = ConvolutionTranspose (W, x, (3:3:1), mapDims = 2, stride = (2:2:1), autoPadding = false)`,
    "7:5:1",
  ),
  windows(
    "Convolution, no sharing",
    ["Convolution"],
    "3:3:1",
    `W = ${random("2:2:1:8", 7)}\na = Convolution (W, x, (2:2), mapDims = 2, autoPadding = false, sharing = false)`,
    "2:2:2",
  ),
  windows(
    "Convolution, HWC, image wider than high",
    ["Convolution"],
    "4:3:2",
    `W = ${random("2:18", 7)}
     a = Convolution (W, x, (3:3:2), mapDims = 2, stride = (1:1:2), imageLayout = "HWC")`,
    "2:4:3",
  ),
  windows(
    "Convolution, three axes",
    ["Convolution"],
    "3:3:3:1",
    `W = ${random("2:2:2:1:2", 7)}\na = Convolution (W, x, (2:2:2), mapDims = 2, autoPadding = (true:false:true))`,
    "3:2:3:2",
  ),
  windows("Pooling, max", ["Pooling"], "4:4:1", 'a = Pooling (x, "max", (3:3), stride = 2)', "2:2:1"),
  windows(
    "Pooling, average with padding",
    ["Pooling"],
    "4:5:1",
    'a = Pooling (x, "average", (3:2), stride = 2, includePad = true)',
    "2:3:1",
  ),
  windows("Pooling, average, rounded up", ["Pooling"], "5:1", 'a = Pooling (x, "average", (2), stride = 2, autoPadding = false, ceilOutDim = true)', "3:1"), // prettier-ignore
  windows("MaxPooling", ["MaxPooling"], "4:4:2", "a = MaxPooling (x, 2, 3, 2, 1)", "2:2:2"),
  windows("AveragePooling", ["AveragePooling"], "4:4:2", "a = AveragePooling (x, 2, 3, 2, 1)", "2:2:2"),
  windows(
    "AveragePooling, HWC, as the legacy engine has it",
    ["AveragePooling"],
    "2:4:4",
    'a = AveragePooling (x, 2, 2, 1, 1, imageLayout = "HWC")',
    "2:3:3",
  ),
  ...["Sum", "Mean", "LogSum", "Max", "Min", "Prod"].flatMap((operation) => [
    reduction(operation, 0, "1"),
    reduction(operation, 2, "3:1"),
    reduction(operation, -1, "1"),
  ]),
  reduction("Mean", -3, "3:2"),
  {
    operations: ["SumElements", "MatrixL1Reg", "MatrixL2Reg"],
    title: "SumElements, MatrixL1Reg, MatrixL2Reg",
    network: `x = Input {(3:2)}\np = ${random("2:3", 5)}
      L = SumElements (x) .* MatrixL1Reg (p) + MatrixL2Reg (p) .* SumElements (x .* x) + MatrixL2Reg (x)`,
    inputs: { x: 6 },
    wanted: ["x", "p"],
  },
  {
    operations: ["SumColumnElements"],
    title: "SumColumnElements",
    network: `x = Input {(3:2)}\na = SumColumnElements (x)\nL = SumElements (a .* a)`,
    inputs: { x: 6 },
    wanted: ["x"],
  },
  {
    operations: ["Reshape", "TransposeDimensions"],
    title: "Reshape and TransposeDimensions",
    network: `x = Input {(4:3)}\na = TransposeDimensions (NewReshape (x, (2:0), beginAxis = 1, endAxis = 2), 1, 3)
      ${weigh("a", "3:2:2")}`,
    inputs: { x: 12 },
    wanted: ["x"],
  },
  {
    operations: ["Softmax", "LogSoftmax"],
    title: "Softmax of a parameter, column by column",
    network: `x = Input {(1)}\np = ${random("3:2", 5)}\na = Softmax (p) .* LogSoftmax (p)
      ${weigh("(a .* x)", "3:2")}`,
    inputs: { x: 1 },
    wanted: ["p", "x"],
  },
  {
    operations: ["CrossEntropyWithSoftmax"],
    title: "CrossEntropyWithSoftmax with labels that sum to 1",
    network: `x = Input {(3)}\np = ${random("3", 5)}\nL = CrossEntropyWithSoftmax (Softmax (x), x .* p)`,
    inputs: { x: 3 },
    wanted: ["p", "x"],
  },
  {
    operations: ["CrossEntropy", "SquareError"],
    title: "CrossEntropy and SquareError",
    network: `x = Input {(3)}\np = ${random("3", 5)}\nq = Sigmoid (x .* p)
      L = CrossEntropy (x, q) + SquareError (q, x) + SquareError (x, q)`,
    inputs: { x: 3 },
    wanted: ["p", "x"],
  },
  {
    operations: ["CrossEntropyWithSoftmax", "CrossEntropy", "SquareError"],
    title: "criteria of vectors and of images with as many elements, which are the same columns",
    network: `x = Input {(3)}\ny = Input {(1:1:3)}\np = ${random("3", 5)}\nq = Sigmoid (x .* p)
      L = SquareError (x, y) + SquareError (y, q) + CrossEntropy (y, q) + CrossEntropyWithSoftmax (Softmax (q), y)`,
    inputs: { x: 3, y: 3 },
    wanted: ["p", "x", "y"],
    positive: true,
  },
  {
    operations: ["Logistic"],
    title: "Logistic",
    network: `x = Input {(3)}\np = ${random("3", 5)}\nL = Logistic (Greater (x, Constant (0)), Sigmoid (x .* p))`,
    inputs: { x: 3 },
    wanted: ["p"],
  },
  ...[
    { title: "BatchNormalization per channel", spatial: "true", dims: "2:2:2", n: 2 },
    { title: "BatchNormalization per element", spatial: "false", dims: "3", n: 3 },
  ].map(({ title, spatial, dims, n }) => ({
    operations: ["BatchNormalization"],
    title,
    network: `${lit}\nx = Input {(${dims})}\nsc = ${random(`${n}:1`, 5)}\nbi = ${random(`${n}:1`, 6)}
      rm = ${random(`${n}:1`, 7)}\nrv = ConstantTensor (1.5, (${n}:1))\nrc = ConstantTensor (37, (1))
      a = BatchNormalization (x, sc, bi, rm, rv, runCount = rc, spatial = ${spatial}, normalizationTimeConstant = 10)
      ${weigh("a .* x", dims)}`,
    inputs: { x: dims.split(":").reduce((product, dim) => product * Number(dim), 1) },
    wanted: ["x", "sc", "bi"],
  })),
  {
    operations: ["Crop"],
    title: "Crop",
    network: `x = Input {(4:5:2)}\ny = Input {(2:3:1)}
      a = new ComputationNode [ operation = 'Crop' ; inputs = (x : y) ; xOffset = 1 ; yOffset = 2 ; tag = '' ]
      ${weigh("a", "2:3:2")}`,
    inputs: { x: 40, y: 6 },
    wanted: ["x"],
  },
  {
    operations: ["Trace"],
    title: "Trace",
    network: `x = Input {(4)}\na = Trace (x .* x, say = 'squares')\n${weigh("a", "4")}`,
    inputs: { x: 4 },
    wanted: ["x"],
  },
  {
    operations: ["LegacyReshape"],
    title: "LegacyReshape",
    network: `x = Input {(2:6)}
      a = new ComputationNode [ operation = 'LegacyReshape' ; inputs = x ; numRows = 12 ; imageLayout = 'CHW'
        imageWidth = 3 ; imageHeight = 2 ; imageChannels = 2 ; tag = '' ]
      ${weigh("a", "3:2:2")}`,
    inputs: { x: 12 },
    wanted: ["x"],
  },
  {
    operations: ["ROIPooling"],
    title: "ROIPooling, two regions, more columns than rows",
    network: `${lit}\nx = Input {(5:4:2)}\nr = Input {(4:2)}
      regions = Lit ((4:2), '0 2\n0 2\n6 9\n5 5') + Constant (0) .* r
      a = ROIPooling (x, regions, (2:2), spatialScale = 0.5)\n${weigh("a", "2:2:2:2")}`,
    inputs: { x: 40, r: 8 },
    wanted: ["x"],
  },
  {
    operations: ["NCEBasedCrossEntropyWithSoftmax"],
    title: "NCEBasedCrossEntropyWithSoftmax, biases included",
    network: `h = Input {(3)}\nv = Input {(5)}\nt = Input {(1)}\nz = Constant (0) .* t
      at (value) = Plus (z, Constant (value))
      words = RowStack (at (1) : at (-1.5) : z : at (-2) : at (3) : at (-1))
      W = ${random("3:5", 7)}
      L = ${raw("NCEBasedCrossEntropyWithSoftmax", "words : h : W : v")}`,
    inputs: { h: 3, v: 5, t: 1 },
    wanted: ["h", "v", "W"],
  },
  {
    operations: ["Dropout"],
    title: "Dropout with the same mask",
    network: `x = Input {(8)}\na = Dropout (x .* x)\n${weigh("a", "8")}`,
    inputs: { x: 8 },
    wanted: ["x"],
    dropoutRate: 0.5,
  },
];

/** Operations whose gradient is compared with central differences. */
export const differentiatedOperations: ReadonlySet<string> = new Set(
  gradientCases.flatMap((gradientCase) => gradientCase.operations),
);
