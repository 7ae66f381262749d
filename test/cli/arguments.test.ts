import { describe, expect, it } from "vitest";
import { parseArguments } from "../../src/cli/arguments.js";
import { commands } from "../../src/cli/commands/index.js";
import { CntkError } from "../../src/diagnostics/index.js";

const backends = ["tfjs", "reference"];
const parse = async (...argv: string[]) => (await parseArguments(argv, commands, backends)).request;

async function complaint(...argv: string[]): Promise<[string, string | undefined]> {
  try {
    await parse(...argv);
  } catch (error) {
    if (error instanceof CntkError) return [error.message, error.diagnostic.hint];
    throw error;
  }
  throw new Error("nothing was wrong");
}

describe("CNTK's command line", () => {
  it("takes every word as it is", async () => {
    const words = ["configFile=a+b", "n=1e3", `q="x"`, "train=[SGD=[a=-1]]", "flag", "ConfigFile=c"];
    expect(await parse(...words)).toEqual({ kind: "run", words });
  });
  it("takes --backend out of it wherever it stands", async () => {
    const run = { kind: "run", words: ["configFile=a", "b=1"], backend: "reference" };
    expect(await parse("--backend", "reference", "configFile=a", "b=1")).toEqual(run);
    expect(await parse("configFile=a", "--backend=reference", "b=1")).toEqual(run);
  });
  it("refuses what is no configuration word", async () => {
    expect(await complaint("configFile=a", "--bakend", "tfjs")).toEqual([
      "Invalid command-line option '--bakend'.",
      "did you mean '--backend'?",
    ]);
    expect((await complaint("a=3"))[1]).toBe("a run needs configFile=FILE");
    expect((await complaint("a.cntk"))[1]).toBe("did you mean configFile=a.cntk?");
    expect(await complaint("visualise", "m")).toEqual([
      "unknown command 'visualise'",
      "did you mean 'visualize'?",
    ]);
  });
  it("refuses a backend it does not have", async () => {
    const message = "unknown backend 'refrence'";
    expect(await complaint("configFile=a", "--backend", "refrence")).toEqual([
      message,
      "did you mean 'reference'?",
    ]);
    expect((await complaint("configFile=a", "--backend"))[0]).toBe("--backend needs a name");
  });
});

describe("help", () => {
  it("is printed for no words at all, with CNTK's status", async () => {
    const help = await parse();
    expect(help).toMatchObject({ kind: "help", exitCode: 1 });
    for (const word of [
      "configFile=",
      "check",
      "print-nodes",
      "eval",
      "visualize",
      "explain",
      "mnist",
      "--backend",
    ]) {
      expect(help.kind === "help" && help.text).toContain(word);
    }
  });
  it("is there for every command", async () => {
    for (const command of ["check", "explain", "print-nodes", "eval", "visualize", "mnist"]) {
      const help = await parse(command, "--help");
      expect(help.kind === "help" && help.exitCode === 0 && help.text).toContain(`cntkts ${command}`);
      expect(await parse("help", command)).toEqual(help);
    }
    expect(await parse("--version")).toEqual({ kind: "version" });
  });
});

describe("commands", () => {
  it("check and explain hand configuration words on untouched", async () => {
    const words = ["configFile=a", `q="x y"`, "n=1e3", "flag"];
    expect(await parse("check", ...words)).toEqual({ kind: "check", words, summary: false });
    expect(await parse("check", ...words, "--summary")).toEqual({ kind: "check", words, summary: true });
    expect(await parse("explain", ...words, "--stage", "ast", "--command", "train")).toEqual({
      kind: "explain",
      words,
      stage: "ast",
      command: "train",
    });
  });
  it("print-nodes", async () => {
    expect(await parse("print-nodes", "m.model")).toEqual({
      kind: "print-nodes",
      model: "m.model",
      long: false,
      json: false,
      summary: false,
    });
    expect(await parse("print-nodes", "--long", "007")).toEqual({
      kind: "print-nodes",
      model: "007",
      long: true,
      json: false,
      summary: false,
    });
  });
  it("eval", async () => {
    const given = ["--node", "z.pool1", "--model", "m", "--data", "d"];
    expect(await parse("eval", ...given)).toEqual({
      kind: "eval",
      node: "z.pool1",
      model: "m",
      data: "d",
      format: "text",
    });
    expect(await parse("eval", ...given, "--count=12", "--out", "o", "--format", "json")).toMatchObject({
      count: 12,
      out: "o",
      format: "json",
    });
  });
  it("visualize and mnist", async () => {
    const options = ["--data", "d", "--encoder", "z.pool1", "--decoder", "z", "--out", "o"];
    expect(await parse("visualize", "m", ...options)).toEqual({
      kind: "visualize",
      models: ["m"],
      data: "d",
      count: 5,
      nodes: [],
      encoder: "z.pool1",
      decoder: "z",
      out: "o",
    });
    expect(await parse("visualize", "m", "n", "--data", "d", "--out", "o", "--node", "a, b")).toMatchObject({
      models: ["m", "n"],
      nodes: ["a", "b"],
    });
    expect(await parse("mnist", "D", "--from", "E", "--backend", "tfjs")).toEqual({
      kind: "mnist",
      directory: "D",
      from: "E",
      backend: "tfjs",
    });
  });
  it.each<[string[], string, string | undefined]>([
    [
      ["explain", "configFile=a", "--stag", "ast"],
      "explain has no option '--stag'",
      "did you mean '--stage'?",
    ],
    [["explain", "configFile=a", "--stage", "plon"], "unknown stage 'plon'", "did you mean 'plan'?"],
    [["explain", "configFile=a"], "explain needs --stage", "cntkts explain --help"],
    [["check", "a=1"], "check needs configFile=FILE", "cntkts check --help"],
    [["eval", "--model", "m"], "eval needs --node", "cntkts eval --help"],
    [["eval", "--node"], "--node needs a value", "cntkts eval --help"],
    [["print-nodes"], "print-nodes needs MODEL", "cntkts print-nodes --help"],
    [["visualize", "--data", "d", "--out", "o"], "visualize needs MODEL", "cntkts visualize --help"],
    [["mnist", "a", "b"], "mnist does not know what to do with 'b'", "cntkts mnist --help"],
  ])("complains about %j", async (argv, message, hint) => {
    expect(await complaint(...argv)).toEqual([message, hint]);
  });
  it.each(["1e3", "0", "-1", "x", "1.5"])("does not count to %s", async (count) => {
    const [message] = await complaint("eval", "--node=z", "--model=m", "--data=d", `--count=${count}`);
    expect(message).toBe(`--count takes a whole number from 1, not '${count}'`);
  });
});
