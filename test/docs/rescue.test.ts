import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadModel } from "../../src/index.js";
import { elementCount } from "../../src/network/network.js";
import { difference } from "../exporters/exported-networks.js";
import { loaderIsHere } from "../exporters/tensorflow.js";
import { browserIsHere, openBrowser } from "../support/browser.js";
import { builtProgram, endsInTime } from "../support/program.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/* The commands of the README's "Rescue a CNTK model", as they stand there. */

const folder = temporaryFolder();
const fixture = "test/fixtures/model-files/07-float.model";
const readme = readFileSync("README.md", "utf8");
const section = readme.slice(readme.indexOf("## Rescue a CNTK model"));
const commands = /```\n([^`]*)```/.exec(section)?.[1]?.trim().split("\n") ?? [];

const program = builtProgram();
let server: ChildProcess | undefined;
afterAll(() => server?.kill());

/** `npx cntkts` finds the program of the checkout; here it is called by its path. */
const words = (command: string | undefined): string[] =>
  (command ?? "").replace("npx cntkts", `node ${program}`).split(" ").slice(1);

function run(command: string | undefined): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, words(command), {
    ...endsInTime,
    cwd: folder,
    encoding: "utf8",
  });
  expect({ command, status, stderr: status === 0 ? "" : stderr }).toEqual({ command, status: 0, stderr: "" });
  return stdout;
}

/** The outputs for a sample of zeros, by our reference. */
async function expected(): Promise<number[]> {
  const model = loadModel(fixture, { backend: "reference" });
  const [output = ""] = model.model.groups.output;
  const inputs = model.inputsOf([model.node(output)]);
  const zeros = inputs.map(({ name }) => [
    name,
    new Float32Array(elementCount(model.shaped.facts.get(model.node(name))!.shape)),
  ]);
  const [values] = await model.evaluate(
    [output],
    Object.fromEntries(zeros) as Record<string, Float32Array>,
    1,
  );
  return [...values!.samples[0]!];
}

describe("the README's way out of CNTK", () => {
  copyFileSync(fixture, join(folder, "stranger.dnn"));
  symlinkSync(resolve("examples"), join(folder, "examples"));

  it("has four commands, two to onnxruntime", async () => {
    expect(commands).toHaveLength(4);
    run(commands[0]);
    const { values } = JSON.parse(run(commands[1]).trim().split("\n")[0]!) as { values: number[] };
    expect(difference(await expected(), values)).toBeLessThan(1e-5);
  });

  it.skipIf(!browserIsHere || !loaderIsHere)("and two to a page (skipped without a browser)", async () => {
    run(commands[2]);
    server = spawn(process.execPath, words(commands[3]), { cwd: folder, env: { ...process.env, PORT: "0" } });
    const address = await new Promise<string>((found) => {
      server?.stdout?.on("data", (data: Buffer) => found(data.toString().trim()));
    });
    const browser = await openBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(address);
      await page.locator("#run:enabled").click();
      const text = await page.locator("pre").first().textContent();
      const [, numbers = ""] = (text ?? "").split("\n");
      expect(difference(await expected(), numbers.split(" ").map(Number))).toBeLessThan(1e-5);
    } finally {
      await browser.close();
    }
  });
});
