import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportModel } from "../../src/actions/export-model.js";
import type { ModelSession } from "../../src/actions/model-session.js";
import { exportModelFile, loadModel } from "../../src/index.js";
import { writeModel } from "../../src/model-files/index.js";
import { browserIsHere, openBrowser } from "../support/browser.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { criteria, difference, feedForwardNetworks, modelOf, samplesFor } from "./exported-networks.js";
import { foundModels, sampleConfigs, trainedSample, writeDigits } from "./rescued-models.js";
import { bundles, loaderIsHere, loadGraph, signatureOf } from "./tensorflow.js";

/* Exported models in TensorFlow.js, in Node and in a browser, against our own backends. */

const folder = temporaryFolder();
const out = join(folder, "exported");

/** Differences of all outputs, for some numbers of samples, that are too large. */
async function tooFarInNode(model: ModelSession, counts: readonly number[]): Promise<string[]> {
  const graph = await loadGraph(out);
  const far: string[] = [];
  for (const count of counts) {
    const samples = samplesFor(model, graph.outputs, count);
    const given = Object.fromEntries([...samples].map(([name, { values }]) => [name, values]));
    const expected = await model.evaluate(graph.outputs, given, count);
    const found = graph.run(count, samples);
    expected.forEach(({ name, shape, samples: wanted }, index) => {
      const { dims, values } = found[index]!;
      const isForAll = model.shaped.facts.get(model.node(name))!.dynamicAxis === null;
      expect(dims).toEqual([...(isForAll ? [] : [count]), ...[...shape].reverse()]);
      const distance = difference(
        wanted.flatMap((sample) => [...sample]),
        values,
      );
      if (!(distance < 1e-5)) far.push(`${name}, ${count} samples: ${distance}`);
    });
  }
  return far;
}

describe.skipIf(!loaderIsHere)("networks in TensorFlow.js (skipped without its loader)", () => {
  it.each([...feedForwardNetworks, criteria])("$title", async ({ members, outputs }) => {
    const model = modelOf(members);
    const path = join(folder, "network.model");
    writeFileSync(path, writeModel(model.model));
    await exportModelFile(path, { format: "tfjs", out, outputs, backend: "reference" });
    expect(await tooFarInNode(model, [1, 7])).toEqual([]);
  });

  it.each(sampleConfigs)("%s, after a minibatch of training", async (config) => {
    writeDigits(folder);
    const path = await trainedSample(config, folder);
    await exportModelFile(path, { format: "tfjs", out });
    expect(await tooFarInNode(loadModel(path, { backend: "javascript" }), [1, 7])).toEqual([]);
  });

  it.skipIf(foundModels.length === 0).each(foundModels)(
    "$name (skipped without the corpus)",
    async ({ path }) => {
      await exportModelFile(path, { format: "tfjs", out });
      expect(await tooFarInNode(loadModel(path, { backend: "javascript" }), [2])).toEqual([]);
    },
  );
});

/** What a page with TensorFlow.js has. */
declare const tf: {
  loadGraphModel(
    url: string,
  ): Promise<{ execute(inputs: object, outputs: string[]): { data(): Promise<Float32Array> } }>;
  setBackend(name: string): Promise<boolean>;
  tensor(values: number[], dims: number[]): object;
};

describe.skipIf(!browserIsHere || !loaderIsHere)("models in a browser (skipped without one)", () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await openBrowser();
    page = await browser.newPage();
    await page.route("http://models.test/**", (route) => {
      const name = basename(new URL(route.request().url()).pathname);
      return name === "page"
        ? route.fulfill({ body: "<!doctype html><title>model</title>", contentType: "text/html" })
        : route.fulfill({ body: readFileSync(join(out, name)) });
    });
    await page.goto("http://models.test/page");
    for (const bundle of bundles ?? []) await page.addScriptTag({ path: bundle });
  });
  afterAll(() => browser?.close());

  async function expectSame(path: string): Promise<void> {
    await exportModelFile(path, { format: "tfjs", out });
    const model = loadModel(path, { backend: "javascript" });
    const [output = ""] = Object.keys(signatureOf(out));
    const samples = samplesFor(model, [output], 2);
    const given = Object.fromEntries([...samples].map(([name, { values }]) => [name, values]));
    const [expected] = await model.evaluate([output], given, 2);
    const feeds = [...samples].map(([name, { values, dims }]) => ({
      name,
      values: [...values],
      dims: [2, ...dims],
    }));
    const found = await page.evaluate(
      async ([inputs, wanted]) => {
        await tf.setBackend("cpu");
        const graph = await tf.loadGraphModel("http://models.test/model.json");
        const tensors = inputs.map(({ name, values, dims }) => [name, tf.tensor(values, dims)]);
        const result = graph.execute(Object.fromEntries(tensors) as object, [wanted]);
        return [...(await result.data())];
      },
      [feeds, output] as const,
    );
    expect(
      difference(
        expected!.samples.flatMap((sample) => [...sample]),
        found,
      ),
    ).toBeLessThan(1e-5);
  }

  it.each(sampleConfigs)("%s gives the same numbers", async (config) => {
    writeDigits(folder);
    await expectSame(await trainedSample(config, folder));
  });

  it.skipIf(foundModels.length === 0).each(foundModels)("$name gives the same numbers", ({ path }) =>
    expectSame(path),
  );
});

describe("an export to TensorFlow.js", () => {
  it("names a node without a counterpart, and what could take it", async () => {
    const model = modelOf(
      `x = Input {4} ; y = Input {4} ; e = ClassificationError (Hardmax (y), x, topN = 2) ; outputNodes = (e)`,
    );
    const request = { format: "tfjs", outputs: ["e"], opset: undefined, producerVersion: "test" } as const;
    await expect(exportModel(model, request)).rejects.toMatchObject({
      code: "export-operation",
      message: "Node 'e' has no counterpart in TensorFlow.js (its operation in ONNX would be TopK).",
      diagnostic: {
        hint: "--to onnx may take it; --output with nodes that do not need it leaves it out",
      },
    });
  });

  it("refuses recurrence by the node's name", async () => {
    const model = modelOf(`x = Input {3} ; h = RecurrentLSTMLayer {4} (x) ; outputNodes = (h)`);
    const request = { format: "tfjs", outputs: ["h"], opset: undefined, producerVersion: "test" } as const;
    await expect(exportModel(model, request)).rejects.toMatchObject({
      code: "export-operation",
      message: expect.stringContaining(
        "PastValue has no counterpart in a graph model of TensorFlow.js (node 'h.",
      ) as string,
    });
  });
});
