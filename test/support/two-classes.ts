/** A small data set in CNTK's text format: two classes in the plane, parted by a circle; always the same numbers. */
export function twoClasses(samples: number): string {
  let state = 12345;
  const next = (): number => {
    // Lehmer's generator: every product fits into a double.
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
  return Array.from({ length: samples }, () => {
    const [x, y] = [next(), next()];
    const inside = x * x + y * y < 0.6;
    return `|labels ${inside ? "1 0" : "0 1"} |features ${x.toFixed(6)} ${y.toFixed(6)}\n`;
  }).join("");
}

export interface TwoClassesOptions {
  readonly dropout?: boolean;
  readonly precision?: "float" | "double";
  /** Lines of the SGD block besides its usual ones. */
  readonly sgd?: string;
}

/** A configuration that trains, tests and writes a small network on `data.txt`; its model is `Models/net`. */
export function twoClassesConfig({
  dropout = false,
  precision = "double",
  sgd = "",
}: TwoClassesOptions = {}): string {
  const reader = `
    reader = {
      readerType = "CNTKTextFormatReader" ; file = "data.txt"
      input = { features = { dim = 2 ; format = "dense" } ; labels = { dim = 2 ; format = "dense" } }
    }`;
  return `
command = train:test
precision = "${precision}" ; traceLevel = 1
modelPath = "Models/net"

train = {
  action = "train"
  BrainScriptNetworkBuilder = {
    features = Input {2}
    labels = Input {2}
    h = DenseLayer {8, activation = Sigmoid} (features)
    d = ${dropout ? "Dropout (h)" : "h"}
    z = LinearLayer {2} (d)
    ce = CrossEntropyWithSoftmax (labels, z)
    errs = ClassificationError (labels, z)
    featureNodes = (features) ; labelNodes = (labels)
    criterionNodes = (ce) ; evaluationNodes = (errs) ; outputNodes = (z)
  }
  SGD = {
    epochSize = 300 ; minibatchSize = 16 ; maxEpochs = 3 ; numMBsToShowResult = 5
    learningRatesPerSample = 0.05:0.02 ; momentumPerMB = 0.9
    ${dropout ? "dropoutRate = 0.2" : ""}
    ${sgd}
  }${reader}
}
test = {
  action = "test"${reader}
}
write = {
  action = "write" ; outputPath = "Written/out"${reader}
}
`;
}
