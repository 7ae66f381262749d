import { describe, expect, it } from "vitest";
import { fillTruncatedNormal, fillUniform } from "../../src/numerics/distributions.js";
import type { Initialization } from "../../src/numerics/initial-values.js";
import { describeInitialization, initialValues } from "../../src/numerics/initial-values.js";

/** Values printed by C++ with Boost 1.60: floats with 9, doubles with 17 digits. */
function expectFirst(options: Initialization, expected: string): void {
  const values = initialValues(options);
  const digits = options.elementType === "float" ? 9 : 17;
  const words = expected.split(" ");
  const printed = words.map((_, i) => Number((values[i] as number).toPrecision(digits)));
  expect(printed).toEqual(words.map(Number));
}

const convolution = {
  init: "glorotUniform",
  shape: [5, 5, 1, 1],
  filterRank: 2,
  outputRank: -1,
  seed: 2,
} as const;

describe("initialValues", () => {
  it("gives CNTK's convolution weights in float", () => {
    expectFirst(
      { ...convolution, elementType: "float" },
      "0.279625058 0.242650688 0.196636558 0.294668317 -0.171193361 -0.252265692 -0.190843835 -0.277370393 -0.331107318 0.128755718",
    );
    const values = initialValues({ ...convolution, elementType: "float" });
    expect(values.length).toBe(25);
    expect((values[24] as number).toPrecision(9)).toBe("0.191614211");
  });

  it("gives CNTK's convolution weights in double", () => {
    expectFirst(
      { ...convolution, elementType: "double" },
      "0.27962507180294327 0.24265071535683513 0.19663658652174609 0.2946683306910981 -0.17119336320561226",
    );
  });

  it("gives CNTK's weights of the transposed convolution", () => {
    expectFirst(
      {
        init: "glorotUniform",
        shape: [5, 5, 1, 1],
        filterRank: 0,
        outputRank: 1,
        initValueScale: 0.001,
        seed: 1,
        elementType: "float",
      },
      "-0.000567195879 -0.000563275826 -7.55775254e-05 -0.000742026081 -0.000230987673",
    );
  });

  it.each([
    [1, "-0.0366123356 -0.0363592952 -0.00487850979 -0.0478975773 -0.0149101876"],
    [2, "0.0403604023 0.035023611 0.0283820443"],
    [3, "0.00587660074 -0.0304236244 0.00902412459"],
  ])("gives CNTK's uniform weights of seed %i", (seed, expected) => {
    expectFirst({ init: "uniform", shape: [50, 2], seed, elementType: "float" }, expected);
  });

  it("takes 0.05 as a float also in double", () => {
    expectFirst(
      { init: "uniform", shape: [50, 2], seed: 1, elementType: "double" },
      "-0.036612336144313043 -0.03635929690517601 -0.0048785096882416404",
    );
  });

  it("gives CNTK's normal numbers", () => {
    expectFirst(
      { init: "normal", shape: [6], outputRank: 0, seed: 1, elementType: "float" },
      "-0.227702186 -0.259377241 -0.612818599 -0.0302468278 -0.737788856 1.7794683",
    );
    expectFirst(
      { init: "normal", shape: [6], outputRank: 0, seed: 1, elementType: "double" },
      "-0.22770229850701265 -0.25937725029558445 -0.61281862908331552",
    );
    // Fans of 25 and 25 make a deviation of 0.2.
    expectFirst(
      { ...convolution, init: "glorotNormal", elementType: "float" },
      "-0.346668988 0.309648007 0.366447836 0.400833815 -0.0680155307",
    );
  });

  it("knows constants and bilinear filters", () => {
    expect([...initialValues({ init: "fromValue", value: -0, shape: [1], elementType: "double" })]).toEqual([
      0,
    ]);
    expect([...initialValues({ init: "fromValue", value: 0.1, shape: [2], elementType: "float" })]).toEqual([
      Math.fround(0.1),
      Math.fround(0.1),
    ]);
    expect([...initialValues({ init: "zero", shape: [2, 1], elementType: "double" })]).toEqual([0, 0]);
    const bilinear = initialValues({ init: "bilinear", shape: [3, 3, 2, 2], elementType: "float" });
    const kernel = [0.25, 0.5, 0.25, 0.5, 1, 0.5, 0.25, 0.5, 0.25];
    const nothing = kernel.map(() => 0);
    expect([...bilinear]).toEqual([...kernel, ...nothing, ...nothing, ...kernel]);
  });

  it("refuses unknown initializers and ranks beyond the shape", () => {
    expect(() => initialValues({ init: "toString", shape: [1], seed: 1, elementType: "float" })).toThrow(
      "unknown initialization 'toString'",
    );
    expect(() => initialValues({ ...convolution, shape: [5, 5], elementType: "float" })).toThrow(
      "InitRandom: initFilterRank=2 and initOutputRank=-1 exceeds sampleLayout rank 2",
    );
  });
});

describe("describeInitialization", () => {
  it("finds fans and range of convolutions and of dense layers", () => {
    const float = "float" as const;
    expect(describeInitialization({ ...convolution, elementType: float })).toEqual({
      fanOut: 25,
      fanIn: 25,
      range: 0.3464101552963257,
    });
    const transposed = {
      ...convolution,
      filterRank: 0,
      outputRank: 1,
      initValueScale: 0.001,
      elementType: float,
    };
    const { fanOut, fanIn, range } = describeInitialization(transposed);
    expect([fanOut, fanIn, range.toPrecision(9)]).toEqual([5, 5, "0.000774596701"]);
    expect(describeInitialization({ init: "heNormal", shape: [200, 784], elementType: "double" })).toEqual({
      fanOut: 200,
      fanIn: 784,
      range: Math.sqrt(2 / 784),
    });
  });
});

describe("distributions", () => {
  it("draws again where rounding reaches the upper end", () => {
    // A width of one unit in the last place rounds half of all draws up to `high`.
    const low = 1;
    const high = 1 + 2 ** -23;
    const values = new Float32Array(100);
    fillUniform(values, low, high, 1);
    expect(values.every((value) => value === low)).toBe(true);
  });

  it("keeps truncated normal numbers within two deviations", () => {
    const values = new Float64Array(20000);
    fillTruncatedNormal(values, 1, 0.5, 4);
    expect(Math.max(...values)).toBeLessThanOrEqual(2);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean - 1)).toBeLessThan(0.01);
  });

  it("has the tails of a normal distribution", () => {
    const count = 200000;
    const values = initialValues({
      init: "normal",
      shape: [count],
      outputRank: 0,
      seed: 9,
      elementType: "double",
    });
    const beyond = values.filter((value) => Math.abs(value) > 3.4426198558966523).length;
    // 2·(1 - Φ(3.4426)) = 0.000576: 115 expected, deviation 11.
    expect(Math.abs(beyond - 115)).toBeLessThan(45);
    const variance = Array.from(values).reduce((sum, value) => sum + value * value, 0) / count;
    expect(Math.abs(variance - 1)).toBeLessThan(0.015);
  });
});
