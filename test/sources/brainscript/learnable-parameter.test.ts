import { describe, expect, it } from "vitest";
import { SeedCounter } from "../../../src/sources/brainscript/index.js";
import { buildError, buildText, nodeNamed, pointedAt } from "../../support/build-text.js";

describe("initialization of a parameter", () => {
  it.each([
    ["{(2:3), initValue = 0.5}", { init: "fromValue", value: 0.5 }],
    ["{(2:3), init = 'zero'}", { init: "fromValue", value: 0 }],
    ["{(2:3), init = 'fixedValue', value = 0.125}", { init: "fromValue", value: 0.125 }],
    ["{(2:3)}", { init: "uniform", seed: 1, initValueScale: 1, initFilterRank: 0, initOutputRank: 1 }],
    [
      "{(2:3), init = 'heNormal', initValueScale = 5, randomSeed = 7}",
      { init: "heNormal", seed: 7, initValueScale: 5 },
    ],
    ["{(3:3:1:1), init = 'bilinear'}", { init: "bilinear" }],
    ["{(2:3), learningRateMultiplier = 0, initValue = 1}", { learningRateMultiplier: 0 }],
  ])("ParameterTensor %s", (call, attributes) => {
    const built = buildText(`{ W = ParameterTensor ${call} }`);
    expect(nodeNamed(built, "W").attributes).toMatchObject(attributes);
  });

  it.each([
    [
      "init = 'glorot'",
      "init must be one of the values of [ uniform | gaussian | fixedValue | fromFile | bilinear ]",
    ],
    ["initValue = (1:2)", "'initValue' for arrays not yet implemented"],
    ["initValue = 'one'", "LearnableParameter: 'initValue' must be an empty string or not a string."],
    ["initValue = true", "'initValue' must be numerical"],
    [
      "init = 'fromFile'",
      'initFromFilePath parameter must be provided when using "fromFile" initialization method',
    ],
    [
      "init = 'fromLiteral'",
      'initFromLiteral parameter must be provided when using "fromLiteral" initialization method',
    ],
    [
      "init = 'fromLiteral', initFromLiteral = '1 two'",
      "LoadMatrixFromTextFile: Malformed number 'two...' in row 0 of string literal",
    ],
  ])("refuses %s", (argument, message) => {
    expect(buildError(`{ W = ParameterTensor {(2:3), ${argument}} }`).message).toBe(message);
  });

  it("refuses a dimension that is not a whole number", () => {
    const error = buildError("{ x = Input {2} ; z = LinearLayer {-2} (x) }");
    expect(error.message).toBe(
      "expected expression of type size_t instead of floating-point value -2.000000",
    );
  });

  it("needs every parameter that CNTK's constructor asks for", () => {
    const error = buildError(
      "{ W = new ComputationNode [ operation = 'LearnableParameter' ; shape = 2 ; init = '' ; tag = '' ] }",
    );
    expect(error.message).toBe("required parameter 'initFromFilePath' not found");
  });
});

describe("seeds", () => {
  const text = `{
    x = Input {2} ; a = LinearLayer {3} (x) ; z = Sequential (LinearLayer {4} : LinearLayer {5}) (a)
    fixed = ParameterTensor {3, randomSeed = 40}
  }`;
  const seedsOf = (seeds: SeedCounter) =>
    Object.fromEntries(
      buildText(text, { seeds }).network.nodes.flatMap((node) =>
        node.attributes["seed"] && node.attributes["init"] !== "fromValue"
          ? [[node.name, node.attributes["seed"]]]
          : [],
      ),
    );

  it("count in the order of construction; constants and given seeds take none", () => {
    expect(seedsOf(new SeedCounter())).toEqual({
      "a.W": 1,
      "z.arrayOfFunctions[1].W": 2,
      "z.arrayOfFunctions[0].W": 3,
      fixed: 40,
    });
  });

  it("go on from network to network", () => {
    const seeds = new SeedCounter();
    seedsOf(seeds);
    expect(seedsOf(seeds)["a.W"]).toBe(4);
  });

  it("are all 1 with forceConstantRandomSeed", () => {
    expect(new Set(Object.values(seedsOf(new SeedCounter(true))))).toEqual(new Set([1]));
  });
});

