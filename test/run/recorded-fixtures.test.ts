import { join } from "node:path";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { captureRun, comparableLines } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = join(import.meta.dirname, "..", "fixtures", "recorded");

/** The lines of a log from its first command on. */
function linesOfCommands(log: string): string[] {
  const lines = comparableLines(log);
  return lines.slice(lines.findIndex((line) => /^# .* command \(/.test(line)));
}

/** Configurations of ours; the logs are what CNTK 2.0 printed of them on a CPU, in double. */
describe("a run prints what CNTK printed", () => {
  const temporary = temporaryFolder();
  for (const name of ["tracing", "unit-test", "axes"]) {
    it(name, async () => {
      const here = join(folder, name);
      const output = join(temporary, name);
      const words = [`configFile=${join(here, "case.cntk")}`, `Folder=${here}`, `OutDir=${output}`];
      const { log, error } = await captureRun(words);
      expect(error).toBeUndefined();
      const recorded = readFileSync(join(here, "log.txt"), "utf8");
      expect(linesOfCommands(log.replaceAll(output, "$OutDir$"))).toEqual(linesOfCommands(recorded));
    });
  }
});
