import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runConfig } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/* What CNTK's own tests expect of dumpNode, for the models that lie beside. */

const data = fileURLToPath(
  new URL("../../../shared/cntk/Tests/UnitTests/BrainScriptTests/Data/ComputationNetwork/", import.meta.url),
);
const folder = temporaryFolder();

/** Blanks at the ends of lines aside. */
const lines = (text: string): string[] => text.split("\n").map((line) => line.trimEnd());

/** The files come from Windows, whose exponents had three digits, and from before CNTK 2.0 renamed an operation. */
const asToday = (text: string): string =>
  text.replace(/e([-+])0(\d\d)\b/g, "e$1$2").replace(/=ErrorPrediction\b/g, "=ClassificationError");

describe.skipIf(!existsSync(data))("dumps of CNTK's test models (skipped without CNTK's tree)", () => {
  it.each(["01_OneHidden.dnn", "MC.dnn"])("%s", async (model) => {
    const [config, out] = [join(folder, "dump.cntk"), join(folder, `${model}.txt`)];
    writeFileSync(
      config,
      `command=go\ngo=[ action=dumpNode ; modelPath="${join(data, model)}" ; outputFile="${out}" ]\n`,
    );
    const quiet = { write: () => undefined };
    await runConfig([`configFile=${config}`], { log: quiet, output: quiet });
    const expected = asToday(readFileSync(join(data, `${model}_Expected.txt`), "utf8"));
    expect(lines(readFileSync(out, "utf8"))).toEqual(lines(expected));
  });
});
