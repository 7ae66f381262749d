import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ModelSession } from "../../src/actions/model-session.js";
import type { Backend } from "../../src/backends/backend.js";
import { selectBackend } from "../../src/backends/select.js";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { printNodes, readModel, writeModel } from "../../src/model-files/index.js";
import { runConfig } from "../../src/api-run.js";
import type { ElementType } from "../../src/numerics/values.js";
import { memoryFiles } from "../support/memory-files.js";
import { checkpointFiles } from "./checkpoint-files.mjs";
import { actionsConfig, exercise, mutated, rebuilt, zeroSample } from "./mutate.mjs";

const folder = new URL("../fixtures/model-files/", import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".model"))
  .sort();

/** Large runs: test/fuzz/run.mjs. */
const seedsPerModel = 40;

const backendFor = async (elementType: ElementType): Promise<Backend> =>
  (await selectBackend({ requested: "javascript", elementType, deviceId: -1 })).backend;

/** A code for what a CntkError tells; anything else comes through and fails the test. */
async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (error instanceof CntkError) return error.code;
    throw error;
  }
}

describe("damaged model files", () => {
  it.each(names)("%s: read, printed, written and evaluated, or refused with a reason", async (name) => {
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
    const model = readModel(bytes, name);
    const files = memoryFiles(new Map([["/data.txt", zeroSample(model)]]));
    const api = { readModel, writeModel, printNodes, ModelSession, CntkError, backendFor };
    const outcomes = new Map<string, number>();
    for (let seed = 1; seed <= seedsPerModel; seed++) {
      const damaged = seed % 2 === 0 ? mutated(bytes, seed) : (rebuilt(api, bytes, seed) ?? bytes);
      // Anything but a CntkError comes through and fails the test.
      const outcome = await exercise(api, damaged, "damaged.model", files, "/data.txt");
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(seedsPerModel);
    // Damage of bytes breaks the form of a good part of the files, and that is noticed.
    expect(outcomes.get("model-file-broken")).toBeGreaterThan(0);
  });

  it("pass through the actions test and write, or are refused with a reason", async () => {
    const name = names[0]!;
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
    const model = readModel(bytes, name);
    const contents = new Map<string, string | Uint8Array>([
      ["/data.txt", zeroSample(model)],
      ["/run.cntk", actionsConfig(model, "/damaged.dnn", "/data.txt", "/out")],
    ]);
    const quiet = { write: () => undefined };
    const options = { files: memoryFiles(contents), log: quiet, output: quiet, backend: "javascript" };
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      contents.set("/damaged.dnn", seed === 0 ? bytes : mutated(bytes, seed));
      outcomes.add(await outcomeOf(runConfig(["configFile=/run.cntk"], options)));
    }
    expect(outcomes).toContain("ok");
    expect(outcomes).toContain("model-file-broken");
  });
});

describe("damaged checkpoints", () => {
  it("are gone on from, or refused with a reason", async () => {
    const contents = new Map<string, string | Uint8Array>(Object.entries(checkpointFiles("adagrad")));
    const quiet = { write: () => undefined };
    const options = { files: memoryFiles(contents), log: quiet, output: quiet, backend: "javascript" };
    const train = () => outcomeOf(runConfig(["configFile=/train.cntk"], options));
    expect(await train()).toBe("ok");
    const whole = contents.get("/m.dnn.1.ckp") as Uint8Array;
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 30; seed++) {
      for (const path of ["/m.dnn", "/m.dnn.ckp"]) contents.delete(path);
      contents.set("/m.dnn.1.ckp", seed === 0 ? whole : mutated(whole, seed));
      outcomes.add(await train());
    }
    expect(outcomes).toContain("ok");
    expect(outcomes.size).toBeGreaterThan(1);
  });
});
