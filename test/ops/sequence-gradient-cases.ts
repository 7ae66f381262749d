/*
 * Small networks over sequences for the gradient check. `L` is the objective; `x` and `y` are inputs of two elements on the
 * default axis, `flags` and `one` of one; everything made by Lit or random is a parameter.
 */

export interface SequenceGradientCase {
  /** Operations that the case is there for. */
  readonly operations: readonly string[];
  readonly title: string;
  readonly network: string;
  /** Nodes that are differentiated. */
  readonly wanted: readonly string[];
  /** Frames of the sequences; absent: 4, 2, 3, which leaves gaps. */
  readonly lengths?: readonly number[];
}

const random = (dims: string, seed: number): string =>
  `ParameterTensor {(${dims}), init = 'uniform', initValueScale = 20, randomSeed = ${seed}}`;

const node = (operation: string, inputs: string, attributes = ""): string =>
  `new ComputationNode [ operation = '${operation}' ; inputs = (${inputs}) ; tag = '' ; ${attributes} ]`;

/** The objective: a weighted sum that treats every element differently, and every frame by its own square. */
const weigh = (value: string, dims: string): string =>
  `L = SumElements (${value} .* (${random(dims, 99)} + 0.5 * ${value}))`;

export const sequenceGradientCases: readonly SequenceGradientCase[] = [
  {
    operations: ["PastValue"],
    title: "a delay outside a loop",
    network: `p = PastValue (2, x, timeStep = 2, defaultHiddenActivation = 0.3)\n${weigh("p", "2")}`,
    wanted: ["x"],
  },
  {
    operations: ["FutureValue"],
    title: "a look ahead with a trained initial state",
    network: `i = ${random("2", 5)}\np = FutureValue (2, x, initialState = i)\n${weigh("p", "2")}`,
    wanted: ["x", "i"],
  },
  {
    operations: ["Times"],
    title: "a product that contracts the frames of each sequence",
    network: `A = ${random("2:2", 3)} .* x\nz = Times (A, y, inferInputRankToMap = -2)\n${weigh("z", "2")}`,
    wanted: ["x", "y"],
  },
  {
    operations: ["Times"],
    title: "a product of rows that contracts the frames of each sequence",
    network: `A = ${random("1:2", 3)} .* NewReshape (x, (1:2))\nz = Times (A, y, inferInputRankToMap = -2)\n${weigh("z", "1")}`,
    wanted: ["x", "y"],
  },
  {
    operations: ["PastValue"],
    title: "a recurrence",
    network: `W = ${random("2:2", 3)}\nU = ${random("2:2", 4)}
      h = Tanh (W * x + U * PastValue (2, h))\n${weigh("h", "2")}`,
    wanted: ["x", "W", "U"],
  },
  {
    operations: ["FutureValue"],
    title: "a recurrence backwards in time through two nodes and two delays",
    network: `W = ${random("2:2", 3)}\nU = ${random("2:2", 4)}\nV = ${random("2:2", 6)}
      h = Tanh (W * x + U * FutureValue (2, g) + V * FutureValue (2, h, timeStep = 2))
      g = Sigmoid (h + y)\n${weigh("(g .* h)", "2")}`,
    wanted: ["x", "y", "W", "U", "V"],
  },
  {
    operations: ["PastValue"],
    title: "an initial state from another sequence's last frame",
    network: `last = BS.Sequences.Last (y)\nU = ${random("2:2", 4)}
      h = Tanh (x + U * PastValue (2, h, initialState = last, defaultHiddenActivation = 0))\n${weigh("h", "2")}`,
    wanted: ["x", "y", "U"],
  },
  {
    operations: ["Slice"],
    title: "a slice",
    network: `s = Slice (1, 2, x, axis = 1)\n${weigh("s", "1")}`,
    wanted: ["x"],
  },
  {
    operations: ["RowStack"],
    title: "a splice with broadcasting",
    network: `w = ${random("2", 8)}\ns = Splice (x : w : y)\n${weigh("s", "6")}`,
    wanted: ["x", "w", "y"],
    // What stands in gaps counts in the gradient of w.
    lengths: [3, 3],
  },
  {
    operations: ["RowRepeat"],
    title: "repeated rows",
    network: `r = RowRepeat (x, 3)\n${weigh("r", "6")}`,
    wanted: ["x"],
  },
  {
    operations: ["GatherPacked"],
    title: "frames chosen by flags",
    network: `g = BS.Sequences.Gather (flags, x)\n${weigh("g", "2")}`,
    wanted: ["x"],
  },
  {
    operations: ["GatherPacked"],
    title: "columns of a parameter",
    network: `E = ${random("2:12", 9)}
      i = ${node("PackedIndex", "x : Where (flags)")}\ng = ${node("GatherPacked", "i : E")}\n${weigh("g", "2")}`,
    wanted: ["E"],
  },
  {
    operations: ["ScatterPacked"],
    title: "frames put back",
    network: `g = BS.Sequences.Gather (flags, x)\ns = BS.Sequences.Scatter (flags, g .* g)\n${weigh("s", "2")}`,
    wanted: ["x"],
  },
  {
    operations: ["ElementTimes"],
    title: "data of two dynamic axes with the same sequences",
    network: `g = BS.Sequences.Gather (one, x)\nW = ${random("2:2", 3)}\n${weigh("(y .* g + g .* (W * x))", "2")}`,
    wanted: ["x", "y", "W"],
  },
  {
    operations: ["RowStack"],
    title: "frames of two new dynamic axes one above the other, and a criterion of a third",
    network: `s = Splice (BS.Sequences.Last (x) : BS.Sequences.First (y))
      W = ${random("2:4", 3)}
      L = SquareError (BS.Sequences.First (x), W * s)`,
    wanted: ["x", "y", "W"],
  },
  {
    operations: ["PastValue"],
    title: "a recurrence that reads data of another dynamic axis",
    network: `g = BS.Sequences.Gather (one, y)\nU = ${random("2:2", 4)}
      h = Tanh (x + g + U * PastValue (2, h))\n${weigh("h", "2")}`,
    wanted: ["x", "y", "U"],
  },
  {
    operations: ["BatchNormalization"],
    title: "statistics that count gaps",
    network: `sc = ${random("2:1", 5)}\nbi = ${random("2:1", 6)}\nrm = ${random("2:1", 7)}
      rv = ConstantTensor (1.5, (2:1))\nrc = ConstantTensor (0, (1))
      a = BatchNormalization (x, sc, bi, rm, rv, runCount = rc)\n${weigh("(a .* x)", "2")}`,
    wanted: ["x", "sc", "bi"],
  },
  {
    operations: ["ReconcileDynamicAxis"],
    title: "a single frame for all frames",
    network: `f = BS.Sequences.First (x)\nb = ${node("ReconcileDynamicAxis", "f : y")}\n${weigh("(b .* y)", "2")}`,
    wanted: ["x", "y"],
  },
  {
    operations: ["ReconcileDynamicAxis"],
    title: "a parameter for all frames",
    network: `w = ${random("2", 8)}\nb = ${node("ReconcileDynamicAxis", "w : y")}\n${weigh("(b .* y)", "2")}`,
    wanted: ["w", "y"],
  },
  {
    operations: ["ReduceElements"],
    title: "the sum of each sequence",
    network: `s = ${node("ReduceElements", "x", "reductionOp = 'Sum' ; axis = -2")}\n${weigh("s", "2")}`,
    wanted: ["x"],
  },
  {
    operations: ["LookupTable"],
    title: "a table by weights",
    network: `E = ${random("3:1", 8)}\nt = ${node("LookupTable", "E : x")}\n${weigh("t", "6")}`,
    wanted: ["E", "x"],
  },
  {
    operations: ["DiagTimes"],
    title: "scaled rows",
    network: `d = ${random("2:1", 8)}\nt = DiagTimes (d, x)\n${weigh("t", "2")}`,
    wanted: ["d", "x"],
  },
  {
    operations: ["KhatriRaoProduct"],
    title: "outer products",
    network: `k = KhatriRaoProduct (x, y)\n${weigh("k", "4")}`,
    wanted: ["x", "y"],
  },
  {
    operations: ["CosDistance"],
    title: "a cosine",
    network: `c = CosDistance (x, y)\n${weigh("c", "1")}`,
    wanted: ["x", "y"],
  },
  {
    operations: ["CosDistanceWithNegativeSamples"],
    title: "cosines with other columns",
    network: `c = CosDistanceWithNegativeSamples (wide (x), wide (y), Constant (1), Constant (2))
      wide (v) = LinearLayer {3} (v)\n${weigh("c", "3")}`,
    wanted: ["c.aVectorSequence.W", "c.anotherVectorSequence.W"],
    lengths: [3, 3, 3],
  },
  {
    operations: ["ClassBasedCrossEntropyWithSoftmax"],
    title: "classes of words",
    network: `word = RowStack (one + 1 : one .* 0 : one .* 0 : one .* 0 + 3)
      W = ${random("2:5", 7)}\nC = ${random("2:2", 8)}
      L = ClassBasedCrossEntropyWithSoftmax (word, x, W, C * x)`,
    wanted: ["x", "W", "C"],
  },
  {
    operations: ["OptimizedRNNStack"],
    title: "two layers of LSTM in both directions",
    network: `W = ${random("2:112", 7)}
      h = ${node("OptimizedRNNStack", "W : x", "hiddenDims = 2 ; numLayers = 2 ; bidirectional = true ; recurrentOp = 'lstm' ; axis = -1")}
      ${weigh("h", "4")}`,
    wanted: ["x", "W"],
  },
  {
    operations: ["OptimizedRNNStack"],
    title: "GRU",
    network: `W = ${random("2:18", 7)}
      h = ${node("OptimizedRNNStack", "W : x", "hiddenDims = 2 ; numLayers = 1 ; bidirectional = false ; recurrentOp = 'gru' ; axis = -1")}
      ${weigh("h", "2")}`,
    wanted: ["x", "W"],
  },
];

/** Operations whose gradient is checked by these cases. */
export const differentiatedSequenceOperations: ReadonlySet<string> = new Set(
  sequenceGradientCases.flatMap(({ operations }) => operations),
);
