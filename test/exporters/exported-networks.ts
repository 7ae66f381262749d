import { ModelSession } from "../../src/actions/model-session.js";
import { openBackend } from "../../src/backends/select.js";
import { modelFromNetwork } from "../../src/model-files/index.js";
import { elementCount } from "../../src/network/network.js";
import { AxisNames, validateNetwork } from "../../src/shapes/index.js";
import { parameterValues } from "../../src/training/parameters.js";
import { networkFromBrainScript } from "../support/brainscript-network.js";

/* Networks that are exported, and what they are compared with: our reference backend, in double. */

/** A model in double precision from BrainScript, with initial values. */
export function modelOf(members: string): ModelSession {
  const { network } = networkFromBrainScript(members);
  const options = { traceLevel: 0, axisNames: new AxisNames(), elementType: "double" } as const;
  const { shaped } = validateNetwork(network, options);
  const model = modelFromNetwork(shaped, parameterValues(shaped, "double"), "double");
  return new ModelSession(model, () => openBackend("reference"));
}

/** Numbers between -1 and 1 that look like no pattern; float can hold them. */
export const numbers = (length: number, start: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.fround(Math.sin(1 + start + i * 1.7)));

/** Data for the inputs that some nodes need: samples by the inputs' names, and the axes of one sample, the last one contiguous. */
export function samplesFor(
  model: ModelSession,
  outputs: readonly string[],
  count: number,
): ReadonlyMap<string, { readonly values: Float64Array; readonly dims: readonly number[] }> {
  const inputs = model.inputsOf(outputs.map((name) => model.node(name)));
  return new Map(
    inputs.map(({ name }, index) => {
      const { shape } = model.shaped.facts.get(model.node(name))!;
      return [name, { values: numbers(elementCount(shape) * count, index), dims: [...shape].reverse() }];
    }),
  );
}

/** The largest difference relative to the largest value; infinite where something is not a number. */
export function difference(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  if (expected.length !== found.length) return Infinity;
  let [worst, largest] = [0, 1e-30];
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(expected[i]! - found[i]!);
    worst = Math.max(worst, Number.isNaN(distance) ? Infinity : distance);
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst / largest;
}

export interface ExportedNetwork {
  readonly title: string;
  readonly members: string;
  readonly outputs: readonly string[];
}

export const recurrentNetworks: readonly ExportedNetwork[] = [
  {
    title: "an LSTM in each direction, one above the other",
    members: `x = Input {3}
       h = RecurrentLSTMLayer {4} (x) ; z = RecurrentLSTMLayer {2, goBackwards = true} (h)
       outputNodes = (h:z)`,
    outputs: ["h", "z"],
  },
  {
    title: "delays of several steps, in loops and outside of them, and first states",
    members: `x = Input {2} ; first = ParameterTensor {2, init = "fixedValue", initValue = 0.5}
       a = PastValue (2, x, timeStep = 3, defaultHiddenActivation = 0.25) ; b = FutureValue (2, x, timeStep = 2)
       s = x + 0.5 .* PastValue (2, s, timeStep = 2, defaultHiddenActivation = 0.1)
       t = x .* 0.3 + Tanh (PastValue (2, t, initialState = first))
       outputNodes = (a:b:s:t)`,
    outputs: ["a", "b", "s", "t"],
  },
  ...["lstm", "gru", "rnnTanh", "rnnReLU"].map((recurrentOp) => ({
    title: `a stack of ${recurrentOp} layers in both directions, and one in one direction`,
    members: `x = Input {3} ; W = ParameterTensor {(5:0)} ; V = ParameterTensor {(2:0)}
       h = OptimizedRNNStack (W, x, 5, numLayers = 3, bidirectional = true, recurrentOp = "${recurrentOp}")
       z = OptimizedRNNStack (V, h, 2, numLayers = 1, bidirectional = false, recurrentOp = "${recurrentOp}")
       outputNodes = (h:z)`,
    outputs: ["h", "z"],
  })),
  {
    title: "frames at the ends of sequences, and their sums",
    members: `x = Input {3} ; h = RecurrentLSTMLayer {4} (x)
       last = BS.Sequences.Gather (BS.Loop.IsLast (h), h) ; first = BS.Sequences.Gather (BS.Loop.IsFirstN (2, x), x)
       z = DenseLayer {2} (last) ; sum = ReduceSum (x, axis = -2)
       outputNodes = (last:first:z:sum)`,
    outputs: ["last", "first", "z", "sum"],
  },
];

