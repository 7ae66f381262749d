import { training, type MessageCase } from "./message-case.js";

/** Data of two sequences; `x` has a number per frame. */
const frames = "1 |x 1 |y 1\n1 |x 2 |y 0\n1 |x 3 |y 1\n2 |x 4 |y 0\n2 |x 5 |y 1\n";

/** A stream `y` that has fewer samples than lines; `x` says how many lines there are. */
const shortY = "1 |x 1 |y 1\n1 |x 2 |y 0\n1 |x 3\n2 |x 4 |y 0\n2 |x 5 |y 1\n2 |x 6\n";
const lengthsByX =
  "input = [ x = [ dim = 1 ; format = dense ; definesMBSize = true ] ; y = [ dim = 1 ; format = dense ] ]";

const numbers = "input = [ x = [ dim = 1 ; format = dense ] ; y = [ dim = 1 ; format = dense ] ]";
/** The reader's section of a truncated training. */
const truncated = (input: string): string =>
  `truncated = true ; truncationLength = 2
deserializers = ([
  type = CNTKTextFormatDeserializer ; module = CNTKTextFormatReader ; file = data.txt
  ${input}
])`;

/** Networks over sequences that do not fit together, or not the data. */
const cases: readonly MessageCase[] = [
  training("no-future-values", {
    network: `
      x = Input {1} ; y = Input {1}
      h = FutureValue (1, x)
      error = SquareError (y, h .* ParameterTensor {1})
      criterionNodes = (error)`,
    composite: true,
    reader: truncated(numbers),
    sgd: "maxEpochs = 1 ; minibatchSize = 4 ; learningRatesPerSample = 0.01 ; momentumPerSample = 0",
    more: "truncated = true",
    data: frames,
  }),
  training("not-in-loop", {
    network: `
      x = Input {1} ; y = Input {1}
      h = BatchNormalizationLayer {} (x + PastValue (1, h))
      error = SquareError (y, h)
      criterionNodes = (error)`,
    reader: numbers,
    data: frames,
  }),
  training("frame-outside-minibatch", {
    network: `
      x = Input {1} ; y = Input {1}
      first = BS.Sequences.First (x)
      error = SquareError (y, BS.Sequences.BroadcastSequenceAs (y, first) .* ParameterTensor {1})
      criterionNodes = (error)`,
    composite: true,
    reader: truncated(numbers),
    sgd: "maxEpochs = 1 ; minibatchSize = 4 ; learningRatesPerSample = 0.01 ; momentumPerSample = 0",
    more: "truncated = true",
    data: frames,
  }),
  training("initial-state-too-short", {
    network: `
      t = DynamicAxis ()
      x = Input {1} ; y = Input {1, dynamicAxis = t}
      h = PastValue (1, x, timeStep = 3, defaultHiddenActivation = 0, initialState = y)
      error = ReduceSum (h .* ParameterTensor {1})
      criterionNodes = (error)`,
    reader: lengthsByX,
    data: shortY,
  }),
  training("layouts-incompatible", {
    network: `
      t = DynamicAxis ()
      x = Input {1} ; y = Input {1, dynamicAxis = t}
      z = ReconcileDynamicAxis (y, x)
      error = SquareError (x, z .* ParameterTensor {1})
      criterionNodes = (error)`,
    reader: lengthsByX,
    data: shortY,
  }),
  training("layouts-differ", {
    network: `
      x = Input {1} ; y = Input {1}
      error = SquareError (x, y .* ParameterTensor {1})
      criterionNodes = (error)`,
    reader: lengthsByX,
    data: shortY,
  }),
  training("frame-outside-sequence", {
    network: `
      x = Input {1} ; y = Input {1}
      z = GatherPacked (PackedIndex (x, y), x)
      error = SquareError (z, z .* ParameterTensor {1})
      criterionNodes = (error)`,
    reader: numbers,
    data: "1 |x 1 |y 7\n2 |x 4 |y 0\n",
  }),
  training("column-out-of-bounds", {
    network: `
      x = Input {1} ; y = Input {1}
      z = GatherPacked (y, x)
      error = SquareError (z, z .* ParameterTensor {1})
      criterionNodes = (error)`,
    reader: numbers,
    data: "1 |x 1 |y 7\n2 |x 4 |y 0\n",
  }),
  training("sequence-lengths", {
    composite: true,
    reader: truncated(lengthsByX),
    sgd: "maxEpochs = 1 ; minibatchSize = 4 ; learningRatesPerSample = 0.01 ; momentumPerSample = 0",
    more: "truncated = true",
    data: shortY,
    network: `
      t = DynamicAxis ()
      x = Input {1} ; y = Input {1, dynamicAxis = t}
      error = SquareError (x, x .* ParameterTensor {1})
      criterionNodes = (error)`,
  }),
  training("input-storage", {
    network: `
      x = SparseInput {4} ; y = Input {1}
      error = SquareError (y, LinearLayer {1} (x))
      criterionNodes = (error)`,
    composite: true,
    reader: truncated("input = [ x = [ dim = 4 ; format = sparse ] ; y = [ dim = 1 ; format = dense ] ]"),
    sgd: "maxEpochs = 1 ; minibatchSize = 4 ; learningRatesPerSample = 0.01 ; momentumPerSample = 0",
    more: "truncated = true",
    data: "1 |x 0:1 |y 1\n1 |x 3:1 |y 0\n",
  }),
  training("two-directions", {
    network: `
      x = Input {1} ; y = Input {1}
      h = Sigmoid (x + PastValue (1, g))
      g = Tanh (h + FutureValue (1, h))
      error = SquareError (y, g .* ParameterTensor {1})
      criterionNodes = (error)`,
    reader: numbers,
    data: frames,
  }),
  training("reduction-over-sequence", {
    network: `
      x = Input {1} ; y = Input {1}
      z = new ComputationNode [ operation = 'ReduceElements' ; inputs = x ; reductionOp = 'Max' ; axis = -2 ; tag = '' ]
      error = SquareError (y, z .* ParameterTensor {1})
      criterionNodes = (error)`,
    reader: numbers,
    data: frames,
  }),
];

/** On the backend that computes unless another is asked for. */
export const sequenceCases = cases.map((one) => ({ ...one, command: `${one.command} --backend javascript` }));
