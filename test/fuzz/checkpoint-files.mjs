// A small training that makes checkpoints, and its data.

/** Update rules whose checkpoints differ; `best` also keeps the best epochs. */
export const updateRules = ["none", "adagrad", "fsAdaGrad", "rmsProp", "best"];

/** Paths and contents of a training of two epochs, which keeps the first one's checkpoint: m.dnn.1.ckp. */
export function checkpointFiles(rule) {
  const options =
    rule === "best"
      ? "saveBestModelPerCriterion = true ; momentumPerMB = 0.5"
      : `gradUpdateType = "${rule}" ; momentumPerMB = 0.5`;
  return {
    "/train.cntk": `command = train
precision = "float"
train = [
  action = "train" ; modelPath = "/m.dnn"
  BrainScriptNetworkBuilder = {
    features = Input {2} ; labels = Input {2}
    z = Sequential (DenseLayer {3} : BatchNormalizationLayer {} : ReLU : DenseLayer {2}) (features)
    ce = CrossEntropyWithSoftmax (labels, z)
    featureNodes = (features) ; labelNodes = (labels) ; criterionNodes = (ce) ; outputNodes = (z)
  }
  SGD = [ epochSize = 0 ; minibatchSize = 2 ; maxEpochs = 2 ; keepCheckPointFiles = true ; learningRatesPerSample = 0.1 ; ${options} ]
  reader = [ readerType = "CNTKTextFormatReader" ; file = "/data.txt" ; input = [
    features = [ dim = 2 ; format = "dense" ] ; labels = [ dim = 2 ; format = "dense" ] ] ]
]
`,
    "/data.txt": "|features 1 2 |labels 0 1\n|features 2 1 |labels 1 0\n|features 0 1 |labels 0 1\n",
  };
}
