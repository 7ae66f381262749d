import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ModelSession } from "../../src/actions/model-session.js";
import type { Backend } from "../../src/backends/backend.js";
import { selectBackend } from "../../src/backends/select.js";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { printNodes, readModel, writeModel } from "../../src/model-files/index.js";
import { memoryFiles } from "../support/memory-files.js";
import { exercise, mutated, rebuilt, zeroSample } from "./mutate.mjs";

const folder = new URL("../fixtures/model-files/", import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".model"))
  .sort();

/** Large runs: test/fuzz/run.mjs. */
const seedsPerModel = 40;

async function backends(): Promise<(isDouble: boolean) => Backend> {
  const [float, double] = await Promise.all(
    (["float", "double"] as const).map((elementType) =>
      selectBackend({ requested: "reference", elementType, deviceId: -1 }),
    ),
  );
  if (!float || !double) throw new Error("no backend");
  return (isDouble) => (isDouble ? double.backend : float.backend);
}

describe("damaged model files", () => {
  it.each(names)("%s: read, printed, written and evaluated, or refused with a reason", async (name) => {
    const backendFor = await backends();
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
    const model = readModel(bytes, name);
    const files = memoryFiles(new Map([["/data.txt", zeroSample(model)]]));
    const api = { readModel, writeModel, printNodes, ModelSession, CntkError };
    const backend = backendFor(model.nodes.some(({ precision }) => precision === "double"));
    const outcomes = new Map<string, number>();
    for (let seed = 1; seed <= seedsPerModel; seed++) {
      const damaged = seed % 2 === 0 ? mutated(bytes, seed) : (rebuilt(api, bytes, seed) ?? bytes);
      // Anything but a CntkError comes through and fails the test.
      const outcome = await exercise({ ...api, backend }, damaged, "damaged.model", files, "/data.txt");
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(seedsPerModel);
    // Damage of bytes breaks the form of a good part of the files, and that is noticed.
    expect(outcomes.get("model-file-broken")).toBeGreaterThan(0);
  });
});