/** What no import brings back: its result in ONNX looks like something else. */
export const oneWayRecurrentNetworks: readonly ExportedNetwork[] = [
  {
    title: "frames chosen by their place, repeated, and put back",
    members: `x = Input {3} ; h = RecurrentLSTMLayer {4} (x)
       last = BS.Sequences.Gather (BS.Loop.IsLast (h), h) ; first = BS.Sequences.Gather (BS.Loop.IsFirst (x), x)
       ends = BS.Sequences.Gather (Greater (BS.Loop.IsFirst (x) + BS.Loop.IsLast (x), Constant (0)), x)
       all = BS.Sequences.BroadcastSequenceAs (x, last) ; again = ReconcileDynamicAxis (last, x)
       z = DenseLayer {2} (last) ; both = Splice ((all : x)) ; back = BS.Sequences.Scatter (BS.Loop.IsLast (x), first)
       outputNodes = (last:ends:z:both:back:again)`,
    outputs: ["last", "ends", "z", "both", "back", "again"],
  },
  {
    title: "sums along sequences, and first states that are sequences",
    members: `x = Input {3}
       sum = ReduceSum (x, axis = -2) ; total = Times (NewReshape (Splice ((x : Sin (x))), (2:3)), x, inferInputRankToMap = -2)
       h = RecurrentLSTMLayer {3} (x) ; end = BS.Sequences.Gather (BS.Loop.IsLast (h), h)
       s = Tanh (x + 0.5 .* PastValue (3, s, initialState = end, defaultHiddenActivation = 0))
       f = FutureValue (3, x, timeStep = 2, initialState = end, defaultHiddenActivation = 0)
       p = PastValue (3, x, initialState = h, defaultHiddenActivation = 0)
       outputNodes = (sum:total:s:f:p)`,
    outputs: ["sum", "total", "s", "f", "p"],
  },
];

/** Criteria, whose values are sums over all samples. */
export const criteria: ExportedNetwork = {
  title: "criteria",
  members: `x = Input {5} ; y = Input {5} ; w = Input {5} ; image = Input {(2:3)}
     p = Softmax (x) ; q = Sigmoid (x) ; l = Sigmoid (y) ; weight = Sigmoid (w) + Constant (0.5)
     labels = Hardmax (y) ; rows = Softmax (image)
     a = CrossEntropyWithSoftmax (labels, x) ; b = CrossEntropy (labels, p) ; c = SquareError (x, y) ; d = Logistic (l, q)
     e = WeightedLogistic (l, q, weight) ; f = ClassificationError (labels, x)
     h = SumElements (image) ; i = MatrixL1Reg (x) ; j = MatrixL2Reg (image) ; k = CrossEntropyWithSoftmax (rows, image)
     n = ReduceMean (image, axis = -3) ; o = ReduceSum (image, axis = -1)
     outputNodes = (a:b:c:d:e:f:h:i:j:k:n:o)`,
  outputs: ["a", "b", "c", "d", "e", "f", "h", "i", "j", "k", "n", "o"],
};

