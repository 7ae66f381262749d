import { network, networkFile, training, type MessageCase } from "./message-case.js";

/** Networks that cannot be built or have no shape. */
export const networkCases: readonly MessageCase[] = [
  network(
    "unknown-operation",
    "x = Input {2}\nz = new ComputationNode [ operation = 'Pluss' ; inputs = (x : x) ]",
  ),
  network("input-count", "x = Input {2}\nz = new ComputationNode [ operation = 'Plus' ; inputs = x ]"),
  network("unknown-tag", "x = Input {2, tag = 'feture'}\nz = Sigmoid (x)"),
  network("wrong-type", "x = Input {2}\nz = DenseLayer {3} (DenseLayer {4})\noutputNodes = (z)"),
  network(
    "unknown-identifier",
    "x = Input {2}\nz = If (Greater (x, Constant (0)), x, Constant (0))\noutputNodes = (z)",
  ),
  network(
    "unknown-identifier",
    "x = Input {2}\nz = BS.Sequences.Gather (BS.Sequences.IsFirst (x), x)\noutputNodes = (z)",
  ),
  network(
    "unknown-identifier",
    "x = Input {2}\nz = LookupTable (ParameterTensor {(3:2)}, x)\noutputNodes = (z)",
  ),
  network("unknown-identifier", "x = Input {2}\nz = Dense {3} (x)\noutputNodes = (z)"),
  network("unknown-identifier", "x = Input {2}\nz = DenseLayer {3, init = heNormal} (x)\noutputNodes = (z)"),
  network("argument-count", "x = Input {2}\nz = Dropout (x, 0.5)\noutputNodes = (z)"),
  network("argument-count", "x = Input {2}\nz = Sequential (DenseLayer {3}, ReLU) (x)\noutputNodes = (z)"),
  network("argument-count", "x = Input (6, 6, 3)\nz = DenseLayer {3} (x)\noutputNodes = (z)"),
  network("argument-count", "x = Input {2}\nz = x / BS.Loop.Count (x)\noutputNodes = (z)"),
  network("missing-parameter", "x = Input {6}\nz = Reshape (x, (3:2))\noutputNodes = (z)"),
  network("wrong-type", "x = Input {2}\nf (x) = { y = DenseLayer {3} (x) }\nz = f (x)\noutputNodes = (z)"),
  network("wrong-type", "x = Input {2}\nz = x - Mod (x, 2)\noutputNodes = (z)"),
  network("operator-operands", "x = Input {2}\nz = x ** 2\noutputNodes = (z)"),
  network("parameter-initialization", "x = Input {2}\nz = x .* Constant (3 : 1)\noutputNodes = (z)"),
  network(
    "parameter-initialization",
    'x = Input {2}\nz = DenseLayer {3, init = "glorot_uniform"} (x)\noutputNodes = (z)',
  ),
  network(
    "no-dynamic-axis",
    "x = Input {2, dynamicAxis = DynamicAxis ()}\nz = BS.Sequences.Last (x)\noutputNodes = (z)",
  ),
  network("integer-expected", "x = Input {2.5}\noutputNodes = (x)"),
  network(
    "parameter-initialization",
    "x = Input {2}\nz = ParameterTensor {2, init = 'gausian'} .* x\noutputNodes = (z)",
  ),
  network(
    "matrix-number",
    "x = Input {2}\nz = ParameterTensor {(1:2), init = 'fromLiteral', initFromLiteral = '1 two'} * x\noutputNodes = (z)",
  ),
  {
    code: "matrix-row-length",
    files: {
      "net.cntk": networkFile(
        "x = Input {2}\nz = ParameterTensor {(2:2), initFromFilePath = 'W.txt'} * x\noutputNodes = (z)",
      ),
      "W.txt": "1 2\n3\n",
    },
    command: "check configFile=net.cntk",
  },
  network("operator-operands", "x = Input {2}\nz = x + 'one'\noutputNodes = (z)"),
  network(
    "unknown-dimension",
    "x = Input {2}\np = ParameterTensor {(2:Inferred)}\nz = LinearLayer {p.dim} (x)\noutputNodes = (z)",
  ),
  network("not-implemented", "x = Input {2}\nz = LinearLayer {x.dims} (x)\noutputNodes = (z)"),
  network("duplicate-node-name", "x = Input {2}\nz = 2 * x\noutputNodes = (z)"),
  network(
    "two-directions",
    "x = Input {2}\nh = Sigmoid (x + PastValue (2, h) + FutureValue (2, h))\noutputNodes = (h)",
  ),
  network("no-elements", "x = Input {0}\noutputNodes = (x)"),
  network("shape-mismatch", "x = Input {2} ; y = Input {3}\nz = x + y\noutputNodes = (z)"),
  network("shape-mismatch", "x = Input {3}\nz = ParameterTensor {(4:2)} * x\noutputNodes = (z)"),
  network("empty-input", "z = ReduceSum (ParameterTensor {0})\noutputNodes = (z)"),
  network(
    "convolution-rank",
    "x = Input {(8:8:1)}\nz = ConvolutionalLayer {4, (3:3:3:3)} (x)\noutputNodes = (z)",
  ),
  network(
    "kernel-too-large",
    "x = Input {(4:4:1)}\nz = ConvolutionalLayer {4, (5:5)} (x)\noutputNodes = (z)",
  ),
  network(
    "kernel-does-not-fill",
    "x = Input {(4:4:1)}\nz = Convolution (ParameterTensor {(3:3:1:1)}, x, (3:3:1), mapDims = 1, stride = (3:3:1), autoPadding = (false:false:false), lowerPad = (1:1:0), upperPad = (0:0:0))\noutputNodes = (z)",
  ),
  network(
    "weight-shape",
    "x = Input {(4:4:1)}\nz = Convolution (ParameterTensor {(2:2)}, x, (3:3:1), mapDims = 4)\noutputNodes = (z)",
  ),
  network(
    "unknown-image-layout",
    "x = Input {(4:4:1)}\nz = Convolution (ParameterTensor {(1:9)}, x, (3:3:1), mapDims = 1, imageLayout = 'chw')\noutputNodes = (z)",
  ),
  network(
    "unknown-pooling-kind",
    "x = Input {(4:4:1)}\nz = Pooling (x, 'median', (2:2:1))\noutputNodes = (z)",
  ),
  network(
    "pooling-rank",
    "x = Input {16}\nz = MaxPooling (x, 2, 2, 2, 2, imageLayout = 'cudnn')\noutputNodes = (z)",
  ),
  network(
    "unpooling-shape",
    "x = Input {(4:4:1)} ; y = Input {(3:3:1)}\nz = MaxUnpooling (y, x, (2:2:1), stride = (2:2:1))\noutputNodes = (z)",
  ),
  network(
    "convolution-output-shape",
    "x = Input {(4:4:1)}\nz = ConvolutionTranspose (ParameterTensor {(2:2:1:1)}, x, (2:2:1), mapDims = 1, stride = (2:2:1), outputShape = (9:9:1))\noutputNodes = (z)",
  ),
  network(
    "negative-time-constant",
    "x = Input {4}\ns = ParameterTensor {4} ; b = ParameterTensor {4}\nm = ParameterTensor {4} ; v = ParameterTensor {4} ; c = ParameterTensor {1}\nz = BatchNormalization (x, s, b, m, v, runCount = c, blendTimeConstant = -3)\noutputNodes = (z)",
  ),
  network(
    "unknown-reduction",
    "x = Input {4}\nz = new ComputationNode [ operation = 'ReduceElements' ; inputs = x ; reductionOp = 'Middle' ; axis = 0 ; tag = '' ]\noutputNodes = (z)",
  ),
  network("no-such-axis", "x = Input {4}\nz = ReduceSum (x, axis = 3)\noutputNodes = (z)"),
  network("no-minibatch-data", "p = ParameterTensor {4}\nz = PastValue (4, p)\noutputNodes = (z)"),
  network(
    "unexpected-minibatch-data",
    "x = Input {4}\ns = x ; b = ParameterTensor {4}\nm = ParameterTensor {4} ; v = ParameterTensor {4} ; c = ParameterTensor {1}\nz = BatchNormalization (x, s, b, m, v, runCount = c)\noutputNodes = (z)",
  ),
  network(
    "not-a-parameter",
    "x = Input {4}\ns = ParameterTensor {4} ; b = ParameterTensor {4}\nm = Sigmoid (ParameterTensor {4}) ; v = ParameterTensor {4} ; c = ParameterTensor {1}\nz = BatchNormalization (x, s, b, m, v, runCount = c)\noutputNodes = (z)",
  ),
  network(
    "unknown-cell",
    "x = Input {4}\nz = OptimizedRNNStack (ParameterTensor {(8:8)}, x, 3, recurrentOp = 'lsmt')\noutputNodes = (z)",
  ),
  network(
    "empty-sample",
    "w = ParameterTensor {4}\nz = CNTK2.GetRandomSample (w, 0, false)\noutputNodes = (z)",
  ),
  network(
    "sample-too-large",
    "w = ParameterTensor {4}\nz = CNTK2.GetRandomSample (w, 9, false)\noutputNodes = (z)",
  ),
  training("operation-unsupported", {
    network: `
      x = Input {2} ; y = Input {1}
      z = LinearLayer {1} (x)
      error = new ComputationNode [ operation = 'SequenceWithSoftmax' ; inputs = (y : z : z) ; tag = '' ]
      criterionNodes = (error)`,
  }),
  network(
    "crop-path",
    "x = Input {(4:4:1)} ; y = Input {(2:2:1)}\nz = new ComputationNode [ operation = 'Crop' ; inputs = (x : y) ; tag = '' ]\noutputNodes = (z)",
  ),
  network("shape-too-large", "x = Input {5000000000}\noutputNodes = (x)"),
  network(
    "too-many-windows",
    "x = Input {(1000000:1000000:1)}\nz = ConvolutionalLayer {1, (1:1)} (x)\noutputNodes = (z)",
  ),
  network(
    "padding-too-large",
    "x = Input {(4:4:1)}\nz = Convolution (ParameterTensor {(3:3:1:1)}, x, (3:3:1), mapDims = 1, autoPadding = (false:false:false), lowerPad = (1000:0:0), upperPad = (0:0:0))\noutputNodes = (z)",
  ),
  network("axis-as-input", "t = DynamicAxis ()\nz = Sigmoid (t)\noutputNodes = (z)"),
  network("no-dynamic-axis", "t = ParameterTensor {2}\nx = Input {2, dynamicAxis = t}\noutputNodes = (x)"),
  training("no-gradient", {
    network:
      "x = Input {2} ; y = Input {1}\nz = LinearLayer {1} (x)\nerror = ClassificationError (y, z)\ncriterionNodes = (error)",
  }),
  training("no-criterion", {
    network: "x = Input {2} ; y = Input {1}\nz = LinearLayer {1} (x)\noutputNodes = (z)",
  }),
  training("no-criterion", {
    network:
      "x = Input {2} ; y = Input {1}\nz = LinearLayer {1} (x)\nerror = SquareError (y, z)\ncriterionNode = (error)",
  }),
  network(
    "unknown-argument",
    "x = Input {(4:4:1)}\nW = ParameterTensor {(1:9)}\nz = Convolution (W, x, (3:3:1), mapCount = 1)",
  ),
  network("wrong-type", "x = Input {(12:1)}\nz = ConvolutionalLayer {4, (5)} (x)\noutputNodes = (z)"),
  training("criterion-not-scalar", {
    network:
      "x = Input {2} ; y = Input {1}\nz = LinearLayer {1} (x)\nerror = SquareError (y, z)\ncriterionNodes = (error) ; outputNodes = (x)",
    more: "command = train:test\ntest = [ action = test ; evalNodeNames = x ]",
  }),
  network(
    "not-supported",
    "x = Input {(4:4:1)} ; r = Input {(4:1)}\nz = new ComputationNode [\n  operation = 'ROIPooling' ; inputs = (x : r) ; pool = 'average'\n  roiOutputShape = new TensorShape [ dims = (2:2) ] ; featureScale = 1 ; tag = ''\n]\noutputNodes = (z)",
  ),
  network(
    "minibatch-data",
    "x = Input {(4:4)}\nz = new ComputationNode [ operation = 'Diagonal' ; inputs = x ; tag = '' ]\noutputNodes = (z)",
  ),
];
