import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseArguments } from "../../src/cli/arguments.js";
import { commands } from "../../src/cli/commands/index.js";
import { backendNames, type EvaluatedNode, evaluateNodes, runConfig } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/* eval without --model and --data: a configuration says, or what the last run left. */

const folder = temporaryFolder();

const config = (model: string, test: string): string => `
  command = learn : judge
  modelPath = "Output/${model}.dnn"
  learn = [
    action = train
    BrainScriptNetworkBuilder = {
      x = Input {2} ; y = Input {1} ; z = LinearLayer {1} (x) ; double = Constant (2) .* x
      e = SquareError (y, z) ; criterionNodes = (e) ; outputNodes = (z:double)
    }
    SGD = [ maxEpochs = 1 ; minibatchSize = 2 ; epochSize = 4 ; learningRatesPerSample = 0.01 ]
    reader = [ file = "train.txt" ; input = [ x = [ dim = 2 ; format = dense ] ; y = [ dim = 1 ; format = dense ] ] ]
  ]
  judge = [
    action = test
    reader = [
      file = "${test}"
      input = [ x = [ alias = "pixels" ; dim = 2 ; format = dense ] ; y = [ dim = 1 ; format = dense ] ]
    ]
  ]`;

/** A folder in which two configurations were run, the second one last. */
async function worked(name: string): Promise<string> {
  const directory = join(folder, name);
  mkdirSync(join(directory, "configs"), { recursive: true });
  writeFileSync(join(directory, "train.txt"), "|x 0 1 |y 1\n|x 1 0 |y 0\n|x 1 1 |y 1\n|x 0 0 |y 0\n");
  writeFileSync(join(directory, "first.txt"), "|pixels 1 2 |y 0\n");
  writeFileSync(join(directory, "second.txt"), "|pixels 3 4 |y 0\n|pixels 5 6 |y 0\n");
  for (const [index, which] of ["first", "second"].entries()) {
    const path = join(directory, "configs", `${which}.cntk`);
    writeFileSync(path, config(which, `${which}.txt`));
    const quiet = { write: () => undefined };
    await runConfig([`configFile=configs/${which}.cntk`, "command=learn"], {
      directory,
      log: quiet,
      output: quiet,
    });
    const time = new Date(Date.now() - 60_000 + 10_000 * index);
    utimesSync(join(directory, "Output", `${which}.dnn`), time, time);
    utimesSync(join(directory, "Output", `${which}.dnn.0`), new Date(0), new Date(0));
  }
  return directory;
}

const samples = ([node]: EvaluatedNode[]): number[][] => node!.samples.map((sample) => [...sample]);

describe("eval takes", () => {
  it("model and test data of a configuration, and says so", async () => {
    const directory = await worked("configured");
    const said: string[] = [];
    const words = ["configFile=configs/first.cntk"];
    const evaluated = await evaluateNodes(["double"], {
      directory,
      words,
      onChoice: (line) => said.push(line),
    });
    expect(samples(evaluated)).toEqual([[2, 4]]);
    expect(said).toEqual([
      `model: ${join(directory, "Output", "first.dnn")} (modelPath of the command 'learn')`,
      "data: reader of the command 'judge' in configs/first.cntk",
    ]);
  });

  it("what the last run left, with the data of the configuration that trains it", async () => {
    const directory = await worked("left");
    const said: string[] = [];
    const evaluated = await evaluateNodes(["double"], { directory, onChoice: (line) => said.push(line) });
    expect(samples(evaluated)).toEqual([
      [6, 8],
      [10, 12],
    ]);
    expect(said).toEqual([
      "model: Output/second.dnn (the newest model below this folder)",
      "data: reader of the command 'judge' in configs/second.cntk",
    ]);
  });

  it("a model or data that are named, and the rest from there", async () => {
    const directory = await worked("named");
    writeFileSync(join(directory, "own.txt"), "|x 7 8\n");
    const own = await evaluateNodes(["double"], { directory, data: "own.txt" });
    expect(samples(own)).toEqual([[14, 16]]);
    const words = ["configFile=configs/first.cntk"];
    const other = await evaluateNodes(["double"], { directory, model: "Output/second.dnn", words });
    expect(samples(other)).toEqual([[2, 4]]);
    await expect(evaluateNodes(["double"], { directory, model: "Output/second.dnn" })).rejects.toMatchObject({
      code: "data-missing",
    });
  });

  it("no data for a parameter", async () => {
    const directory = await worked("parameter");
    const [weights] = await evaluateNodes(["z.W"], { directory });
    expect(weights?.shape).toEqual([1, 2]);
  });

  it("nothing where there is nothing", async () => {
    const directory = join(folder, "empty");
    mkdirSync(directory);
    await expect(evaluateNodes(["z"], { directory })).rejects.toMatchObject({ code: "no-model" });
  });

  it("a command line with and without a configuration", async () => {
    const parse = async (...words: string[]): Promise<unknown> =>
      (await parseArguments(["eval", "--node", "z", ...words], commands, backendNames)).request;
    expect(await parse()).toEqual({ kind: "eval", node: "z", format: "text" });
    expect(await parse("configFile=net.cntk", "n=2")).toMatchObject({
      words: ["configFile=net.cntk", "n=2"],
    });
    await expect(parse("n=2")).rejects.toMatchObject({ code: "usage" });
  });
});
