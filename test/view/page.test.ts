import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { epochLine, minibatchLine } from "../../src/log/training-lines.js";
import { writeModel } from "../../src/model-files/index.js";
import { modelOf } from "../exporters/exported-networks.js";
import { foundModels, foundRecurrentModels } from "../exporters/rescued-models.js";
import { browserIsHere, openBrowser } from "../support/browser.js";
import { builtProgram, endsInTime } from "../support/program.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/* Pages of models as people open them: from a file, in a browser, without a network. */

const folder = temporaryFolder();
const program = builtProgram();

function cntkts(...words: string[]): { status: number | null; output: string; errors: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], {
    ...endsInTime,
    cwd: folder,
    encoding: "utf8",
  });
  return { status, output: stdout, errors: stderr };
}

/** Makes the page of a model; where it is. */
function pageOf(model: string, ...words: string[]): string {
  const out = join(folder, "model.html");
  expect(cntkts("view", model, "--out", out, ...words)).toEqual({
    status: 0,
    output: `${out}\n`,
    errors: "",
  });
  return out;
}

function save(members: string): string {
  const path = join(folder, "network.model");
  writeFileSync(path, writeModel(modelOf(members).model));
  return path;
}

const pictures = `
  features = Input {12:12:3}
  labels = Input {5}
  model = Sequential (
    ConvolutionalLayer {4, (5:5), pad = true, activation = ReLU} : MaxPoolingLayer {(2:2), stride = (2:2)} :
    ConvolutionalLayer {6, (3:3), pad = true, activation = ReLU} : LinearLayer {5}
  )
  z = model (features)
  ce = CrossEntropyWithSoftmax (labels, z)
  featureNodes = (features) ; labelNodes = (labels) ; criterionNodes = (ce) ; outputNodes = (z)`;

const log = [1, 2, 3]
  .flatMap((epoch) => {
    const criteria = [{ name: "ce", sum: 100 / epoch, count: 50 }];
    const counts = { epoch, epochs: 3, criteria };
    return [
      minibatchLine({ ...counts, first: 1, last: 5, minibatchesPerEpoch: 5, seconds: 1, samples: 50 }),
      epochLine({ ...counts, totalSamplesSeen: 50 * epoch, learningRatePerSample: 0.1, seconds: 1 }),
    ];
  })
  .join("");

describe("cntkts view", () => {
  it("refuses a log without a training, and writes nothing", () => {
    const model = save(pictures);
    writeFileSync(join(folder, "other.txt"), "no log at all\n");
    const { status, errors } = cntkts("view", model, "--log", "other.txt", "--out", "none.html");
    expect(status).toBe(1);
    expect(errors).toContain("The log 'other.txt' tells of no training");
    expect(cntkts("view", "none.model").errors).toContain("none.model");
  });
});

