import { spawn, type StdioOptions } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { builtProgram, endsInTime } from "../support/program.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { twoClasses, twoClassesConfig } from "../support/two-classes.js";

const program = builtProgram();
const folder = temporaryFolder();
let count = 0;

/** A folder with the data and the configuration of a small training. */
function fresh(configuration = twoClassesConfig()): string {
  const directory = join(folder, String(count++));
  mkdirSync(directory);
  writeFileSync(join(directory, "data.txt"), twoClasses(300));
  writeFileSync(join(directory, "net.cntk"), configuration);
  return directory;
}

type Out = "read" | "close" | "/dev/full";

interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the program. A stream is read, closed by its reader after the first piece, or goes to a device. */
async function cntkts(
  directory: string,
  words: readonly string[],
  { output = "read", errors = "read" }: { output?: Out; errors?: Out } = {},
): Promise<Ended> {
  const devices: number[] = [];
  const target = (out: Out) => {
    if (!out.startsWith("/")) return "pipe" as const;
    devices.push(openSync(out, "w"));
    return devices.at(-1)!;
  };
  const stdio: StdioOptions = ["ignore", target(output), target(errors)];
  const child = spawn(process.execPath, [program, "--backend", "reference", ...words], {
    ...endsInTime,
    cwd: directory,
    stdio,
  });
  const read = { output: "", errors: "" };
  for (const [name, stream, out] of [
    ["output", child.stdout, output],
    ["errors", child.stderr, errors],
  ] as const) {
    stream?.on("data", (piece: Buffer) => {
      read[name] += piece.toString();
      if (out === "close") stream.destroy();
    });
  }
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  for (const device of devices) closeSync(device);
  return { status, ...read };
}

const models = (directory: string) => readdirSync(join(directory, "Models")).sort();
const afterTraining = ["net", "net.0", "net.1", "net.2", "net.ckp"];
const noSpace = "No space left on device";
const hasFull = existsSync("/dev/full");

describe("a training whose log nobody can read goes on to its end", () => {
  it("when the reader has gone, quietly", async () => {
    const directory = fresh();
    const { status } = await cntkts(directory, ["configFile=net.cntk"], { errors: "close" });
    expect([status, models(directory)]).toEqual([0, afterTraining]);
    const second = fresh();
    const ended = await cntkts(second, ["configFile=net.cntk", "stderr=-"], { output: "close" });
    expect([ended.status, models(second), ended.errors.includes("error")]).toEqual([0, afterTraining, false]);
  });
  it.runIf(hasFull)("when there is no room for it, and says so at the end", async () => {
    const directory = fresh();
    const full = await cntkts(directory, ["configFile=net.cntk"], { errors: "/dev/full" });
    expect([full.status, models(directory)]).toEqual([1, afterTraining]);
    const second = fresh();
    const { status, errors } = await cntkts(second, ["configFile=net.cntk", "stderr=/dev/full"]);
    expect([status, models(second)]).toEqual([1, afterTraining]);
    expect(errors.trimEnd().split("\n").at(-1)).toBe(`error: error writing file '/dev/full': ${noSpace}`);
  });
});

describe("results that nobody takes", async () => {
  const directory = fresh();
  await cntkts(directory, ["configFile=net.cntk"]);
  const commands: [string, string[]][] = [
    ["help", ["--help"]],
    ["print-nodes", ["print-nodes", "Models/net", "--long"]],
    ["eval", ["eval", "--node", "z", "--model", "Models/net", "--data", "data.txt"]],
    ["explain", ["explain", "configFile=net.cntk", "--stage", "plan"]],
    ["write", ["configFile=net.cntk", "command=write", "write=[outputPath=-]"]],
  ];
  it.each(commands)("%s ends as usual when the reader has gone", async (_, words) => {
    const { status, errors } = await cntkts(directory, words, { output: "close" });
    expect([status, /error|at .*\.js/.test(errors)]).toEqual([0, false]);
  });
  it.runIf(hasFull).each(commands)("%s says what it could not write", async (_, words) => {
    const { status, errors } = await cntkts(directory, words, { output: "/dev/full" });
    expect([status, errors.trimEnd().split("\n").at(-1)]).toEqual([
      1,
      `error: error writing standard output: ${noSpace}`,
    ]);
  });
  it.runIf(hasFull)("the status tells when nothing can be said either", async () => {
    const { status } = await cntkts(directory, ["--help"], { output: "/dev/full", errors: "/dev/full" });
    expect(status).toBe(1);
  });
});

describe("a hostile file", () => {
  const hostile = "\u001b]0;title\u0007\u001b[2J\u009b31m\u202e";
  const acting = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

  it("cannot act on the terminal, neither by the log's echo nor by a message", async () => {
    const directory = fresh(`v = "${hostile}"\n${twoClassesConfig()}`);
    const trained = await cntkts(directory, ["configFile=net.cntk", `w="${hostile}"`]);
    expect(trained.status).toBe(0);
    expect(trained.errors).toContain("\\x1b[2J");
    expect(trained.errors).not.toMatch(acting);
    writeFileSync(join(directory, "data.txt"), `|features 1 2 |${hostile} 3\n|labels ${hostile}\n`);
    const words = ["eval", "--node", hostile, "--model", "Models/net", "--data", "data.txt"];
    for (const broken of [["configFile=net.cntk", "command=test"], words, ["print-nodes", hostile]]) {
      const { status, errors } = await cntkts(directory, broken);
      expect([status, errors.includes("\\x1b[2J")]).toEqual([1, true]);
      expect(errors).not.toMatch(acting);
    }
  });
  it("does not fill the screen with one line", async () => {
    const long = "x".repeat(3_000_000);
    const directory = fresh(`${twoClassesConfig()}\nv = ${long}\n`);
    const trained = await cntkts(directory, ["configFile=net.cntk"]);
    expect([trained.status, trained.errors.length < 50_000]).toEqual([0, true]);
    writeFileSync(join(directory, "net.cntk"), `command = ${long}\n`);
    const { status, errors } = await cntkts(directory, ["configFile=net.cntk"]);
    expect([status, errors.length < 20_000]).toEqual([1, true]);
  });
});

