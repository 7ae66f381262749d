import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CntkError } from "../../src/diagnostics/diagnostic.js";
import { checkConfig } from "../../src/index.js";
import { captureRun } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { twoClasses, twoClassesConfig } from "../support/two-classes.js";

const folder = temporaryFolder();
let count = 0;

function fresh(configuration = twoClassesConfig()): string {
  const directory = join(folder, String(count++));
  mkdirSync(directory);
  writeFileSync(join(directory, "data.txt"), twoClasses(300));
  writeFileSync(join(directory, "net.cntk"), configuration);
  return directory;
}

/** What `check` says of a configuration: the error's code and message, or nothing. */
async function checked(words: readonly string[], configuration?: string): Promise<string | undefined> {
  const directory = fresh(configuration);
  const silent = { write: () => undefined };
  const options = { directory, log: silent, output: silent };
  const problem = await checkConfig(["configFile=net.cntk", ...words], options).then(
    () => undefined,
    (error: CntkError) => `${error.code}: ${error.message}`,
  );
  expect(readdirSync(directory).sort()).toEqual(["data.txt", "net.cntk"]);
  return problem;
}

/** Actions of CNTK's that are not there yet. */
const missing = ["convertdbn", "devtest", "exportdbn"];

describe("an action that is not there yet", () => {
  it.each(missing)("%s is refused when it is its turn, and by check; it needs no reader", async (action) => {
    const words = ["configFile=net.cntk", "command=train:other", `other=[action=${action}]`];
    const directory = fresh();
    const { log, error } = await captureRun(words, { directory });
    expect([error?.code, error?.message]).toEqual(["not-available", `action ${action} is not available yet`]);
    expect(readdirSync(join(directory, "Models")).sort()).toEqual([
      "net",
      "net.0",
      "net.1",
      "net.2",
      "net.ckp",
    ]);
    expect(log.slice(log.indexOf('Action "train" complete.'))).toContain(
      `# other command (${action} action) `,
    );
    expect(await checked(words.slice(1))).toBe(`not-available: action ${action} is not available yet`);
  });
  it("is not taken for a word that CNTK does not know", async () => {
    const words = ["command=other", "other=[action=plott]"];
    expect(await checked(words)).toBe("unknown-action: unknown action: plott  in command set: other");
  });
});

describe("check refuses what a run refuses", () => {
  const table: readonly (readonly [words: string[], said: string])[] = [
    [["train=[SGD=[minibatchSize=0]]"], "minibatch-size: Minibatch size cannot be zero."],
    [
      ["test=[evalNodeNames=z]"],
      "criterion-not-scalar: Criterion nodes to evaluate must have dimension 1x1.",
    ],
    [
      ["command=train:write", "write=[format=[type=cat]]"],
      "write-type: write: type must be 'real', 'category', or 'sparse'",
    ],
    [
      ["command=train:write", "write=[writeSequenceKey=true;format=[sequencePrologue=%k]]"],
      "sequence-keys: Sequence Id mapping is not available for old style configurations. Please use deserializers.",
    ],
    [
      ["parallelTrain=true", "train=[SGD=[ParallelTrain=[parallelizationMethod=DataParallelASGD]]]"],
      "not-available: parallelizationMethod = DataParallelASGD is not available yet",
    ],
  ];
  it.each(table)("%j", async (words, said) => {
    expect(await checked(words)).toBe(said);
    const { error } = await captureRun(["configFile=net.cntk", ...words], { directory: fresh() });
    expect(`${error?.code}: ${error?.message}`).toBe(said);
  });
  it("but only warns of kinds of readers that are not there yet, since the network does not need them", async () => {
    const words = ["configFile=net.cntk", "command=train", "train=[cvReader=[readerType=KaldiReader]]"];
    const silent = { write: () => undefined };
    const { warnings } = await checkConfig(words, { directory: fresh(), log: silent, output: silent });
    expect(warnings.map(({ message }) => message)).toEqual([
      "readerType KaldiReader is not available yet: a run would stop here",
    ]);
    const { error } = await captureRun(words, { directory: fresh() });
    expect(`${error?.code}: ${error?.message}`).toBe(
      "not-available: readerType KaldiReader is not available yet",
    );
  });
  it("and nothing else: a whole configuration passes", async () => {
    expect(await checked(["command=train:test:write"])).toBeUndefined();
  });
  it("without drawing initial values: 80 gigabytes of them do not matter", async () => {
    const wide = twoClassesConfig().replace(/DenseLayer \{8.*/, "DenseLayer {100000 : 100000} (features)");
    expect(await checked(["command=train"], wide)).toBeUndefined();
  });
});

describe("a model of another precision", () => {
  it("is refused where its inputs would take the data, and where its training would go on", async () => {
    const directory = fresh();
    await captureRun(["configFile=net.cntk", "command=train"], { directory });
    const words = ["configFile=net.cntk", "precision=float"];
    const message = `The model 'Models/net' is in double precision, but precision="float" is asked for (node 'ce').`;
    for (const command of ["test", "write"]) {
      const { log, error } = await captureRun([...words, `command=${command}`], { directory });
      expect([error?.code, error?.message]).toEqual(["model-precision", message]);
      expect(log).toContain("Memory Sharing");
    }
    rmSync(join(directory, "Models/net"));
    const { error } = await captureRun([...words, "command=train"], { directory });
    expect(error?.code).toBe("model-precision");
  });
});

describe("labels that do not fit", () => {
  it("are warned of in the first five minibatches, and numbers are written instead", async () => {
    const directory = fresh();
    writeFileSync(join(directory, "labels.txt"), "a\nb\nc\n");
    await captureRun(["configFile=net.cntk", "command=train"], { directory });
    const words = [
      "configFile=net.cntk",
      "command=write",
      "write=[minibatchSize=30;format=[type=category;labelMappingFile=labels.txt]]",
    ];
    const { log, error } = await captureRun(words, { directory });
    expect(error).toBeUndefined();
    const warning =
      "write: Row dimension 2 does not match number of entries 3 in labelMappingFile, not using mapping\n";
    expect(log.split(warning)).toHaveLength(6);
    expect(readFileSync(join(directory, "Written/out.z"), "utf8")).toMatch(/^[01](\n[01])*\n$/);
  });
});