describe.skipIf(!browserIsHere)("a page (skipped without a browser)", () => {
  let browser: Browser;
  let page: Page;
  let wrong: string[];
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  /** Opens a page; whatever it asks of the network, and every error, is kept. */
  async function open(path: string, colorScheme: "light" | "dark" = "light", place = ""): Promise<void> {
    await page?.close();
    page = await browser.newPage({ colorScheme, viewport: { width: 1300, height: 850 } });
    wrong = [];
    page.on("pageerror", (error) => wrong.push(String(error)));
    page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
    page.on("request", (request) => /^(file|data|blob):/.test(request.url()) || wrong.push(request.url()));
    await page.goto(pathToFileURL(path).href + place);
    await page.waitForSelector("html[data-ready]", { timeout: 60_000 });
  }

  const texts = (selector: string): Promise<string[]> => page.locator(selector).allTextContents();
  const boxes = async (): Promise<string[]> => texts("#graph g.node");
  const settled = (): Promise<unknown> =>
    page.waitForFunction('document.getElementById("status").textContent === ""');

  it("shows the graph with shapes; groups close and open; the search finds what is hidden", async () => {
    await open(pageOf(save(pictures)));
    const all = await boxes();
    expect(all.find((text) => text.includes("Convolution") && text.includes("[12 x 12 x 4 x *]"))).toContain(
      "W [5 x 5 x 3 x 4]",
    );
    await page.click("#close-all");
    await settled();
    const closed = await boxes();
    expect(closed.length).toBeLessThan(all.length);
    const group = page.locator("#graph g.group.closed").first();
    expect(await group.textContent()).toContain("nodes");
    await group.dblclick();
    await settled();
    expect((await boxes()).length).toBeGreaterThan(closed.length);
    await page.click("#close-all");
    await settled();
    await page.fill("#search", "Pooling");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#graph g.node.selected");
    expect(await page.locator("#graph g.node.selected").textContent()).toContain("Pooling");
    expect(await texts("#details dd")).toContain("[6 x 6 x 4 x *]");
    expect(wrong).toEqual([]);
  });

  it("is moved and zoomed", async () => {
    await open(pageOf(save(pictures)));
    const place = async () => (await page.locator("#graph g.node").first().boundingBox())!;
    const before = await place();
    await page.mouse.move(500, 600);
    await page.mouse.wheel(0, -300);
    await expect.poll(async () => (await place()).width).toBeGreaterThan(before.width * 1.05);
    const zoomed = await place();
    await page.mouse.down();
    await page.mouse.move(560, 630, { steps: 4 });
    await page.mouse.up();
    await expect.poll(async () => Math.round((await place()).x - zoomed.x)).toBe(60);
    await page.click("#fit");
    await expect.poll(async () => Math.round(Math.abs((await place()).width - before.width))).toBe(0);
    expect(wrong).toEqual([]);
  });

  it("shows a parameter's values as a histogram, and kernels as pictures in colours", async () => {
    const model = modelOf(pictures);
    const { name } = model.model.nodes.find(
      ({ fields: { shape } }) => JSON.stringify(shape) === "[5,5,3,4]",
    )!;
    await open(pageOf(save(pictures)), "light", `#${encodeURIComponent(name)}`);
    expect(await page.locator("#details h2").innerText()).toBe(name);
    expect(await page.locator("#details .parameter p").innerText()).toContain("300 values from");
    expect(await page.locator("#details .parameter .u-over").count()).toBe(1);
    expect(await page.locator("#details figcaption").innerText()).toContain(
      "4 kernels of 5 x 5, channels as colours",
    );
    const drawn = await page.evaluate<{
      width: number;
      height: number;
      pixel: number[];
      between: number[];
    }>(`(() => {
      const canvas = document.querySelector("#details canvas.weights");
      const pixel = (x, y) => [...canvas.getContext("2d").getImageData(x, y, 1, 1).data];
      return { width: canvas.width, height: canvas.height, pixel: pixel(2, 1), between: pixel(5, 1) };
    })()`);
    expect([drawn.width, drawn.height]).toEqual([4 * 6 - 1, 5]);
    // [width x height x channels x maps], the first axis contiguous; grey is 0.
    const { values } = model.model.nodes.find((node) => node.name === name)!.values!;
    const scale = Math.max(...Array.from(values, Math.abs));
    const colours = [0, 1, 2].map((channel) =>
      Math.round(128 + (127 * values[channel * 25 + 1 * 5 + 2]!) / scale),
    );
    expect(drawn.pixel).toEqual([...colours, 255]);
    expect(drawn.between).toEqual([0, 0, 0, 0]);
    expect(wrong).toEqual([]);
  });

  it("lists all parameters, the largest first", async () => {
    await open(pageOf(save(pictures)));
    await page.click("#parameters-tab");
    const counts = (await texts("#parameters-panel td:nth-child(3)")).map((text) =>
      Number(text.replace(",", "")),
    );
    expect(counts).toEqual([5 * 6 * 6 * 6, 5 * 5 * 3 * 4, 3 * 3 * 4 * 6, 6, 5, 4]);
    await page.locator("#parameters-panel button.link").last().click();
    expect(await page.locator("#graph-panel").isVisible()).toBe(true);
    expect(wrong).toEqual([]);
  });

  it("draws the curves of a log, in light and in dark", async () => {
    writeFileSync(join(folder, "train.log"), log);
    const path = pageOf(save(pictures), "--log", "train.log");
    for (const theme of ["light", "dark"] as const) {
      await open(path, theme);
      await page.click("#training-tab");
      expect(await texts("#training-panel .u-title")).toEqual([
        "ce",
        "learning rate per sample",
        "samples per second",
      ]);
      const background = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      expect(background === "rgb(255, 255, 255)").toBe(theme === "light");
    }
    await page.click("#theme");
    expect(await page.evaluate<string>("getComputedStyle(document.body).backgroundColor")).toBe(
      "rgb(255, 255, 255)",
    );
    expect(wrong).toEqual([]);
  });

  it("of a hundred layers shows no more than can be seen", async () => {
    const layers = Array.from({ length: 100 }, (_, at) => {
      const before = at === 0 ? "x" : `l${at - 1}.r`;
      return `l${at} = [ c = DenseLayer {3, activation = ReLU} (${before}) ; d = Tanh (c) ; r = d + ${before} ]`;
    });
    await open(pageOf(save(`x = Input {3}\n${layers.join("\n")}\noutputNodes = (l99.r)`)));
    expect((await boxes()).length).toBeLessThanOrEqual(60);
    await page.fill("#search", "l77.d");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#graph g.node.selected");
    expect(await page.locator("#details h2").innerText()).toBe("l77.d");
    expect(wrong).toEqual([]);
  });

  it("holds names that look like markup", async () => {
    const { model } = modelOf(`x = Input {3} ; z = Tanh (x) ; outputNodes = (z)`);
    const hostile = `</script><img src=x onerror="document.title='broken'">\\N&"`;
    const nodes = model.nodes.map((node) => (node.name === "z" ? { ...node, name: hostile } : node));
    const path = join(folder, "hostile.model");
    writeFileSync(path, writeModel({ ...model, nodes, groups: { ...model.groups, output: [hostile] } }));
    await open(pageOf(path));
    expect(await page.title()).toBe("hostile.model – cntkts");
    expect((await boxes()).some((text) => text.includes("Tanh"))).toBe(true);
    expect(wrong).toEqual([]);
  });

  const chosen = [
    "mnist_conv.cmf",
    "ResNet20_CIFAR10_DataAug.dnn",
    "speech-digits.dnn",
    "slu.forward.backward.cmf",
  ];
  const found = [...foundModels, ...foundRecurrentModels].filter(({ name }) => chosen.includes(name));
  it.skipIf(found.length === 0).each(found)("of $name (skipped without the corpus)", async ({ path }) => {
    await open(pageOf(path));
    expect((await boxes()).length).toBeGreaterThan(2);
    expect((await boxes()).length).toBeLessThanOrEqual(60);
    expect(await page.locator("#status").innerText()).toBe("");
    expect(wrong).toEqual([]);
  });
});
