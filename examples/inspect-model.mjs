// Looks into a trained model and asks it for its answers: node examples/inspect-model.mjs   (after examples/train.mjs)
import { loadModel } from "cntkts";

const model = loadModel("Output/Models/parity_LSTM.model");
console.log(`${model.nodeNames.length} nodes, of ${model.elementType}`);

// Nodes go by their full names, or by an ending that only one of them has. A parameter needs no data.
const [bias] = await model.evaluate(["arrayOfFunctions[1].b"], {}, 1);
console.log(bias.name, bias.shape, [...bias.samples[0]]);

// Values lie as CNTK keeps them: sample after sample, the first axis of each contiguous. Two samples of a bit, one-hot.
const [answer] = await model.evaluate(["z"], { bit: new Float32Array([1, 0, 0, 1]) }, 2);
answer.samples.forEach((scores, bit) => {
  console.log(`after the single bit ${bit}: ${scores[1] > scores[0] ? "odd" : "even"}`);
});
