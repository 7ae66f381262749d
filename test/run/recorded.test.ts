import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { captureRun, comparableLines } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

interface RecordedCase {
  readonly name: string;
  readonly words: readonly string[];
  /** Which lines of the log, and of standard output, are compared. */
  readonly keep: string;
  readonly status: 0 | 1;
  readonly lines: readonly string[];
}

const fixtures = new URL("../fixtures/recorded/", import.meta.url).pathname.replace(/\/$/, "");
const { cases } = JSON.parse(readFileSync(join(fixtures, "cases.json"), "utf8")) as {
  readonly cases: readonly RecordedCase[];
};
const folder = temporaryFolder();

// What CNTK 2.0 on CPU printed for the same configuration, in double precision: of many short runs a few lines.
describe("as CNTK prints it", () => {
  it.each(cases.map((recorded, index) => ({ ...recorded, index })))("$name", async (recorded) => {
    const directory = join(folder, String(recorded.index));
    const words = [
      `configFile=${fixtures}/net.cntk`,
      `RunDir=${directory}`,
      `DataDir=${fixtures}`,
      "forceDeterministicAlgorithms=true",
      "deviceId=-1",
      ...recorded.words.map((word) => word.replaceAll("$DataDir$", fixtures)),
      "stderr=-",
    ];
    const { log, error } = await captureRun(words, { directory: fixtures });
    expect(error ? 1 : 0).toBe(recorded.status);
    const lines = log
      .replaceAll(directory, "$RunDir$")
      .replaceAll(fixtures, "$DataDir$")
      .split("\n")
      .map((line) => line.replace(/; time = .*|; epochTime.*/, ""));
    const kept = new RegExp(recorded.keep);
    expect(lines.filter((line) => kept.test(line))).toEqual(recorded.lines);
  });
});

/** The lines of a log from its first command on. */
function linesOfCommands(log: string): string[] {
  const lines = comparableLines(log);
  return lines.slice(lines.findIndex((line) => /^# .* command \(/.test(line)));
}

// Whole logs.
describe("a run prints what CNTK printed", () => {
  for (const name of ["tracing", "unit-test", "axes", "verbosity"]) {
    it(name, async () => {
      const here = join(fixtures, name);
      const output = join(folder, name);
      const words = [`configFile=${join(here, "case.cntk")}`, `Folder=${here}`, `OutDir=${output}`];
      const { log, error } = await captureRun(words);
      expect(error).toBeUndefined();
      const recorded = readFileSync(join(here, "log.txt"), "utf8");
      expect(linesOfCommands(log.replaceAll(output, "$OutDir$"))).toEqual(linesOfCommands(recorded));
    });
  }
});
