import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import type * as browser from "../../src/browser.js";
import { loadModel as loadInNode } from "../../src/index.js";
import { writeModel } from "../../src/model-files/index.js";
import { nodeFiles } from "../../src/node/files.js";
import { modelOf, numbers } from "../exporters/exported-networks.js";
import { browserModule, builtProgram } from "../support/program.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/* The module for web pages, as it is built; here Node runs it. */

const fixture = (name: string): string => `test/fixtures/model-files/${name}.model`;
const problemOf = (work: Promise<unknown>): Promise<browser.CntkError> =>
  work.then(
    () => expect.fail("the work was expected to be refused"),
    (error: browser.CntkError) => error,
  );

describe("the module for web pages", () => {
  let path: string;
  let pages: typeof browser;
  beforeAll(async () => {
    path = await browserModule(builtProgram());
    pages = (await import(pathToFileURL(path).href)) as typeof browser;
  });
  const open = (name: string): browser.BrowserSession =>
    pages.loadModel(readFileSync(fixture(name)), { name: `${name}.model` });

  it("is one module that asks for no other, with the licence of what it holds", () => {
    const text = readFileSync(path, "utf8");
    expect(/\bimport\s*[({*]|\brequire\(|\bprocess\.|\bBuffer\./.test(text)).toBe(false);
    expect(text.includes("Gregor Mitscha-Baude")).toBe(true);
  });

  it("is as large as the README says, whole and gzipped", () => {
    const [, whole, packed] =
      /one ES module \((\d+) kB, (\d+) kB/.exec(readFileSync("README.md", "utf8")) ?? [];
    const bytes = readFileSync(path);
    expect(Math.abs(bytes.length / 1000 / Number(whole) - 1)).toBeLessThan(0.05);
    expect(Math.abs(gzipSync(bytes).length / 1000 / Number(packed) - 1)).toBeLessThan(0.05);
  });

  it("tells of inputs, outputs and nodes", () => {
    const { inputs, outputs, nodes } = open("07-float");
    expect(inputs).toEqual([
      {
        name: "features",
        operation: "InputValue",
        shape: [28, 28, 1],
        size: 784,
        perSample: true,
        inputs: [],
      },
    ]);
    expect(outputs.map(({ name, shape }) => [name, shape])).toEqual([["z", [28, 28, 1]]]);
    expect(nodes.find(({ name }) => name === "z.pool1")).toMatchObject({ shape: [7, 7, 1], perSample: true });
    expect(nodes.find(({ name }) => name === "z.conv1.W")).toMatchObject({ perSample: false });
  });

  it.each(["07-float", "07-double", "sequences-window", "sparse-clip", "dropout-recurrent"])(
    "computes of %s what Node's session does, every time",
    async (name) => {
      const session = open(name);
      const { inputs } = session;
      const given = Object.fromEntries(
        inputs.map(({ name: input, size }, index) => [
          input,
          [2, 5, 3].map((frames, i) => numbers(size * frames, 10 * index + i)),
        ]),
      );
      const names = session.outputs.map((output) => output.name);
      const values = await session.evaluate(names, given);
      expect(values[0]?.samples).toHaveLength(10);
      expect(values).toEqual(await loadInNode(fixture(name)).evaluate(names, given));
      expect(await session.evaluate(names, given)).toEqual(values);
      await session.dispose();
      expect(await session.evaluate(names, given)).toEqual(values);
    },
  );

  it("takes sequences as the text reader delivers them", async () => {
    const sequences = [2, 5, 3].map((frames, i) => numbers(3 * frames, i));
    const lines = sequences.flatMap((values, sequence) =>
      Array.from({ length: values.length / 3 }, (_, frame) => {
        const numbersOfFrame = values.subarray(3 * frame, 3 * frame + 3).join(" ");
        return `${sequence} |x ${numbersOfFrame}`;
      }),
    );
    const data = join(temporaryFolder(), "data.txt");
    writeFileSync(data, `${lines.join("\n")}\n`);
    const node = loadInNode(fixture("dropout-recurrent"), { backend: "reference" });
    const [expected] = await node.evaluateFile(["z"], nodeFiles(), data);
    const found = await open("dropout-recurrent").evaluate("z", { x: sequences });
    expect(found.samples).toHaveLength(10);
    found.samples.forEach((sample, i) => {
      sample.forEach((value, row) => expect(value).toBeCloseTo(expected!.samples[i]![row]!, 5));
    });
  });

  it("draws the same random numbers in every evaluation", async () => {
    const { model } = modelOf(`
      weights = Constant (1, rows = 50)
      r = new ComputationNode [ operation = 'RandomSample' ; inputs = weights ; sizeOfSampledSet = 6 ; allowDuplicates = false ; tag = '' ]
      outputNodes = (r)`);
    const bytes = writeModel(model);
    const session = pages.loadModel(bytes);
    const first = await session.evaluate("r");
    expect([...first.samples[0]!].reduce((sum, value) => sum + value, 0)).toBe(6);
    expect(await session.evaluate("r")).toEqual(first);
    expect(await pages.loadModel(bytes).evaluate("r")).toEqual(first);
  });

  it("answers questions that are asked at once", async () => {
    const session = open("07-double");
    const pictures = [0, 1, 2].map((start) => numbers(784, start).map((value) => 100 + 100 * value));
    const together = await Promise.all(pictures.map((features) => session.evaluate("z", { features })));
    for (const [i, features] of pictures.entries())
      expect(together[i]).toEqual(await open("07-double").evaluate("z", { features }));
  });

  it("says what is wrong with numbers and names", async () => {
    const session = open("07-float");
    const missing = await problemOf(session.evaluate("z", { feature: new Float32Array(784) }));
    expect(missing).toBeInstanceOf(pages.CntkError);
    expect(missing).toMatchObject({ code: "input-missing", diagnostic: { hint: "did you mean 'feature'?" } });
    const short = await problemOf(session.evaluate("z", { features: new Float32Array(700) }));
    expect(short.message).toBe("Input 'features' needs 784 values for each sample, got 700.");
    expect((await problemOf(session.evaluate("q", {}))).code).toBe("node-unknown");
    // What was refused stands in nobody's way.
    expect((await session.evaluate("z", { features: new Float32Array(784) })).samples).toHaveLength(1);
  });

  it("says where a file is broken", () => {
    const bytes = readFileSync(fixture("07-float"));
    expect(() => pages.loadModel(bytes.subarray(0, bytes.length / 2), { name: "half.model" })).toThrow(
      /half\.model.*byte/,
    );
    expect(() => pages.loadModel(new TextEncoder().encode("no model"), { name: "text" })).toThrow(/'?text'?/);
  });
});
