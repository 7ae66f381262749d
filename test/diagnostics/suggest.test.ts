import { describe, expect, it } from "vitest";
import { didYouMean, suggest } from "../../src/diagnostics/index.js";

describe("suggest", () => {
  const names = ["ReLU", "Sigmoid", "ConvolutionalLayer", "DenseLayer", "Input", "z"];
  it.each([
    ["Relu", "ReLU"],
    ["Sigmiod", "Sigmoid"],
    ["ConvolutionLayer", "ConvolutionalLayer"],
    ["Imput", "Input"],
    ["Z", "z"],
  ])("finds the neighbour of %s", (word, expected) => {
    expect(suggest(word, names)).toBe(expected);
  });
  it.each(["Tanh", "q", "Pooling", ""])("says nothing for %s", (word) => {
    expect(suggest(word, names)).toBeUndefined();
  });
  it("prefers the nearest", () => {
    expect(suggest("epochSiz", ["epochSizes", "epochSize"])).toBe("epochSize");
  });
  it("words the hint", () => {
    expect(didYouMean("Relu", names)).toBe("did you mean 'ReLU'?");
    expect(didYouMean("Tanh", names)).toBeUndefined();
  });
});
