import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../../src/index.js";
import { writeModel } from "../../src/model-files/index.js";
import { difference, modelOf, numbers } from "../exporters/exported-networks.js";
import { browserIsHere, openBrowser } from "../support/browser.js";
import { checkoutOf } from "../support/checkout.js";
import { browserModule, builtProgram } from "../support/program.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/* The page of examples/browser in a browser, beside what Node computes. */

/** What the page tells of an evaluation. */
interface Evaluated {
  readonly layer: string;
  readonly pixels: readonly number[];
  readonly encoding: readonly number[];
  readonly reconstruction: readonly number[];
  readonly error: number;
}

const fixture = (name: string): string => join(process.cwd(), `test/fixtures/model-files/${name}.model`);

describe.skipIf(!browserIsHere)("the auto-encoder's page (skipped without a browser)", () => {
  let checkout: string;
  let browser: Browser;
  let page: Page;
  let server: ChildProcess | undefined;
  let wrong: string[];
  beforeAll(async () => {
    const program = builtProgram();
    await browserModule(program);
    checkout = checkoutOf(program);
    browser = await openBrowser();
  });
  afterEach(() => server?.kill());
  afterAll(() => browser?.close());

  /** Opens the page of a server with this model; everything that goes wrong is kept, and what was evaluated last. */
  async function open(model: string): Promise<void> {
    server = spawn(process.execPath, ["examples/browser/serve.mjs", model], {
      cwd: checkout,
      env: { ...process.env, PORT: "0" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const address = await new Promise<string>((found) => {
      server?.stdout?.on("data", (data: Buffer) => found(data.toString().trim()));
    });
    await page?.close();
    page = await browser.newPage({ viewport: { width: 1150, height: 720 } });
    wrong = [];
    page.on("pageerror", (error) => wrong.push(String(error)));
    await page.addInitScript(`document.addEventListener("evaluated", ({ detail }) => {
      const plain = (value) => (ArrayBuffer.isView(value) ? [...value] : value);
      globalThis.last = Object.fromEntries(Object.entries(detail).map(([key, value]) => [key, plain(value)]));
    })`);
    await page.goto(address);
  }

  /** What was evaluated for the picture that is drawn now. */
  async function evaluated(): Promise<Evaluated> {
    const isUpToDate = `(() => {
      const canvas = document.getElementById("drawing");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return globalThis.last?.layer === document.getElementById("layer").value
        && last.pixels.every((pixel, i) => pixel === data[4 * i]);
    })()`;
    await page.waitForFunction(isUpToDate);
    return page.evaluate<Evaluated>("globalThis.last");
  }

  /** Draws a line of the mouse between two places, in pixels of the picture. */
  async function line(...places: readonly (readonly [x: number, y: number])[]): Promise<void> {
    const { x, y, width, height } = (await page.locator("#drawing").boundingBox())!;
    const at = ([column, row]: readonly [number, number]) =>
      [x + (column * width) / 28, y + (row * height) / 28] as const;
    await page.mouse.move(...at(places[0]!));
    await page.mouse.down();
    for (const place of places.slice(1)) await page.mouse.move(...at(place), { steps: 5 });
    await page.mouse.up();
  }

  /** What Node makes of the pixels. */
  async function expected(model: string, layer: string, pixels: readonly number[]): Promise<number[][]> {
    const values = await loadModel(fixture(model)).evaluate([layer, "z", "rmse"], { features: pixels });
    return values.map(({ samples }) => [...samples[0]!]);
  }

  const pixelOf = (canvas: string, column: number, row: number): Promise<number[]> =>
    page.evaluate(
      `[...document.querySelector("${canvas}").getContext("2d").getImageData(${column}, ${row}, 1, 1).data]`,
    );

  it("draws with the mouse, and shows what Node computes of the same pixels", async () => {
    await open(fixture("07-float"));
    expect(await evaluated()).toMatchObject({ layer: "z.pool1", pixels: new Array(784).fill(0) });
    await line([10, 5], [10, 22]);
    const { pixels, encoding, reconstruction, error } = await evaluated();
    // A stroke down the picture, a little more than two pixels wide: the first axis is that of columns.
    const bright = pixels.flatMap((level, place) =>
      level === 255 ? [[place % 28, Math.floor(place / 28)]] : [],
    );
    expect(new Set(bright.map(([column]) => column))).toEqual(new Set([9, 10]));
    expect(bright.map(([, row]) => row)).toContain(20);
    expect(pixels.filter((_, place) => Math.abs((place % 28) - 9.5) > 2).every((level) => level === 0)).toBe(
      true,
    );
    const [nodeEncoding, nodeReconstruction, nodeError] = await expected("07-float", "z.pool1", pixels);
    expect(encoding).toHaveLength(49);
    expect(encoding).toEqual(nodeEncoding);
    expect(reconstruction).toEqual(nodeReconstruction);
    expect([error]).toEqual(nodeError);
    const brightest = reconstruction.indexOf(Math.max(...reconstruction));
    const level = Math.round(255 * reconstruction[brightest]!);
    expect(level).toBeGreaterThan(0);
    expect(await pixelOf("#reconstruction", brightest % 28, Math.floor(brightest / 28))).toEqual([
      level,
      level,
      level,
      255,
    ]);
    expect(await page.locator("#milliseconds").innerText()).toMatch(/^\d+\.\d ms$/);
    expect(await page.locator("#error").innerText()).toBe(error.toFixed(3));
    expect(wrong).toEqual([]);
  });

  it("gives Node's values to the bit in double, in a page that is not isolated", async () => {
    await open(fixture("07-double"));
    await evaluated();
    await page.keyboard.press("3");
    const { pixels, encoding, reconstruction, error } = await evaluated();
    expect(pixels.reduce((sum, level) => sum + level, 0)).toBeGreaterThan(20 * 255);
    expect([encoding, reconstruction, [error]]).toEqual(await expected("07-double", "z.pool1", pixels));
    expect(await page.evaluate("crossOriginIsolated || typeof SharedArrayBuffer !== 'undefined'")).toBe(
      false,
    );
  });

  it("shows the feature maps of any layer, and which number the mouse is on", async () => {
    await open(fixture("07-float"));
    await evaluated();
    await page.click("text=5");
    await page.selectOption("#layer", "z.conv1.res");
    const { pixels, encoding } = await evaluated();
    const [maps] = await expected("07-float", "z.conv1.res", pixels);
    expect(encoding).toEqual(maps);
    const tile = page.locator("#tiles canvas");
    expect(await tile.count()).toBe(1);
    expect([await tile.getAttribute("width"), await tile.getAttribute("height")]).toEqual(["28", "28"]);
    const { x, y, width, height } = (await tile.boundingBox())!;
    const [column, row] = [12, 7];
    await page.mouse.move(x + ((column + 0.5) * width) / 28, y + ((row + 0.5) * height) / 28);
    expect(await page.locator("#pointed").innerText()).toBe(
      `map 1, column 13, row 8: ${encoding[row * 28 + column]!.toFixed(3)}`,
    );
    await page.keyboard.press("c");
    expect((await evaluated()).pixels.every((level) => level === 0)).toBe(true);
    expect(wrong).toEqual([]);
  });

  it("says what is wrong with a file, and goes on with the model that it has", async () => {
    await open(fixture("07-float"));
    await evaluated();
    const half = readFileSync(fixture("07-float"));
    const folder = temporaryFolder();
    const choose = async (name: string, bytes: Uint8Array): Promise<string> => {
      writeFileSync(join(folder, name), bytes);
      await page.evaluate(`document.getElementById("problem").textContent = ""`);
      await page.setInputFiles("#file", join(folder, name));
      await page.waitForFunction(`document.getElementById("problem").textContent !== ""`);
      return page.locator("#problem").innerText();
    };
    const broken = await choose("half.model", half.subarray(0, half.length / 2));
    expect(broken).toMatch(/^'half\.model' cannot be used\. .*byte/);
    expect(broken).not.toMatch(/\.js|\n|Error/);
    expect(await choose("text.model", new TextEncoder().encode("no model"))).toContain(
      "'text.model' cannot be used.",
    );
    expect(await choose("recurrent.model", readFileSync(fixture("dropout-recurrent")))).toContain(
      "It takes x [3] and gives z [2]; this page needs a grey picture",
    );
    expect(await page.locator("#model").innerText()).toBe("07-float.model");
    await page.keyboard.press("8");
    const { pixels, reconstruction } = await evaluated();
    const [, nodeReconstruction] = await expected("07-float", "z.pool1", pixels);
    expect(reconstruction).toEqual(nodeReconstruction);
    await page.setInputFiles("#file", fixture("07-double"));
    await page.waitForFunction(`document.getElementById("model").textContent === "07-double.model"`);
    expect(await page.locator("#problem").isVisible()).toBe(false);
    expect(wrong).toEqual([]);
  });

  it("asks for a file where there is no model", async () => {
    await open(join(checkout, "none.model"));
    await page.waitForSelector("#problem:visible");
    expect(await page.locator("#problem").innerText()).toContain("`npm start` trains one");
    await page.setInputFiles("#file", fixture("07-float"));
    expect((await evaluated()).layer).toBe("z.pool1");
    expect(wrong).toEqual([]);
  });

  /** Values of a model's outputs in the page, by the module alone. */
  function inPage(
    bytes: Uint8Array,
    given: Readonly<Record<string, readonly Float64Array[]>>,
  ): Promise<number[][]> {
    const lists = Object.entries(given).map(([name, sequences]) => [
      name,
      sequences.map((values) => [...values]),
    ]);
    return page.evaluate<number[][]>(`(async () => {
      const { loadModel } = await import("/cntkts.js");
      const session = loadModel(Uint8Array.of(${[...bytes].join()}));
      const values = await session.evaluate(session.outputs.map(({ name }) => name), ${JSON.stringify(Object.fromEntries(lists))});
      return values.map(({ samples }) => samples.flatMap((sample) => [...sample]));
    })()`);
  }

  it.each(["dropout-recurrent", "sequences-window"])(
    "runs the recurrent network %s as the reference backend does",
    async (name) => {
      await open(fixture("07-float"));
      const node = loadModel(fixture(name), { backend: "reference" });
      const outputs = node.model.groups.output;
      const inputs = node.inputsOf(outputs.map((output) => node.node(output)));
      const given = Object.fromEntries(
        inputs.map(({ name: input }) => {
          const [size = 1] = node.shaped.facts.get(node.node(input))!.shape;
          return [input, [3, 1, 6].map((frames, i) => numbers(size * frames, i))];
        }),
      );
      const expectedValues = await node.evaluate(outputs, given);
      const found = await inPage(readFileSync(fixture(name)), given);
      expectedValues.forEach(({ samples }, i) => {
        const all = samples.flatMap((sample) => [...sample]);
        expect(difference(all, found[i]!)).toBeLessThan(node.elementType === "double" ? 1e-13 : 1e-5);
      });
    },
  );

  it("runs batch normalization as the reference backend does", async () => {
    await open(fixture("07-float"));
    const session = modelOf(`
      x = Input {8:8:3}
      z = Sequential (
        ConvolutionalLayer {4, (3:3), pad = true, init = "uniform"} : BatchNormalizationLayer {spatialRank = 2} : Sigmoid :
        MaxPoolingLayer {(2:2), stride = (2:2)} : DenseLayer {5} : BatchNormalizationLayer {}
      ) (x)
      outputNodes = (z)`);
    const nodes = session.model.nodes.map((node, i) => {
      if (!node.values || !/runMean|runVariance|scale|bias/i.test(node.name)) return node;
      const values = node.values.values.map((_, at) => 0.7 + 0.3 * Math.sin(i + at));
      return { ...node, values: { ...node.values, values } };
    });
    const bytes = writeModel({ ...session.model, nodes });
    const path = join(temporaryFolder(), "normalized.model");
    writeFileSync(path, bytes);
    const x = numbers(192 * 3, 0);
    const [expectedValues] = await loadModel(path, { backend: "reference" }).evaluate(["z"], { x }, 3);
    const all = expectedValues!.samples.flatMap((sample) => [...sample]);
    const [found] = await inPage(bytes, { x: [0, 1, 2].map((i) => x.subarray(192 * i, 192 * (i + 1))) });
    expect(new Set(all.map((value) => value.toFixed(6))).size).toBe(15);
    expect(difference(all, found!)).toBeLessThan(1e-13);
  });
});
