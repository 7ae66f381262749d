import { describe, expect, it } from "vitest";
import { canFuse } from "../../src/backends/wasm/emit/engine.js";
import { alone } from "../../src/backends/wasm/team.js";
import { readConfiguration } from "../../src/config/read-configuration.js";
import { RunLog } from "../../src/log/run-log.js";
import { allowRelaxedVectors } from "../../src/node/platform.js";
import { openSession } from "../../src/run/open-session.js";
import { memoryFiles } from "../support/memory-files.js";
import { PlanBuilder, runOn } from "../support/plan-builder.js";

allowRelaxedVectors();

/** The session of a configuration on a machine of four cores, and the threads that it asked for. */
async function opened(words: readonly string[]) {
  const files = memoryFiles(new Map());
  const asked: number[] = [];
  const sink = { write: () => undefined };
  const start = {
    files,
    library: [],
    errorOutput: sink,
    output: sink,
    platform: { version: "", host: "", nodeVersion: "", cores: 4 },
    computeTeam: (threads: number) => {
      asked.push(threads);
      return alone;
    },
  };
  const { session } = await openSession(start, readConfiguration(words, files).result, new RunLog(sink));
  return { session, asked };
}

/** (1 + 2⁻¹²)² − 1 as a product of a row and a column: rounded twice, the last bit of the square is lost. */
async function squared(words: readonly string[]): Promise<number | undefined> {
  const { session } = await opened(words);
  const { elementType } = session;
  const builder = new PlanBuilder(elementType);
  const output = builder.temporary([1, 1], false);
  const reads = [builder.input("a", [1, 2], false), builder.input("b", [2, 1], false)];
  builder.emit("matmul", reads, output, { transposeA: false, transposeB: false }).output("y", output);
  const executable = await session.backend.compile(builder.plan());
  const x = 1 + 2 ** -12;
  const outputs = await runOn(executable, elementType, 1, { a: [-1, x], b: [1, x] });
  await executable.dispose();
  return outputs["y"]?.[0];
}

describe("a session", () => {
  it.each([
    [[], 4],
    [["numCPUThreads=3"], 3],
    [["numCPUThreads=3", "forceDeterministicAlgorithms=true"], 1],
  ])("of %j computes with so many threads: %i", async (words, threads) => {
    expect((await opened(words)).asked).toEqual([threads]);
  });

  const [once, twice] = [2 ** -11 + 2 ** -24, 2 ** -11];
  it.skipIf(!canFuse()).each([
    [[], once],
    [["forceDeterministicAlgorithms=false"], once],
    [["forceDeterministicAlgorithms=true"], twice],
    [["precision=double"], once],
    [["precision=double", "forceDeterministicAlgorithms=true"], once],
  ])("of %j rounds a product and its sum as documented (relaxed SIMD)", async (words, expected) => {
    expect(await squared(words)).toBe(expected);
  });
});
