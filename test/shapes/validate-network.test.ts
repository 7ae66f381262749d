import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { AxisNames, printShapes, validateNetwork } from "../../src/shapes/index.js";
import { networkFromBrainScript } from "../support/brainscript-network.js";
import {
  recordedCompiles,
  recordedModels,
  validateAgain,
  validateModel,
} from "../support/recorded-models.js";
import { validateWithLog } from "../support/validate-with-log.js";

describe("the validation block, against logs of CNTK 2.0 (CPU build)", () => {
  it.each(recordedModels)("%s: virgin network, character for character", (...model) => {
    expect(validateModel(model).log).toBe(recordedCompiles(model).train.text);
  });

  it.each(recordedModels)("%s: network from a model file, on the next axis", (...model) => {
    const axisNames = new AxisNames();
    const { shaped } = validateModel(model, axisNames);
    expect(validateAgain(shaped, axisNames).log).toBe(recordedCompiles(model).test.text);
  });
});

/** Validates BrainScript; returns what was printed, and the error if there was one. */
function validate(members: string, traceLevel = 1): { log: string; error?: CntkError } {
  const { network } = networkFromBrainScript(members, { traceLevel });
  let log = "";
  const sink = { write: (text: string) => void (log += text) };
  try {
    validateNetwork(network, { traceLevel, axisNames: new AxisNames(), elementType: "double", sink });
    return { log };
  } catch (error) {
    if (error instanceof CntkError) return { log, error };
    throw error;
  }
}

describe("networks that do not fit", () => {
  const clash = `
    a = Input {(2)}
    b = Input {(3)}
    z = a + b
    outputNodes = (z)`;

  it("says which node, where it was written, and what it was given", () => {
    const { log, error } = validate(clash);
    expect(log).toContain("Validating --> z = Plus (a, b) : [2 x *], [3 x *] -> [2 x *] FAILED\n");
    expect(error?.message).toBe(
      "Node 'z' (Plus operation): Input dimensions [2] and [3] are not compatible.",
    );
    const span = error?.diagnostic.span;
    expect(span && span.source.text.slice(span.start, span.end)).toMatch(/\+|a \+ b/);
    expect(error?.diagnostic.hint).toMatch(/2.*3/);
  });

  it("prints the FAILED line at trace level 0 too, and nothing else", () => {
    expect(validate(clash, 0).log).toBe(
      "Validating --> z = Plus (a, b) : [2 x *], [3 x *] -> [2 x *] FAILED\n",
    );
  });

  it("stops in the first pass where CNTK does", () => {
    const { log, error } = validate(`
      x = Input {(2:1:1)}
      z = MaxPoolingLayer {(3:3)} (x)
      outputNodes = (z)`);
    expect(log).toMatch(/Validating --> z = Pooling \(x\) : \[2 x 1 x 1 x \*\] -> \[\] FAILED\n$/);
    expect(error?.message).toBe("Convolution operation requires that kernel dim 3 <= input dim 2.");
  });

  it("finds a parameter whose dimensions nothing tells", () => {
    const { error } = validate(`
      x = Input {(2)}
      w = ParameterTensor {(0)}
      z = x
      outputNodes = (z : w)`);
    expect(error?.message).toBe("w operation has 0 elements");
    expect(error?.diagnostic.hint).toMatch(/could not be inferred/);
  });
});

describe("trace level 0", () => {
  it("still tells of inferred shapes", () => {
    const { log } = validate(
      `
      x = Input {(2)}
      z = LinearLayer {3} (x)
      outputNodes = (z)`,
      0,
    );
    expect(log).toMatch(
      /^Node '.*W' \(LearnableParameter operation\) operation: Tensor shape was inferred as \[3 x 2\]\.\n$/,
    );
  });
});

describe("a second compile of the same network", () => {
  it("keeps shapes but finds dynamic axes anew, so constants settle in the first pass", () => {
    const axisNames = new AxisNames();
    const { network } = networkFromBrainScript(`
      x = Input {(2)}
      c = Constant (2) + Constant (3)
      z = c .* x
      outputNodes = (z)`);
    const options = { traceLevel: 1, axisNames, elementType: "double" as const };
    const first = validateWithLog(network, options);
    const second = validateWithLog(network, { ...options, previous: first.shaped });
    expect(first.log).toContain("2 nodes to process in pass 2.");
    expect(second.log).toContain("1 nodes to process in pass 2.");
    expect(second.log).toContain("z = ElementTimes (c, x) : [1 x 1], [2 x *] -> [2 x 1 x *]\n");
    expect(second.shaped.defaultAxis).toBe(first.shaped.defaultAxis);
  });

  it("does not tell again which engine normalizes", () => {
    const { network } = networkFromBrainScript(
      "z = BatchNormalizationLayer {} (Input {2})\noutputNodes = (z)",
    );
    const options = { traceLevel: 1, axisNames: new AxisNames(), elementType: "double" as const };
    const first = validateWithLog(network, options);
    const second = validateWithLog(network, { ...options, previous: first.shaped });
    expect(first.log).toContain("Using CNTK batch normalization engine.\n");
    expect(second.log).not.toContain("engine");
  });
});

describe("explain --stage shapes", () => {
  it("shows the way of the auto-encoder's picture: 28x28, 7x7, 28x28", () => {
    const table = printShapes(validateModel(["07", "07_Deconvolution_BS"]).shaped);
    expect(table).toMatch(/z\.pool1 +Pooling +\[28 x 28 x 1 x \*\] +→ +\[7 x 7 x 1 x \*\]\n/);
    expect(table).toMatch(/z\.unpool1 +MaxUnpooling .*→ +\[28 x 28 x 1 x \*\]\n/);
    expect(table).toContain("(51 values to learn in 3 tensors)");
  });
});