export const feedForwardNetworks: readonly ExportedNetwork[] = [
  {
    title: "elementwise operations, with what is stretched",
    members: `x = Input {(3:2)} ; v = Input {3} ; W = ParameterTensor {(3:2:4)} ; s = Constant (0.25)
       a = (x .* W + v) - s .* x
       b = Exp (Abs (Sin (a))) + Log (Sqrt (x .* x + s)) ; c = Tanh (-b) + Sigmoid (Cosine (a)) + ReLU (x) .* Reciprocal (Constant (3))
       d = LogPlus (a, b) + Clip (Constant (-0.5), Constant (0.5), c) + Floor (x)
       e = Less (x, v) + Greater (x, s) + Equal (x, x) + GreaterEqual (x, v) + LessEqual (v, x) + NotEqual (x, v)
       outputNodes = (d:e)`,
    outputs: ["d", "e"],
  },
  {
    title: "products of tensors",
    members: `x = Input {(3:2)} ; v = Input {4}
       A = ParameterTensor {(5:3)} ; B = ParameterTensor {(2:5:3:2)} ; C = ParameterTensor {(4:6)}
       p = A * x ; q = Times (B, x, outputRank = 2) ; r = TransposeTimes (C, v)
       s = Times (Times (A, ParameterTensor {(3:4)}), v) ; t = Times (x, ParameterTensor {2}) 
       outputNodes = (p:q:r:s:t)`,
    outputs: ["p", "q", "r", "s", "t"],
  },
  {
    title: "what moves elements, and reductions",
    members: `x = Input {(4:3:2)} ; k = Constant (2)
       a = NewReshape (x, (6:4)) ; b = Slice (1, 3, x, axis = 2) ; c = Slice (-2, 0, x, axis = 1)
       d = Splice ((b : b), axis = 3) ; e = TransposeDimensions (x, 1, 3) ; f = RowRepeat (x, 2)
       g = ReduceSum (x, axis = 2) ; h = ReduceMax (x) ; i = ReduceMean (x, axis = 1) ; j = ReduceLogSum (x, axis = 3)
       l = Softmax (x) ; m = LogSoftmax (g) ; n = Hardmax (NewReshape (x, 24)) ; o = Splice ((x : k), axis = 1)
       outputNodes = (a:b:c:d:e:f:g:h:i:j:l:m:n:o)`,
    outputs: ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "l", "m", "n", "o"],
  },
  {
    title: "images: convolutions, pooling, normalization, the way back",
    members: `x = Input {(9:8:3)}
       a = ConvolutionalLayer {4, (3:3), pad = true, activation = ReLU} (x)
       b = ConvolutionalLayer {5, (2:3), stride = (2:1), pad = false} (a)
       c = MaxPoolingLayer {(2:2), stride = (2:2)} (a) ; d = AveragePoolingLayer {(3:3), stride = (2:2), pad = true} (a)
       e = BatchNormalizationLayer {spatialRank = 2} (b)
       f = ConvolutionTransposeLayer {3, (4:4), 4, stride = (2:2:1), pad = (true:true:false), outputShape = (18:16:3)} (a)
       g = DenseLayer {6, activation = Sigmoid} (c)
       outputNodes = (b:c:d:e:f:g)`,
    outputs: ["b", "c", "d", "e", "f", "g"],
  },
  {
    title: "products of vectors and tables",
    members: `x = Input {6} ; y = Input {6} ; m = Input {(3:2)}
       table = ParameterTensor {(4:3)} ; scales = ParameterTensor {6}
       Lookup (E, x) = new ComputationNode [ operation = "LookupTable" ; inputs = (E : x) ; tag = '' ]
       a = Lookup (table, Hardmax (Slice (0, 3, x))) ; b = Lookup (table, x) ; c = DiagTimes (scales, x)
       d = KhatriRaoProduct (x, m) ; e = CosDistance (x, y) ; f = SumColumnElements (m)
       outputNodes = (a:b:c:d:e:f)`,
    outputs: ["a", "b", "c", "d", "e", "f"],
  },
  {
    title: "numbers at which ONNX's functions have no value",
    members: `x = Input {4} ; y = ReLU (x)
       a = Log (y) ; b = Sqrt (x) ; c = Reciprocal (y) ; d = Log (y .* Constant (0))
       outputNodes = (a:b:c:d)`,
    outputs: ["a", "b", "c", "d"],
  },
  {
    title: "a part of an image",
    members: `x = Input {(12:10:2)} ; p = MaxPoolingLayer {(2:2), stride = (2:2)} (x)
       c = new ComputationNode [ operation = "Crop" ; inputs = (x : p) ; xOffset = 3 ; yOffset = 4 ; tag = '' ]
       outputNodes = (c)`,
    outputs: ["c"],
  },
  {
    title: "images whose first windows begin behind their first cells",
    members: `x = Input {(11:12:3)}
       a = ConvolutionalLayer {4, (1:1), stride = (4:4), pad = true} (x)
       b = MaxPoolingLayer {(1:2), stride = (4:3), pad = true} (x)
       c = AveragePoolingLayer {(2:2), stride = (4:3), pad = true} (x)
       outputNodes = (a:b:c)`,
    outputs: ["a", "b", "c"],
  },
  {
    title: "images in the layout HWC, as CNTK's older engine has them",
    members: `x = Input {(5:4:2)} ; y = Input {(2:4:4)}
       W = ParameterTensor {(3:18)} ; V = ParameterTensor {(2:12)}
       a = Convolution (W, x, (3:3:2), mapDims = 3, stride = (1:1:2), imageLayout = "HWC")
       b = Convolution (V, x, (2:3:2), mapDims = 2, stride = (2:1:2), autoPadding = (false:false:false), imageLayout = "HWC")
       c = AveragePooling (y, 2, 2, 1, 1, imageLayout = "HWC") ; d = MaxPooling (y, 2, 3, 2, 1, imageLayout = "HWC")
       outputNodes = (a:b:c:d)`,
    outputs: ["a", "b", "c", "d"],
  },
  {
    title: "images of one axis, values put back to the places of maxima",
    members: `x = Input {(9:3)} ; y = Input {(9:7:2)}
       two[i:0..0] = 2 ; three[i:0..0] = 3
       a = ConvolutionalLayer {4, three, pad = true, activation = ReLU} (x)
       b = MaxPoolingLayer {two, stride = two} (a) ; c = AveragePoolingLayer {three, stride = two, pad = true} (a)
       p = MaxPoolingLayer {(2:3), stride = (2:3), pad = true} (ReLU (y))
       u = MaxUnpoolingLayer {(2:3), stride = (2:3), pad = true} (Sigmoid (p), ReLU (y))
       w = MaxUnpoolingLayer {(4:2), stride = (4:2)} (MaxPoolingLayer {(4:2), stride = (4:2)} (y), y)
       outputNodes = (a:b:c:u:w)`,
    outputs: ["a", "b", "c", "u", "w"],
  },
];

