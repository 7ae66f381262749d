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
];

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
