import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { captureRun } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const root = join(import.meta.dirname, "..", "..");
const folder = temporaryFolder();

/** The right answer after each bit of a data file, counted here. */
function parities(text: string): string[] {
  let sequence = "";
  let odd = 0;
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [, id = "", bit] = /^(\d+) \|bit (\d):1/.exec(line) ?? [];
      if (id !== sequence) odd = 0;
      sequence = id;
      odd ^= Number(bit);
      return String(odd);
    });
}

it("models/parity_LSTM.cntk learns to remember, from short sequences for longer ones", async () => {
  const words = [
    `configFile=${join(root, "models/parity_LSTM.cntk")}`,
    `outputDir=${folder}`,
    `dataDir=${join(root, "models/data")}`,
  ];
  const { log, error } = await captureRun(words, { directory: folder, backend: "javascript" });
  expect(error).toBeUndefined();
  expect(log).toMatch(/Final Results: Minibatch\[1-\d+\]: errs = 0\.000%/);
  const answers = readFileSync(join(folder, "parity.z"), "utf8").trim().split("\n");
  expect(answers).toEqual(parities(readFileSync(join(root, "models/data/parity_test.txt"), "utf8")));
});