it("what a killed training left is gone when the next one has ended", async () => {
  const directory = fresh(twoClassesConfig().replaceAll("{8,", "{20000,"));
  const words = ["configFile=net.cntk", "command=train"];
  const leftovers = () =>
    existsSync(join(directory, "Models"))
      ? readdirSync(join(directory, "Models")).filter((name) => name.includes(".tmp-"))
      : [];
  const child = spawn(process.execPath, [program, "--backend", "reference", ...words], {
    ...endsInTime,
    cwd: directory,
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  while (leftovers().length === 0 && child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => setImmediate(resolve));
  child.kill("SIGKILL");
  await ended;
  const { status } = await cntkts(directory, words);
  expect([status, models(directory)]).toEqual([0, afterTraining]);
  expect(readFileSync(join(directory, "Models", "net")).length).toBeGreaterThan(20000 * 2 * 8);
});

describe("the compiled backend on two threads", () => {
  // Steps large enough that threads share them.
  const wide = () => fresh(twoClassesConfig({ sgd: "minibatchSize = 150" }).replaceAll("{8,", "{2000,"));

  it("is stopped by Ctrl-C in a step: status 130, and what was saved goes on", async () => {
    const directory = wide();
    const words = ["configFile=net.cntk", "command=train", "numCPUThreads=2"];
    const endless = "train=[SGD=[maxEpochs=100000]]";
    const child = spawn(process.execPath, [program, "--backend", "wasm", ...words, endless], {
      ...endsInTime,
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let log = "";
    child.stderr.on("data", (text: Buffer) => {
      if (!log.includes("Finished Epoch[ 3") && `${log}${text.toString()}`.includes("Finished Epoch[ 3"))
        child.kill("SIGINT");
      log += text.toString();
    });
    const status = await new Promise((resolve) => child.on("close", resolve));
    const saved = models(directory);
    expect([status, saved.some((name) => name.endsWith(".ckp")), saved.includes("net")]).toEqual([
      130,
      true,
      false,
    ]);
    const again = await cntkts(directory, [...words, "train=[SGD=[maxEpochs=5]]"]);
    expect([again.status, models(directory).includes("net")]).toEqual([0, true]);
    expect(again.errors).not.toContain("Finished Epoch[ 1 of");
  });

  it("trains twice in one process at the same time, with the same digits as once", async () => {
    const directory = wide();
    const script = join(directory, "twice.mjs");
    const index = JSON.stringify(pathToFileURL(join(program, "..", "..", "index.js")).href);
    writeFileSync(
      script,
      `const { runConfig } = await import(${index});
      const run = async (name) => {
        let log = "";
        const words = ["configFile=net.cntk", "command=train", "numCPUThreads=2", "modelPath=" + name + "/net"];
        await runConfig(words, { backend: "wasm", log: { write: (text) => void (log += text) } });
        return log.split("\\n").filter((line) => /Epoch\\[/.test(line)).map((line) => line.replace(/; (time|epochTime)=?.*/, ""));
      };
      const once = await run("a");
      const both = await Promise.all([run("b"), run("c")]);
      console.log(JSON.stringify([once, ...both]));`,
    );
    const child = spawn(process.execPath, [script], {
      ...endsInTime,
      cwd: directory,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString()));
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
    const [once, ...both] = JSON.parse(output) as string[][];
    expect(once?.filter((line) => line.includes("Finished Epoch"))).toHaveLength(3);
    for (const log of both) expect(log).toEqual(once);
  });
});

it.skipIf(process.platform === "win32")("trains in a process whose addresses are limited", async () => {
  const directory = fresh();
  const limited = (words: readonly string[]): ReturnType<typeof spawn> =>
    spawn("/bin/sh", ["-c", 'ulimit -v 7000000 && exec "$@"', "sh", process.execPath, ...words], {
      ...endsInTime,
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"],
    });
  // Node 24 does without the gigabytes of addresses that its forerunners reserve for a memory of WebAssembly.
  const reserves = "new WebAssembly.Memory({ initial: 1, maximum: 1 })";
  const canReserve = (await ended(limited(["-e", reserves]))).status === 0;
  const { status, log } = await ended(limited([program, "configFile=net.cntk", "command=train"]));
  expect([status, models(directory)]).toEqual([0, afterTraining]);
  const missing = "The backend 'wasm' cannot run here: its addresses, some 10 GB, cannot be had (ulimit -v).";
  expect(log).toContain(canReserve ? "Math lib: wasm" : missing);
});

/** Exit status and standard error of a process. */
async function ended(child: ReturnType<typeof spawn>): Promise<{ status: unknown; log: string }> {
  let log = "";
  child.stderr?.on("data", (text: Buffer) => (log += text.toString()));
  return { status: await new Promise((resolve) => child.on("close", resolve)), log };
}
