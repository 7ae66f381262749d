// A configuration that lies in no file: node examples/in-memory.mjs
// Every stage of the road can be printed; here the shapes, as CNTK's validation writes them.
import { explainConfig } from "cntkts";

const network = `[
  image = Input {28:28:1} ; digit = Input {10}
  model = Sequential (
    ConvolutionalLayer {8, (5:5), pad = true, activation = ReLU} : MaxPoolingLayer {(4:4), stride = (4:4)} :
    LinearLayer {10}
  )
  z  = model (image)
  ce = CrossEntropyWithSoftmax (digit, z)
  featureNodes = (image) ; labelNodes = (digit) ; criterionNodes = (ce) ; outputNodes = (z)
]`;

const words = [
  "command=train",
  `train=[action=train ; BrainScriptNetworkBuilder=${network} ; SGD=[] ; reader=[]]`,
];
console.log(await explainConfig(words, "shapes"));
