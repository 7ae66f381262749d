import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtProgram, endsInTime } from "../support/program.js";
import { numberLines } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { twoClasses, twoClassesConfig } from "../support/two-classes.js";

/** Real processes that meet by MPI. Where `mpiexec` (Debian: openmpi-bin) is not installed these tests are skipped. */
const installed = spawnSync("mpiexec", ["--version"], endsInTime).status === 0;
if (!installed)
  console.warn("mpiexec is not installed: the tests of test/node/mpi.test.ts that need it are skipped");
const program = builtProgram();
const folder = temporaryFolder();
let count = 0;

const parallel =
  "ParallelTrain=[parallelizationMethod=DataParallelSGD;distributedMBReading=true;DataParallelSGD=[gradientBits=32]]";

function fresh(): string {
  const directory = join(folder, String(count++));
  mkdirSync(directory);
  writeFileSync(join(directory, "data.txt"), twoClasses(300));
  writeFileSync(join(directory, "net.cntk"), twoClassesConfig({ precision: "float" }));
  return directory;
}

interface Ended {
  readonly status: number | null;
  readonly text: string;
}

/** Runs the program on `ranks` processes; `kill` is asked with everything that was printed so far. */
function mpiexec(
  directory: string,
  ranks: number,
  words: readonly string[],
  kill?: (text: string) => number | undefined,
): Promise<Ended> {
  const launcher = ["--allow-run-as-root", "--oversubscribe", "-n", String(ranks)];
  const child = spawn(
    "mpiexec",
    [...launcher, process.execPath, program, "--backend", "javascript", ...words],
    // mpiexec passes this signal on to its processes.
    { cwd: directory, stdio: ["ignore", "pipe", "pipe"], ...endsInTime, killSignal: "SIGTERM" },
  );
  let text = "";
  let killed = false;
  const take = (piece: Buffer): void => {
    text += piece.toString();
    const victim = killed ? undefined : kill?.(text);
    if (victim === undefined) return;
    killed = true;
    process.kill(victim, "SIGKILL");
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, text })));
}

const words = ["configFile=net.cntk", `train=[SGD=[${parallel}]]`, "randomize=false"];

describe.skipIf(!installed)("processes that mpiexec starts", () => {
  it("train what one process trains, and each has a log", async () => {
    const [one, two] = [fresh(), fresh()];
    const log = [
      "stderr=log",
      "precision=double",
      "train=[SGD=[ParallelTrain=[DataParallelSGD=[gradientBits=64]]]]",
      "command=train",
    ];
    const alone = await mpiexec(one, 1, [...words, "parallelTrain=true", ...log]);
    const together = await mpiexec(two, 2, [...words, ...log]);
    expect([alone.status, together.status]).toEqual([0, 0]);
    const numbers = (directory: string, name: string): string[] =>
      numberLines(readFileSync(join(directory, name), "utf8")).map((line) =>
        line.replace(/\(myRank.*numNodes = \d/, ""),
      );
    const expected = numbers(one, "log");
    expect(expected.some((line) => line.startsWith("Finished Epoch[ 3 of 3]"))).toBe(true);
    expect(numbers(two, "log")).toEqual(expected);
    // Only the first process saves models.
    const said = expected.filter((line) => !line.startsWith("SGD: Saving"));
    expect(numbers(two, "log.rank1")).toEqual(said);
  });

  it("end together, with a status, when one of them is killed", async () => {
    const endless = [...words, "train=[SGD=[maxEpochs=100000]]", "traceLevel=1"];
    const killed = await mpiexec(fresh(), 2, endless, (text) => {
      if (!/Finished Epoch\[ 2 of/.test(text)) return undefined;
      return rankOf(`${program}.*maxEpochs=100000`);
    });
    expect(killed.status).not.toBe(0);
    expect(killed.text).not.toContain("COMPLETED");
  });

  it("go on after that, to the digits and the model of a run that nobody killed", async () => {
    const [whole, torn] = [fresh(), fresh()];
    const long = [...words, "command=train", "traceLevel=1", "train=[SGD=[maxEpochs=60]]"];
    expect((await mpiexec(whole, 2, [...long, "stderr=log"])).status).toBe(0);
    const killed = await mpiexec(torn, 2, long, (text) =>
      /Finished Epoch\[ 3 of/.test(text) ? rankOf(`${program}.*maxEpochs=60`) : undefined,
    );
    expect(killed.status).not.toBe(0);
    expect(killed.text).not.toContain("Finished Epoch[60 of 60]");
    const again = await mpiexec(torn, 2, [...long, "stderr=log"]);
    expect(again.status).toBe(0);
    const epochs = (directory: string): string[] =>
      numberLines(readFileSync(join(directory, "log"), "utf8")).filter((line) =>
        line.startsWith("Finished Epoch"),
      );
    const left = epochs(torn);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(60);
    expect(epochs(whole).slice(-left.length)).toEqual(left);
    const model = (directory: string): Buffer => readFileSync(join(directory, "Models/net"));
    expect(model(torn).equals(model(whole))).toBe(true);
  });

  it("end together when one of them has another network", async () => {
    const directory = fresh();
    const wider = twoClassesConfig({ precision: "float" }).replace(/DenseLayer \{8/, "DenseLayer {9");
    writeFileSync(join(directory, "wider.cntk"), wider);
    const own = `configFile=net.cntk; [ "$OMPI_COMM_WORLD_RANK" = 1 ] && own=configFile=wider.cntk`;
    const script = `own=${own}; exec "$0" "$1" --backend javascript "$own" "$2"`;
    const launcher = ["--allow-run-as-root", "--oversubscribe", "-n", "2", "sh", "-c", script];
    const child = spawn("mpiexec", [...launcher, process.execPath, program, words[1] ?? ""], {
      cwd: directory,
      ...endsInTime,
      killSignal: "SIGTERM",
    });
    let text = "";
    child.stderr.on("data", (piece: Buffer) => void (text += piece.toString()));
    const status = await new Promise((resolve) => child.on("close", resolve));
    expect(status).not.toBe(0);
    expect(text).toMatch(/The processes do not train the same network: rank \d has \d+ parameters/);
  });
});

/** The number of a process that mpiexec has started, by its command line. */
function rankOf(pattern: string): number | undefined {
  const found = spawnSync("pgrep", ["-f", pattern], endsInTime).stdout.toString().split("\n").map(Number);
  return found.find(isNode);
}

/** mpiexec itself has the words of its processes on its command line too. */
function isNode(process: number): boolean {
  try {
    return process > 0 && readFileSync(`/proc/${process}/comm`, "utf8").trim() !== "mpiexec";
  } catch {
    return false;
  }
}

it("without the library the message says what to install", () => {
  const ended = spawnSync(process.execPath, [program, ...words], {
    ...endsInTime,
    cwd: fresh(),
    env: { ...process.env, OMPI_COMM_WORLD_SIZE: "2", CNTKTS_MPI_LIBRARY: "/nowhere/libmpi.so" },
  });
  expect(ended.status).toBe(1);
  const said = ended.stderr.toString();
  expect(said).toContain(
    "Several processes train together by MPI, whose library cannot be loaded from '/nowhere/libmpi.so'.",
  );
  expect(said).toContain("apt-get install libopenmpi3 openmpi-bin");
});
