import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runConfig } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const model = join(process.cwd(), "test/fixtures/conformance/actions/model/m.dnn");

it.each([
  ["net.svg", "net.svg", false],
  ["net.png", "net.svg", true],
  ["net", "net.svg", true],
])("plot: %s is drawn as %s", async (outputFile, drawn, warns) => {
  const directory = temporaryFolder();
  writeFileSync(
    join(directory, "plot.cntk"),
    `command = plot ; plot = [ action = plot ; modelPath = "${model}" ; outputDotFile = net.dot ; outputFile = ${outputFile} ]`,
  );
  let log = "";
  await runConfig(["configFile=plot.cntk", "precision=double"], {
    directory,
    log: { write: (text) => void (log += text) },
  });
  expect(readFileSync(join(directory, drawn), "utf8")).toMatch(/<svg[^]*<title>[^]*<\/svg>/);
  expect(log.includes(`${drawn} is written in place of ${outputFile}`)).toBe(warns);
});