describe("values from text", () => {
  it("one line per index of the first axis, the other axes along the line", () => {
    const built = buildText(
      "{ W = ParameterTensor {(2:3), init = 'fromLiteral', initFromLiteral = '1 2 3\n4 5 6\n'} }",
    );
    const W = nodeNamed(built, "W");
    expect(W.attributes).toMatchObject({ init: "", shape: [2, 3] });
    expect(built.network.values.get(W)).toEqual(Float64Array.of(1, 4, 2, 5, 3, 6));
  });

  it("in float precision they are float", () => {
    const built = buildText("{ W = ParameterTensor {(1), init = 'fromLiteral', initFromLiteral = '0.1'} }", {
      precision: "float",
    });
    expect(built.network.values.get(nodeNamed(built, "W"))).toEqual(Float32Array.of(0.1));
  });

  it.each([
    ["(0)", "1 2 3", [1, 3]],
    ["(0)", "1\n2\n3", [3]],
    ["(0:3)", "1 2 3\n4 5 6", [2, 3]],
    ["(2:0:3)", "1 2 3 4 5 6\n1 2 3 4 5 6", [2, 2, 3]],
  ])("fill unknown dimensions: %s", (dims, literal, shape) => {
    const built = buildText(
      `{ W = ParameterTensor {${dims}, init = 'fromLiteral', initFromLiteral = '${literal}'} }`,
    );
    expect(nodeNamed(built, "W").attributes["shape"]).toEqual(shape);
  });

  it.each([
    [
      "(2:0:0)",
      "1 2\n3 4",
      "operation's specified shape [2 x 0 x 0] cannot be inferred: Too many unknown dimensions.",
    ],
    [
      "(2:3:0)",
      "1 2\n3 4",
      "operation's specified shape [2 x 3 x 0] cannot be inferred: Tensor shape cannot hold a [2 x 2] matrix.",
    ],
    ["(2:2)", "1 2 3\n4 5 6", "VerifySize: expected matrix size 2 x 2, but it is 2 x 3"],
    [
      "(2:2)",
      "1 2\n3",
      "Row 1 has column dimension 1, inconsistent with previous dimension 2: string literal",
    ],
  ])("must fit: %s", (dims, literal, message) => {
    const error = buildError(
      `{ W = ParameterTensor {${dims}, init = 'fromLiteral', initFromLiteral = '${literal}'} }`,
    );
    expect(error.message).toContain(message);
  });

  it("of a file come through the file reader", () => {
    const built = buildText(
      "{ E = EmbeddingLayer {2, embeddingPath = 'e.txt'} ; x = Input {3} ; z = E (x) }",
      {
        readFile: (path) => (path === "e.txt" ? "1 2 3\n\n4 5 6\n" : ""),
      },
    );
    const E = nodeNamed(built, "E.E");
    expect(E.attributes).toMatchObject({ shape: [2, 3], learningRateMultiplier: 0 });
    expect(built.network.values.get(E)).toEqual(Float64Array.of(1, 4, 2, 5, 3, 6));
    expect(buildError("{ E = ParameterTensor {2, initFromFilePath = 'none.txt'} }").message).toBe(
      "error opening file 'none.txt': No such file or directory",
    );
  });
});

describe("the log at construction", () => {
  const text =
    "{ x = Input {(28:28:1)} ; z = ConvolutionalLayer {16, (5:5)} (x) ; b = ParameterTensor {0, initValue = 2} }";

  it("tells of parameters whose dimensions are not known yet", () => {
    expect(buildText(text).log).toBe(
      "Node '<placeholder>' (LearnableParameter operation): Initializating Parameter[0] as fromValue later when dimensions are fully known.\n" +
        "Node '<placeholder>' (LearnableParameter operation): Initializating Parameter[5 x 5 x 0 x 16] as glorotUniform later when dimensions are fully known.\n",
    );
  });

  it("is silent at trace level 0", () => {
    expect(buildText(text, { traceLevel: 0 }).log).toBe("");
  });

  it("is not lost when building fails", () => {
    let log = "";
    buildError(`{ a = ParameterTensor {0} ; b = Fail ('end') }`, {
      log: { write: (piece) => void (log += piece) },
    });
    expect(log).toContain("Parameter[0] as uniform later");
  });
});

describe("native classes", () => {
  it("an unknown operation is named, with the nearest one", () => {
    const error = buildError(
      "{ x = Input {2} ; z = new ComputationNode [ operation = 'Sigmiod' ; inputs = x ; tag = '' ] }",
    );
    expect(error.message).toBe("Attempted to instantiate undefined operation Sigmiod.");
    expect(error.diagnostic.hint).toBe("did you mean 'Sigmoid'?");
    expect(pointedAt(error)).toBe("new");
  });

  it("a wrong number of inputs", () => {
    const error = buildError(
      "{ x = Input {2} ; z = new ComputationNode [ operation = 'Plus' ; inputs = x ; tag = '' ] }",
    );
    expect(error.message).toBe("Expected 2 inputs, but 1 were given.");
  });

  it("case 47: dimensions are flattened", () => {
    expect(buildText("{ a = Print (new TensorShape [ dims = 1:(2:3):4 ]) }").log).toBe("1 x 2 x 3 x 4\n");
  });

  it.each([
    ["IntVector", "-1:2", "-1:2"],
    ["SizeVector", "1:(2:3)", "1:2:3"],
    ["BoolVector", "true", "true"],
  ])("%s", (name, items, text) => {
    expect(buildText(`{ a = Print (new ${name} [ items = ${items} ]) }`).log).toBe(`${text}\n`);
  });

  it("an input's dynamic axis may be given as a node", () => {
    const built = buildText("{ t = DynamicAxis () ; x = Input {2, dynamicAxis = t} }");
    expect(nodeNamed(built, "x").attributes["dynamicAxis"]).toBe("t");
  });
});
