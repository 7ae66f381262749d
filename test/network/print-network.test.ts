import { describe, expect, it } from "vitest";
import { printNetwork } from "../../src/network/print-network.js";
import { networkFromBrainScript } from "../support/brainscript-network.js";

describe("explain --stage network", () => {
  it("lists nodes in evaluation order with inputs and attributes that are not the defaults", () => {
    const { network } = networkFromBrainScript(`
      x = Input {(4)}
      w = ParameterTensor {(2:4), init = 'gaussian', learningRateMultiplier = 0.5}
      z = Sigmoid (w * x)
      featureNodes = (x)
      outputNodes = (z)`);
    const lines = printNetwork(network)
      .split("\n")
      .map((line) => line.replace(/ +/g, " "));
    expect(lines.slice(0, 2)).toEqual(["4 nodes", ""]);
    expect(lines[2]).toMatch(/^w = LearnableParameter \(\) .*learningRateMultiplier=0\.5/);
    expect(lines[2]).toMatch(/shape=2 x 4/);
    expect(lines[2]).not.toMatch(/initValueScale/);
    expect(lines[3]).toBe("x = InputValue () shape=4");
    expect(lines[4]).toMatch(/^z\.\S+ = Times \(w, x\)/);
    expect(lines[5]).toMatch(/^z = Sigmoid \(z\.\S+\)$/);
    expect(lines).toContain("feature: x");
    expect(lines).toContain("output: z");
  });
});