/** What goes to ONNX only, and does not come back. */
export const oneWayNetworks: readonly ExportedNetwork[] = [
  {
    title: "the way back to images of which windows leave out the first cells",
    members: `x = Input {(3:3:4)} ; y = ConvolutionTransposeLayer {2, (1:1), 4, stride = (4:4:1), pad = (true:true:false),
         outputShape = (11:12:2)} (x)
       outputNodes = (y)`,
    outputs: ["y"],
  },
  {
    title: "wrong pairs, whole numbers, dot products of samples, places of extremes",
    members: `x = Input {6} ; y = Input {6} ; m = Input {(3:2)} ; row = Input {(1:6)} ; W = ParameterTensor {(5:6)}
       Extreme (x, reductionOp, axis) = new ComputationNode [ operation = "ReduceElements" ; inputs = x ; tag = '' ]
       a = CosDistanceWithNegativeSamples (x, y, 2, 3)
       b = new ComputationNode [
         operation = "QuantizedTimes" ; inputs = (W : x) ; tag = ''
         bitShiftA = 1 ; bitShiftB = 2 ; outputRank = 1 ; inferInputRankToMap = -1
       ]
       c = Times (row, x) ; d = Times (row, NewReshape (m, (6:1)))
       e = Extreme (m, "Argmax", 1) ; f = Extreme (m, "Argmin", 0)
       outputNodes = (a:b:c:d:e:f)`,
    outputs: ["a", "b", "c", "d", "e", "f"],
  },
  {
    title: "regions of an image",
    members: `x = Input {(12:10:2)} ; place = Input {(2:3)} ; size = Input {(2:3)}
       first = Floor (Abs (place) .* Constant (14))
       corners = Splice ((first : first + Abs (size) .* Constant (9)), axis = 1)
       z = ROIPooling (x, corners, (3:2), spatialScale = 0.5)
       outputNodes = (z)`,
    outputs: ["z"],
  },
];
