import type { MessageCase } from "./message-case.js";

/** Descriptions in the old language that cannot be read or do not make a network. */

const inputs = 'features = Input (2, tag = "feature")\nlabels = Input (2, tag = "label")';
const outputs = 'ce = CrossEntropyWithSoftmax (labels, z, tag = "criterion")\nOutputNodes = (z)';

/** A configuration whose network is the file `net.ndl`; `builder` are further lines of the builder's section. */
function script(code: string, text: string, builder = "networkDescription = net.ndl"): MessageCase {
  const configuration = `train = [
  action = train ; modelPath = net.model
  NDLNetworkBuilder = [ ${builder} ]
]
`;
  return {
    code,
    files: { "net.cntk": configuration, "net.ndl": `${text}\n` },
    command: "check configFile=net.cntk",
  };
}

const layer = "Layer (x, rows, cols) = [\n  W = Parameter (rows, cols)\n  t = Times (W, x)\n]";

/** Macros that double at each level. */
const doubling = Array.from({ length: 24 }, (_, level) =>
  level === 0
    ? "M0 (x) = [ a = Sigmoid (x) ]"
    : `M${level} (x) = [ a = M${level - 1} (x) ; b = M${level - 1} (a) ]`,
).join("\n");

export const scriptCases: readonly MessageCase[] = [
  script("script-syntax", `${inputs}\nz =\n${outputs}`),
  script("script-syntax", `${inputs}\nSigmoid\n${outputs}`),
  script("script-syntax", `${inputs}\nLayer (x, rows)`),
  script("script-name", `${inputs}\nSigmoid (features)`),
  script("script-name", `${inputs}\nz = Sigmoid (features)\nZ = Tanh (features)\n${outputs}`),
  script("script-name", `${inputs}\nScale = Sigmoid (features)\n${outputs}`),
  script("script-name", `${inputs}\nLayer (x, Scale) = [ z = Sigmoid (x) ]`),
  script("script-name", `${inputs}\nh = Sigmoid (features)\nz = Tanh (hh)\n${outputs}`),
  script("script-name", `${inputs}\n${layer}\nz = Layer (Sigmoid (features), 2, 2)\n${outputs}`),
  script("script-call", `${inputs}\nz = Sigmod (features)\n${outputs}`),
  script("script-call", `${inputs}\n${layer}\nz = Layer (features, 2)\n${outputs}`),
  script("script-call", `${inputs}\nLoop (x) = [ a = Loop (x) ]\nz = Loop (features)\n${outputs}`),
  script(
    "script-scalar",
    `${inputs}\n${layer}\nz = Layer (features, hiddenDim, 2)\nhiddenDim = 2\n${outputs}`,
  ),
  script("script-scalar", `${inputs}\nW = Parameter (labels, 2)\nz = Times (W, features)\n${outputs}`),
  script(
    "script-arguments",
    `${inputs}\nW = Parameter (2, 2, init = "normal")\nz = Times (W, features)\n${outputs}`,
  ),
  script("script-arguments", `${inputs}\nz = Plus (features, 1)\n${outputs}`),
  script("script-arguments", `${inputs}\nz = Times (features)\n${outputs}`),
  script("script-scalar", `${inputs}\nz = RowSlice (features, 0, 1)\n${outputs}`),
  script("unknown-tag", `${inputs}\nz = Sigmoid (features, tag = "outputs")\n${outputs}`),
  script("script-groups", "features = Input (2)\nz = Sigmoid (features)\nFeatureNode = (features)"),
  script("script-groups", `${inputs}\nz = Sigmoid (features)\nOutputNodes = (zz)`),
  script("script-missing", inputs, "networkDescription = macros.ndl+net.ndl"),
  script("script-missing", inputs, "run = net"),
  script("script-missing", inputs, ""),
  script("script-too-large", `${inputs}\n${doubling}\nz = M23 (features)\n${outputs}`),
  script(
    "script-too-deep",
    `${inputs}\nz = ${"Sigmoid (".repeat(600)}features${")".repeat(600)}\n${outputs}`,
  ),
];
