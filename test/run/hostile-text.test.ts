import { describe, expect, it } from "vitest";
import { checkConfig, runConfig } from "../../src/api-run.js";
import { renderDiagnostic } from "../../src/diagnostics/render.js";
import { CntkError, type Diagnostic } from "../../src/diagnostics/diagnostic.js";
import { memoryFiles } from "../support/memory-files.js";

/*
 * Configurations that ask for more than there is: each is refused with the place and the limit, and no work is done for it.
 */

const quiet = { write: () => undefined };

async function refusal(
  text: string,
  run: typeof runConfig = checkConfig,
  data = "|x 1 2 |y 0 1\n",
): Promise<Diagnostic> {
  const files = memoryFiles(
    new Map([
      ["/net.cntk", text],
      ["/data.txt", data],
    ]),
  );
  try {
    await run(["configFile=/net.cntk"], { files, log: quiet, output: quiet, backend: "javascript" });
  } catch (error) {
    if (error instanceof CntkError) return error.diagnostic;
    throw error;
  }
  throw new Error("nothing was refused");
}

const whole = (network: string, sgd = "", root = ""): string => `command = train
${root}
train = [
  action = "train" ; modelPath = "/m.dnn"
  BrainScriptNetworkBuilder = {
    x = Input {2} ; y = Input {2}
${network}
    error = SquareError (y, x .* ParameterTensor {2})
    featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (error)
  }
  SGD = [ maxEpochs = 1 ; minibatchSize = 1 ; learningRatesPerSample = 0.01
${sgd}
  ]
  reader = [ readerType = "CNTKTextFormatReader" ; file = "/data.txt" ; input = [
    x = [ dim = 2 ; format = "dense" ] ; y = [ dim = 2 ; format = "dense" ] ] ]
]
`;

/** Definitions of which each is twice the one before. */
const doubled = (first: string, twice: (name: string) => string, times = 60): string =>
  [`a0 = ${first}`, ...Array.from({ length: times }, (_, i) => `a${i + 1} = ${twice(`a${i}`)}`)].join("\n");

/** What the user is shown: the lines of the configuration among it, mark and all. */
const shown = (diagnostic: Diagnostic): string => renderDiagnostic(diagnostic);

describe("values of BrainScript without measure", () => {
  it.each([
    ["texts that double", doubled("'ab'", (a) => `${a} + ${a}`), "text-too-long"],
    ["replacements that double", doubled("'ab'", (a) => `Replace (${a}, 'a', ${a})`), "text-too-long"],
    [
      "arrays that double",
      `${doubled("(1 : 2)", (a) => `(${a} : ${a})`)}\nz = Input {a60}`,
      "array-too-long",
    ],
    [
      "empty arrays that double",
      `${doubled("BS.Constants.None", (a) => `(${a} : ${a})`)}\nz = Input {a60}`,
      "array-too-long",
    ],
    [
      "texts of records that double",
      `${doubled("[ m = 1 ]", (a) => `[ m = ${a} ; n = ${a} ]`)}\nz = Format (a60, '')`,
      "text-too-long",
    ],
    ["a record that holds itself", "r = [ m = r ; n = r ]\nz = Format (r, '')", "nested-too-deeply"],
    ["an array of 10^9 elements", "z = Length (array [0..1e9] (i => i))", "array-too-long"],
    ["a layer stack of 10^9", "z = LayerStack {1e9, i => Tanh} (x)", "array-too-long"],
    ["1000 decimals", "z = Format (1.5, '.1000')", "format-string"],
    ["a width of 10^12", "z = Format (1, '1000000000000')", "format-string"],
    ["a width beyond all numbers", `z = Format (1, '${"9".repeat(400)}')`, "format-string"],
    ["10^9 repetitions", "z = Input {Repeat (1e9, 1)}", "array-too-long"],
    ["a function without end", "f (n) = f (n + 1) + 1\nz = Constant (f (0))", "nested-too-deeply"],
    [
      "functions that call each other",
      "f (n) = g (n + 1)\ng (n) = f (n)\nz = Constant (f (0))",
      "nested-too-deeply",
    ],
    ["records without end", "r (n) = { m = r (n + 1).m }\nz = Constant (r (0).m)", "nested-too-deeply"],
    ["arrays without end", "r (n) = (n : r (n + 1))\nz = Input {r (1)}", "array-too-long"],
  ])("%s", async (_, network, code) => {
    const diagnostic = await refusal(whole(`${network}\n`));
    expect(diagnostic.code).toBe(code);
    expect(shown(diagnostic)).toContain("/net.cntk:");
  });

  it("10^4 repetitions are no dimensions of a tensor", async () => {
    expect((await refusal(whole("z = Input {Repeat (1e4, 1)}"))).message).toMatch("a tensor of 10000 axes");
  });

  it.each([
    ["a new axis", "z = Splice ((x : x), axis = 1e9)"],
    ["an axis to exchange", "z = TransposeDimensions (x, 1, 1e9)"],
  ])("%s far away", async (_, network) => {
    const diagnostic = await refusal(whole(`${network}\n`));
    expect(diagnostic.code).toBe("shape-too-large");
    expect(shown(diagnostic)).toMatch(/no axis 1000000000[^]*\/net.cntk:/);
  });

  it.each([
    ["NaN as a dimension", "z = Input {0 / 0}"],
    ["NaN as an index", "z = (1 : 2)[0 / 0]"],
    ["NaN as a bound", "z = Length (array [0..0 / 0] (i => i))"],
    ["infinity as a dimension", "z = Input {1 / 0}"],
    ["NaN as the size of a parameter", "z = ParameterTensor {(0 / 0 : 2)}"],
    ["a dimension beyond 2^53", "z = ParameterTensor {1e300}"],
    ["NaN as a seed", "z = ParameterTensor {2, randomSeed = 0 / 0}"],
    ["NaN as an axis", "z = Slice (0, 1, x, axis = 0 / 0)"],
    ["NaN as a time step", "z = PastValue (2, x, timeStep = 0 / 0)"],
    ["NaN as a number of characters", "z = Substr ('abc', 0 / 0, 1)"],
    ["NaN as a stride", "z = MaxPoolingLayer {(2:2), stride = 0 / 0} (Input {(4:4:1)})"],
  ])("%s", async (_, network) => {
    const diagnostic = await refusal(whole(`${network}\n`));
    expect(shown(diagnostic)).toContain("/net.cntk:");
    expect(diagnostic.code).not.toBe("internal");
  });
});

