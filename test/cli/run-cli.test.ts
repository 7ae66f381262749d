import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/run-cli.js";
import { version } from "../../src/index.js";

const directory = mkdtempSync(join(tmpdir(), "cntkts-cli-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a command line; `interrupt` presses Ctrl-C as soon as somebody listens. */
async function cntkts(...argv: string[]) {
  return cntktsWith({}, ...argv);
}

async function cntktsWith({ interrupt = false, print = (_: string): void => {} }, ...argv: string[]) {
  const printed = { output: "", errors: "" };
  const status = await runCli(argv, {
    output: {
      write: (text) => {
        print(text);
        printed.output += text;
      },
    },
    errors: { write: (text) => (printed.errors += text) },
    directory,
    environment: {},
    onInterrupt: (callback) => {
      if (interrupt) callback();
      return () => {};
    },
    exit: () => {},
  });
  return { status, ...printed };
}

describe("what goes where, and the status", () => {
  it("help and version go to standard output", async () => {
    const bare = await cntkts();
    expect([bare.status, bare.errors]).toEqual([1, ""]);
    expect(bare.output).toMatch(/^cntkts configFile=/);
    expect(await cntkts("--help")).toEqual({ ...bare, status: 0 });
    expect(await cntkts("--version")).toEqual({ status: 0, output: `cntkts ${version}\n`, errors: "" });
  });
  it("a wrong command line is one message on standard error", async () => {
    expect(await cntkts("exlain")).toEqual({
      status: 1,
      output: "",
      errors: "error: unknown command 'exlain'\nhint: did you mean 'explain'?\n",
    });
  });
});

describe("a run", () => {
  const samples = Array.from({ length: 20 }, (_, i) => `|x ${i % 3} ${i % 5} |y ${i % 2}\n`).join("");
  const configuration = `
    command = train:test
    precision = double
    traceLevel = 1
    modelPath = line.model
    reader = {
      readerType = CNTKTextFormatReader ; file = line.txt
      input = { x = { dim = 2 ; format = dense } ; y = { dim = 1 ; format = dense } }
    }
    train = {
      action = train
      BrainScriptNetworkBuilder = {
        x = Input {2} ; y = Input {1}
        z = ParameterTensor {(1:2)} * x
        error = SquareError (y, z)
        criterionNodes = (error) ; outputNodes = (z)
      }
      SGD = { minibatchSize = 5 ; maxEpochs = 2 ; learningRatesPerSample = 0.01 }
    }
    test = { action = test }
  `;
  const words = ["configFile=line.cntk", "stderr=-"];

  it("stops after the minibatch at Ctrl-C, with status 130", async () => {
    writeFileSync(join(directory, "line.txt"), samples);
    writeFileSync(join(directory, "line.cntk"), configuration);
    const { status, output, errors } = await cntktsWith({ interrupt: true }, ...words);
    expect(status).toBe(130);
    expect(output).toContain("Starting minibatch loop.");
    expect(output).not.toContain("Finished Epoch");
    expect(errors).toMatch(/interrupted/i);
    expect(readdirSync(directory).sort()).toEqual(["line.cntk", "line.model.0", "line.txt"]);
  });
  it("goes on from there and ends with status 0, the log on standard output", async () => {
    const { status, output, errors } = await cntkts(...words);
    expect([status, output.match(/Finished Epoch/g)?.length]).toEqual([0, 2]);
    expect(output.trimEnd().endsWith("COMPLETED.")).toBe(true);
    const [banner, empty, commandLine, redirected] = errors.split("\n");
    expect([empty, commandLine, redirected]).toEqual([
      "",
      "cntkts  configFile=line.cntk  stderr=-",
      "Redirecting stderr to file -",
    ]);
    expect(banner).toMatch(/^cntkts /);
    const again = await cntkts(...words);
    expect(again.output).toContain("Final model exists: line.model");
    for (const file of readdirSync(directory)) rmSync(join(directory, file));
  });
});

describe("bad input", () => {
  const lastLines = (text: string, count: number) => text.trimEnd().split("\n").slice(-count);

  it("names a missing configuration at its word, behind the log so far", async () => {
    const { status, output, errors } = await cntkts("a=1", "configFile=no.cntk");
    expect([status, output]).toEqual([1, ""]);
    expect(lastLines(errors, 4)).toEqual([
      "error: error opening file 'no.cntk': No such file or directory",
      "  at <command line>:1:16",
      " 1 | a=1 configFile=no.cntk",
      "   |                ^~~~~~~",
    ]);
    expect(errors.match(/error:/g)).toHaveLength(1);
  });
  it("names a mistake in a configuration with its place, and writes nothing", async () => {
    writeFileSync(join(directory, "open.cntk"), "command = go\ngo = [\n  action = train\n");
    const { status, errors } = await cntkts("check", "configFile=open.cntk");
    expect(status).toBe(1);
    expect(lastLines(errors, 4)).toEqual([
      "error: no closing ] found in parameters",
      "  at open.cntk:2:6",
      " 2 | go = [",
      "   |      ^ this bracket is never closed",
    ]);
    expect(readdirSync(directory)).toEqual(["open.cntk"]);
  });
  it("says so where there is no memory, and that other mistakes are its own", async () => {
    const huge = await cntktsWith({ print: () => void new Float64Array(2 ** 50) }, "--version");
    expect([huge.status, huge.errors]).toEqual([
      1,
      "error: There is not enough memory for sizes like these: Invalid typed array length: 1125899906842624.\n",
    ]);
    const slip = (): void => {
      throw new TypeError("a slip");
    };
    const broken = await cntktsWith({ print: slip }, "--version");
    expect([broken.status, broken.errors.split("\n")[0]]).toEqual([1, "internal error: a slip"]);
  });
  it("names a missing model and a foreign one", async () => {
    const missing = await cntkts("print-nodes", "no.model");
    expect([missing.status, missing.errors]).toEqual([
      1,
      "error: error opening file 'no.model': No such file or directory\n",
    ]);
    writeFileSync(join(directory, "text.model"), "this is no model");
    const foreign = await cntkts("eval", "--node", "z", "--model", "text.model", "--data", "no.txt");
    expect(foreign.status).toBe(1);
    expect(foreign.errors).toMatch(/^error: .*text\.model/);
    expect(foreign.errors).not.toMatch(/internal error|\n {4}at /);
  });
});

it("explain --stage config shows raw and resolved values", async () => {
  writeFileSync(join(directory, "small.cntk"), "a = $b$/x\nb = y\n");
  expect(await cntkts("explain", "configFile=small.cntk", "--stage", "config", "b=1e3", "command=q")).toEqual(
    {
      status: 0,
      errors: "",
      output: [
        "configuration small.cntk",
        "  # small.cntk:1:1",
        "  a = $b$/x",
        "    → 1e3/x",
        "  # <command line>:1:23",
        "  b = 1e3",
        "  # <command line>:1:29",
        "  command = q",
        "",
      ].join("\n"),
    },
  );
});
