import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BackendName } from "../../src/index.js";
import { presentBackends } from "../support/backends.js";
import { captureRun, numberLines } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { twoClasses, twoClassesConfig, type TwoClassesOptions } from "../support/two-classes.js";

const folder = temporaryFolder();
const present = await presentBackends();
let count = 0;

/** A folder with the data and the configuration. */
function fresh(options: TwoClassesOptions): string {
  const directory = join(folder, String(count++));
  mkdirSync(directory);
  writeFileSync(join(directory, "data.txt"), twoClasses(300));
  writeFileSync(join(directory, "net.cntk"), twoClassesConfig(options));
  return directory;
}

const words = ["configFile=net.cntk", "stderr=-"];

/** All files below Models, by name. */
function models(directory: string): Record<string, Uint8Array> {
  const place = join(directory, "Models");
  const names = existsSync(place) ? readdirSync(place).sort() : [];
  return Object.fromEntries(names.map((name) => [name, Uint8Array.from(readFileSync(join(place, name)))]));
}

/** The lines about numbers from the beginning of an epoch on. */
function fromEpoch(log: string, epoch: number): string[] {
  const lines = numberLines(log);
  return lines.slice(lines.findIndex((line) => line.startsWith(`Starting Epoch ${epoch}:`)));
}

/** Trains until `epoch` is on its way, keeps a copy of what a killed process would leave, then stops. */
async function killedIn(epoch: number, options: TwoClassesOptions, backend?: string): Promise<string> {
  const directory = fresh(options);
  const left = `${directory}-killed`;
  const stop = new AbortController();
  const run = await captureRun(words, {
    directory,
    backend,
    signal: stop.signal,
    onProgress: (progress) => {
      if (progress.epoch !== epoch || existsSync(left)) return;
      cpSync(directory, left, { recursive: true, preserveTimestamps: true });
      stop.abort();
    },
  });
  expect(run.error?.code).toBe("interrupted");
  return left;
}

const backends = ["reference", "tfjs-wasm", "tfjs-cpu"] satisfies BackendName[];

describe("a training killed in an epoch and started again ends as if nothing had happened", () => {
  for (const name of backends) {
    const backend = present.find((candidate) => candidate.name === name);
    const precisions = name === "reference" ? (["double", "float"] as const) : (["float"] as const);
    for (const precision of precisions) {
      for (const dropout of [false, true]) {
        const title = `${name}, ${precision}${dropout ? ", with dropout" : ""}`;
        it.skipIf(!backend || "reason" in backend)(title, async () => {
          const options = { precision, dropout };
          const whole = fresh(options);
          const uninterrupted = await captureRun(words, { directory: whole, backend: name });
          expect(uninterrupted.error).toBeUndefined();
          for (const epoch of [2, 3]) {
            const directory = await killedIn(epoch, options, name);
            expect(Object.keys(models(directory)).at(-1)).toBe(`net.${epoch - 1}.ckp`);
            const resumed = await captureRun(words, { directory, backend: name });
            expect(resumed.log).toContain(
              `Starting from checkpoint. Loading network from 'Models/net.${epoch - 1}'.`,
            );
            expect(resumed.log).not.toContain("Post-processing network...\n\n2 roots");
            expect(fromEpoch(resumed.log, epoch)).toEqual(fromEpoch(uninterrupted.log, epoch));
            expect(models(directory)).toEqual(models(whole));
          }
        });
      }
    }
  }

  it("also when it was killed before its first epoch was over: the untrained model is taken up", async () => {
    const directory = await killedIn(1, {});
    expect(Object.keys(models(directory))).toEqual(["net.0"]);
    const resumed = await captureRun(words, { directory });
    const uninterrupted = await captureRun(words, { directory: fresh({}) });
    expect(resumed.log).toContain("Loading network from 'Models/net.0'.");
    expect(fromEpoch(resumed.log, 1)).toEqual(fromEpoch(uninterrupted.log, 1));
  });
  it("with update rules that remember more than momentum", async () => {
    for (const sgd of ["gradUpdateType = fsAdagrad", "gradUpdateType = rmsProp", "useNAG = true"]) {
      const whole = fresh({ sgd });
      await captureRun(words, { directory: whole });
      const directory = await killedIn(2, { sgd });
      await captureRun(words, { directory });
      expect(models(directory), sgd).toEqual(models(whole));
    }
  });
});

describe("an interrupted run", () => {
  it("stops after the minibatch and leaves whole files only, the last epoch's checkpoint among them", async () => {
    const directory = fresh({});
    const stop = new AbortController();
    let minibatches = 0;
    const run = await captureRun(words, {
      directory,
      signal: stop.signal,
      onProgress: ({ epoch }) => {
        if (epoch === 2 && ++minibatches === 3) stop.abort();
      },
    });
    expect([run.error?.code, minibatches]).toEqual(["interrupted", 3]);
    expect(Object.keys(models(directory))).toEqual(["net.0", "net.1", "net.1.ckp"]);
    expect(readdirSync(directory).sort()).toEqual(["Models", "data.txt", "net.cntk"]);
    expect(numberLines(run.log).at(-1)).toBe("Starting minibatch loop.");
  });
  it("stops a test and a write as well; nothing half-written appears", async () => {
    const directory = fresh({});
    await captureRun(words, { directory });
    for (const command of ["test", "write"]) {
      const stop = new AbortController();
      stop.abort();
      const run = await captureRun([...words, `command=${command}`, "minibatchSize=10"], {
        directory,
        signal: stop.signal,
      });
      expect(run.error?.code, command).toBe("interrupted");
      expect(run.log).not.toContain("Final Results");
      expect(existsSync(join(directory, "Written")) ? readdirSync(join(directory, "Written")) : []).toEqual(
        [],
      );
    }
  });
});

describe("makeMode", () => {
  it("does nothing when the final model is there", async () => {
    const directory = fresh({});
    await captureRun(words, { directory });
    const before = models(directory);
    const again = await captureRun([...words, "command=train"], { directory });
    expect(again.log).toContain("Final model exists: Models/net\nNo further training is necessary.\n");
    expect(again.log).not.toContain("Starting Epoch");
    expect(models(directory)).toEqual(before);
  });
  it("makeMode=false begins anew", async () => {
    const directory = fresh({});
    const first = await captureRun(words, { directory });
    const again = await captureRun([...words, "makeMode=false"], { directory });
    expect(again.log).toContain("Creating virgin network.");
    expect(numberLines(again.log)).toEqual(numberLines(first.log));
  });
  it("a missing checkpoint only warns; momentum begins anew", async () => {
    const directory = await killedIn(2, {});
    rmSync(join(directory, "Models/net.1.ckp"));
    const resumed = await captureRun(words, { directory });
    expect(resumed.error).toBeUndefined();
    expect(resumed.log).toContain(
      "Warning: Checkpoint file is missing. Parameter-learning state (such as momentum) will be reset.\n",
    );
    const uninterrupted = await captureRun(words, { directory: fresh({}) });
    const [ours, theirs] = [fromEpoch(resumed.log, 2), fromEpoch(uninterrupted.log, 2)];
    // The first minibatch is computed before momentum matters, the following ones are not the same.
    expect(ours).toHaveLength(theirs.length);
    expect(ours).not.toEqual(theirs);
  });
  it("a model older than the one before it does not count", async () => {
    const directory = await killedIn(3, {});
    utimesSync(join(directory, "Models/net.2"), 1, 1);
    const resumed = await captureRun(words, { directory });
    expect(resumed.log).toContain("Loading network from 'Models/net.1'.");
  });
});