describe("parameters beyond memory", () => {
  it.each([
    ["(1e5 : 1e6)", checkConfig],
    ["(4294967295 : 4294967295)", checkConfig],
    ["(1e5 : 1e6)", runConfig],
    ["(1e9 : 4)", runConfig],
  ])("of %s", async (dims, run) => {
    const network = `p = ParameterTensor {${dims}}\nz = SumElements (p .* p)\noutputNodes = (z)`;
    const diagnostic = await refusal(whole(network), run);
    expect(diagnostic.code).toMatch(/needs-too-much-memory|shape-too-large/);
    expect(shown(diagnostic)).toContain("p = ParameterTensor");
  });
});

describe("variables without measure", () => {
  const chain = (count: number, value: (name: string) => string): string =>
    ["a0 = x", ...Array.from({ length: count }, (_, i) => `a${i + 1} = ${value(`$a${i}$`)}`)].join("\n");

  it.each([
    ["10,000 in one another", chain(10_000, (name) => name), "variables-nested"],
    ["doubled at each step", chain(60, (name) => `${name}${name}`), "variables-nested"],
    [
      "nothing, doubled at each step",
      chain(60, (name) => `"${name}${name}"`).replace("a0 = x", 'a0 = ""'),
      "variables-nested",
    ],
    [
      "a long one many times",
      `a0 = ${"x".repeat(10_000)}\na10000 = ${"$a0$".repeat(10_000)}`,
      "text-too-long",
    ],
  ])("%s", async (_, variables, code) => {
    const last = /a10000 /.test(variables) ? "a10000" : "a60";
    const diagnostic = await refusal(whole("", `numMBsToShowResult = $${last}$`, variables));
    expect(diagnostic.code).toBe(code);
    expect(shown(diagnostic)).toContain("/net.cntk:");
  });

  it.each([
    ["minibatchSize", 'minibatchSize = ""'],
    ["dropoutRate", 'dropoutRate = ""'],
    ["batchNormalizationTimeConstant", 'batchNormalizationTimeConstant = ""'],
  ])("no value where %s needs one", async (key, sgd) => {
    const text = whole("").replace("minibatchSize = 1", "").replace("SGD = [", `SGD = [ ${sgd} ;`);
    const diagnostic = await refusal(text, runConfig);
    expect(diagnostic.code).toBe("missing-key");
    expect(diagnostic.message).toContain(key);
  });

  it("an array repeated 10^9 times", async () => {
    const text = whole("", "momentumPerMB = 0.9*1000000000");
    expect((await refusal(text)).code).toBe("array-too-long");
  });
});

describe("words that every object of JavaScript has", () => {
  const words = ["constructor", "__proto__", "toString", "hasOwnProperty"];
  it.each(
    words.flatMap((word) => [
      [word, "gradUpdateType", whole("", `gradUpdateType = ${word}`)],
      [word, "action", whole("").replace('action = "train"', `action = "${word}"`)],
      [word, "readerType", whole("").replace("CNTKTextFormatReader", word)],
      [word, "format", whole("").replace('format = "dense"', `format = "${word}"`)],
      [word, "precision", whole("", "", `precision = ${word}`)],
      [word, "init", whole(`z = ParameterTensor {2, init = '${word}'}`)],
      [word, "operation", whole(`z = new ComputationNode [ operation = '${word}' ; inputs = x ]`)],
      [word, "class", whole(`z = new ${word} [ ]`)],
      [word, "function", whole(`z = ${word} (x)`)],
      [word, "member", whole(`r = [ a = 1 ]\nz = Constant (r.${word})`)],
      [word, "argument", whole(`z = DenseLayer {2, ${word} = 1} (x)`)],
      [word, "learningRate", whole("", `autoAdjust = [ autoAdjustLR = ${word} ]`)],
      [
        word,
        "reductionOp",
        whole(
          `z = new ComputationNode [ operation = 'ReduceElements' ; inputs = x ; reductionOp = '${word}' ; axis = 0 ]`,
        ),
      ],
    ]),
  )("%s as %s", async (_word, _where, text) => {
    expect((await refusal(text)).code).not.toBe("internal");
  });
});
