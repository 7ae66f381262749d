import { describe, expect, it } from "vitest";
import { checkConfig } from "../../src/api-run.js";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { renderDiagnostic } from "../../src/diagnostics/render.js";
import { memoryFiles } from "../support/memory-files.js";

const quiet = { write: () => undefined };

async function shown(members: readonly string[]): Promise<string> {
  const text = [
    "train = [ action = train ; modelPath = m.dnn",
    "BrainScriptNetworkBuilder = {",
    ...members,
    "}",
    "]",
  ].join("\n");
  const files = memoryFiles(new Map([["/net.cntk", text]]));
  try {
    await checkConfig(["configFile=/net.cntk"], { files, log: quiet, output: quiet });
  } catch (error) {
    if (error instanceof CntkError) return renderDiagnostic(error.diagnostic);
    throw error;
  }
  return "no mistake";
}

const placesIn = (text: string): string[] =>
  [...text.matchAll(/^ {2}at .*:(\d+):\d+$/gm)].map(([, line]) => line!);

describe("syntax errors that have nothing to do with one another", () => {
  it("are shown together, in order, and what is right between them is not", async () => {
    const text = await shown(["a = = 1", "b = 2", "c = (1 + )", "d = 4", "e = (2 3)", "f = 5", "g = 'x' ?"]);
    expect(placesIn(text)).toEqual(["3", "5", "7", "9"]);
  });

  it("do not make a right line wrong that what is left of a broken one runs into", async () => {
    expect(placesIn(await shown(["a = 1", "b = = a", "c = a + a", "d = (1 + )"]))).toEqual(["4", "6"]);
  });

  it("are shown up to the twentieth, with the number of the rest", async () => {
    const text = await shown(Array.from({ length: 3000 }, (_, i) => `z${i} = (1 + )`));
    expect(placesIn(text)).toHaveLength(20);
    expect(text).toMatch(/\n… and 2980 more$/);
  });
});

describe("ten thousand nodes side by side", () => {
  it("are a network like others", async () => {
    const nodes = Array.from({ length: 10_000 }, (_, i) => `z${i} = Sigmoid (x)`);
    expect(await shown(["x = Input {2}", ...nodes, "outputNodes = (z1)"])).toBe("no mistake");
  });
});
