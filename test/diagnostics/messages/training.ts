import { training, type MessageCase } from "./message-case.js";

const base = "maxEpochs = 1 ; minibatchSize = 2 ; epochSize = 4 ; learningRatesPerSample = 0.01";

const sparseWords = `
      x = SparseInput {3} ; y = Input {1}
      error = SquareError (y, LinearLayer {1} (EmbeddingLayer {2} (x)))
      criterionNodes = (error)`;
const sparseReader = "input = [ x = [ dim = 3 ; format = sparse ] ; y = [ dim = 1 ; format = dense ] ]";
const sparseData = "|x 1:1 |y 1\n|x 0:1 |y 0\n|x 1:1 |y 1\n|x 2:1 |y 0\n";

/** What SGD is told, and what goes wrong while it runs. */
export const trainingCases: readonly MessageCase[] = [
  training("minibatch-size", { sgd: "maxEpochs = 1 ; minibatchSize = 0 ; learningRatesPerSample = 0.01" }),
  training("epoch-size", {
    sgd: "maxEpochs = 1 ; epochSize = 4 ; minibatchSize = 8 ; learningRatesPerSample = 0.01",
  }),
  training("max-epochs", {
    sgd: "maxEpochs = 3000000000 ; minibatchSize = 2 ; learningRatesPerSample = 0.01",
  }),
  training("learning-rates", { sgd: "maxEpochs = 1 ; minibatchSize = 2" }),
  training("learning-rates", { sgd: "maxEpochs = 1 ; minibatchSize = 2 ; learningRatePerMB = 0.1" }),
  training("learning-rates", { sgd: `${base} ; learningRatesPerMB = 0.1` }),
  training("learning-rate-search", { sgd: `${base}\nautoAdjust = [ autoAdjustLR = sometimes ]` }),
  training("criterion-shape", { sgd: `${base}\ntrainCriterionNodeName = z` }),
  training("truncated-in-reader", { reader: "truncated = true", command: "configFile=net.cntk" }),
  training("checkpoint-missing", {
    sgd: "maxEpochs = 1 ; minibatchSize = 2\nautoAdjust = [ autoAdjustLR = searchBeforeEpoch ]",
  }),
  training("gradient-check", { sgd: `${base} ; gradientcheck = true` }),
  training("minibatch-shares", {
    network: `
      t = DynamicAxis ()
      x = Input {2} ; y = Input {1, dynamicAxis = t}
      error = SquareError (BS.Sequences.Last (y), LinearLayer {1} (BS.Sequences.Last (x)))
      criterionNodes = (error)`,
    data: "1 |x 0 1 |y 1\n1 |x 1 0\n2 |x 1 1 |y 1\n",
    sgd: "maxEpochs = 1 ; minibatchSize = 4 ; learningRatesPerSample = 0.01 ; numSubminibatches = 2",
  }),
  training("statistics-missing", {
    command: "configFile=net.cntk command=measure",
    more: `measure = [
  action = "test"
  BrainScriptNetworkBuilder = {
    x = Input {2} ; y = Input {1}
    normalized = PerDimMeanVarNormalization (x, Mean (x), InvStdDev (x))
    error = SquareError (y, LinearLayer {1} (normalized))
    criterionNodes = (error)
  }
]`,
  }),
  training("validation-interval", {
    command: "configFile=net.cntk command=measure",
    more: 'measure = [ action = "cv" ; crossValidationInterval = 1:0:3 ]',
  }),
  training("no-model", {
    command: "configFile=net.cntk command=measure",
    more: 'measure = [ action = "cv" ; crossValidationInterval = 1:1:2 ]',
  }),
  training("epoch-size-zero", {
    before: "configFile=net.cntk",
    command: "configFile=net.cntk command=measure",
    more: 'measure = [ action = "bnstat" ]',
  }),
  training("momentum", { sgd: `${base} ; momentumPerMB = 1.5` }),
  training("momentum", { sgd: `${base} ; momentumPerMB = 0.9 ; momentumAsTimeConstant = 100` }),
  training("gradient-update", { sgd: `${base} ; gradUpdateType = adam` }),
  training("dropout-rate", { sgd: `${base} ; dropoutRate = 1.5` }),
  training("learning-rate-factor", { sgd: `${base}\nAutoAdjust = [ learnRateDecreaseFactor = 2 ]` }),
  training("adaptation", { sgd: `${base} ; adaptationRegWeight = 2` }),
  training("parallelization-method", {
    sgd: `${base}\nParallelTrain = [ parallelizationMethod = sometimes ]`,
    more: "parallelTrain = true",
  }),
  training("parallelization-start", {
    sgd: `${base}\nParallelTrain = [ parallelizationMethod = DataParallelSGD ; parallelizationStartEpoch = 0 ]`,
    more: "parallelTrain = true",
  }),
  training("gradient-bits", {
    sgd: `${base}\nParallelTrain = [ parallelizationMethod = DataParallelSGD ; DataParallelSGD = [ gradientBits = 99 ] ]`,
    more: "parallelTrain = true",
  }),
  training("sparse-aggregation", {
    network: sparseWords,
    reader: sparseReader,
    data: sparseData,
    sgd: `${base}\nParallelTrain = [ parallelizationMethod = DataParallelSGD ]`,
    more: "parallelTrain = true",
  }),
  training("block-size", {
    sgd: `${base}\nParallelTrain = [ parallelizationMethod = ModelAveragingSGD ; ModelAveragingSGD = [ blockSize = 8 ; blockSizePerWorker = 4 ] ]`,
    more: "parallelTrain = true",
  }),
  training("block-momentum", {
    sgd: `${base}\nParallelTrain = [ parallelizationMethod = BlockMomentumSGD ; BlockMomentumSGD = [ blockMomentumPerSync = 1.5 ] ]`,
    more: "parallelTrain = true",
  }),
  training("criterion-nan", {
    network: `
      x = Input {2} ; y = Input {1}
      z = LinearLayer {1} (x)
      big = Exp (Constant (1000) .* x)
      error = SquareError (y, z) + ReduceSum (big - big)
      criterionNodes = (error) ; outputNodes = (z)`,
  }),
  ...["L2RegWeight = 0.1", "gradUpdateType = fsAdagrad"].map((option) =>
    training("sparse-gradient", {
      network: sparseWords,
      reader: sparseReader,
      data: sparseData,
      sgd: `${base} ; ${option}`,
    }),
  ),
  training("sparse-input", {
    network: `
      x = Input {1} ; y = SparseInput {2}
      error = CrossEntropyWithSoftmax (y, LinearLayer {2} (x))
      criterionNodes = (error)`,
    reader: "input = [ x = [ dim = 1 ; format = dense ] ; y = [ dim = 2 ; format = sparse ] ]",
    data: "|x 0 |y 1:1\n|x 1 |y 0:1\n|x 1 |y 1:1\n|x 0 |y 0:1\n",
  }),
  training("sparse-pieces", {
    network: sparseWords,
    reader: sparseReader,
    data: sparseData,
    sgd: `${base} ; numSubminibatches = 2`,
  }),
  training("uncomputed-gradients", {
    network: `
      x = Input {2} ; y = Input {1}
      h = DenseLayer {4, activation = Sigmoid} (x)
      z = LinearLayer {1} (DenseLayer {3, activation = Sigmoid} (h))
      error = SquareError (y, z)
      criterionNodes = (error)`,
    sgd: `maxEpochs = 2 ; minibatchSize = 4 ; epochSize = 4 ; learningRatesPerSample = 0.01
      numSubminibatches = 2 ; AutoAdjust = [ autoAdjustLR = searchBeforeEpoch ]`,
  }),
  training("rates-per-minibatch", {
    composite: true,
    sgd: `${base} ; momentumPerMB = 0.9 ; truncated = true`,
    reader: `truncationLength = 2
      deserializers = ( [ type = CNTKTextFormatDeserializer ; module = CNTKTextFormatReader ; file = data.txt
        input = [ x = [ dim = 2 ; format = dense ] ; y = [ dim = 1 ; format = dense ] ] ] )`,
  }),
  training("sample-sizes", {
    network: `
      x = Input {2} ; y = Input {1}
      z = LinearLayer {(2:3)} (x)
      error = CrossEntropyWithSoftmax (x, z) + SumElements (y)
      criterionNodes = (error)`,
  }),
  training("convolution-depth", {
    network: `
      x = Input {2} ; y = Input {1}
      W = ParameterTensor {(1:1)}
      z = Convolution (W, x, [|1|], mapDims = 1, autoPadding = false)
      error = SquareError (y, ReduceSum (z))
      criterionNodes = (error)`,
  }),
  training("parameter-not-initialized", {
    network: `
      x = Input {2} ; y = Input {1}
      W = ParameterTensor {(2:0)}
      unused = Tanh (W * PastValue (2, unused))
      error = SquareError (y, LinearLayer {1} (x))
      criterionNodes = (error)`,
  }),
  training("too-many-frames", {
    network: `
      x = Input {2} ; y = Input {1}
      kept = BS.Sequences.Gather (Constant (1e6) .* Greater (y, Constant (0)), x)
      z = LinearLayer {1} (x)
      error = SquareError (y, z) + MatrixL2Reg (kept)
      criterionNodes = (error) ; outputNodes = (z)`,
  }),
  training("sequence-empty", {
    network: `
      x = Input {2} ; y = Input {1}
      kept = BS.Sequences.Gather (Greater (y, Constant (0)), x)
      z = LinearLayer {1} (x)
      error = SquareError (y, z) + MatrixL2Reg (kept)
      criterionNodes = (error) ; outputNodes = (z)`,
  }),
  ...[
    ["negative-weight", "ConstantTensor (-1, (3))"],
    ["sample-endless", "ConstantTensor (0, (3))"],
  ].map(([code = "", weights = ""]) =>
    training(code, {
      network: `
      x = Input {2} ; y = Input {1}
      drawn = ReduceSum (CNTK2.GetRandomSample (${weights}, 2, true))
      error = SquareError (y, LinearLayer {1} (x)) + drawn
      criterionNodes = (error)`,
    }),
  ),
  training("top-too-large", {
    network: `
      x = Input {2} ; y = Input {1}
      z = LinearLayer {1} (x)
      error = SquareError (y, z)
      missed = ClassificationError (y, z, topN = 5)
      criterionNodes = (error) ; evaluationNodes = (missed) ; outputNodes = (z)`,
  }),
  training("dynamic-axes-differ", {
    network: `
      x = Input {2} ; y = Input {1}
      last = BS.Sequences.Last (x)
      error = SquareError (y, LinearLayer {1} (last))
      criterionNodes = (error)`,
    data: "1 |x 0 1 |y 1\n1 |x 1 0 |y 0\n2 |x 1 1 |y 1\n",
  }),
  training("node-unknown", { sgd: `${base} ; trainCriterionNodeName = eror` }),
  training("input-missing", {
    reader:
      "input = [ x = [ dim = 2 ; format = dense ] ; labels = [ dim = 1 ; format = dense ; alias = y ] ]",
  }),
  training("input-missing", {
    network:
      "x = Input {2}\ny = x\nz = LinearLayer {2} (x)\nerror = SquareError (y, z)\ncriterionNodes = (error)",
    reader: "input = [ x = [ dim = 2 ; format = dense ] ]",
    data: "|x 0 1\n|x 1 0\n",
  }),
  training("input-dimension", {
    reader: "input = [ x = [ dim = 3 ; format = dense ] ; y = [ dim = 1 ; format = dense ] ]",
  }),
  training("layouts-differ", { data: "1 |x 0 1 |y 1\n1 |x 1 0\n2 |x 1 1 |y 1\n" }),
  { ...training("interrupted", {}), interrupted: true },
  training("checkpoint-mismatch", {
    before: "configFile=net.cntk modelPath=net.model.1",
    command: "configFile=net.cntk train=[SGD=[maxEpochs=2;gradUpdateType=fsAdagrad]]",
  }),
];
