import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readConfiguration } from "../../../src/config/index.js";
import { nodeFiles } from "../../../src/node/index.js";
import { AxisNames } from "../../../src/shapes/index.js";
import { buildText } from "../../support/build-text.js";
import { validateWithLog } from "../../support/validate-with-log.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** What is printed about the network of a sample config, from the first parameter to the end of validation. */
function networkLog(model: string): string {
  const { result } = readConfiguration(
    [`configFile=models/${model}.cntk`, "precision=double"],
    nodeFiles(root),
  );
  const text = result.root.section("trainNetwork").text("BrainScriptNetworkBuilder");
  const built = buildText(text.text);
  const { log } = validateWithLog(built.network, {
    traceLevel: 1,
    axisNames: new AxisNames(),
    elementType: "double",
  });
  return built.log + log;
}

describe("the sample configs build CNTK's networks", () => {
  // Recorded from CNTK 2.0, CPU build, with its own configs (cMap3, pool2 and two: its 07 with another model).
  it.each([
    "01_OneHidden",
    "02_OneConv",
    "05_OneConvRegr",
    "07_Deconvolution_BS",
    "07_Deconvolution_cMap3",
    "07_Deconvolution_pool2",
    "07_Deconvolution_two",
  ])("%s: names, order, shapes and seeds", (model) => {
    const recorded = readFileSync(`${root}/test/fixtures/network-builder/${model}.log`, "utf8");
    expect(networkLog(model)).toBe(recorded);
  });

  it.each([
    [
      "03_OneConvDropout",
      "Validating --> _ol.x._.x = Dropout (ol.x._.x._) : [14 x 14 x 16 x *] -> [14 x 14 x 16 x *]",
    ],
    ["04_OneConvBN", "[28 x 28 x 16 x *], [16 x 1], [16 x 1], [16 x 1], [16 x 1], [1] -> [28 x 28 x 16 x *]"],
  ])("%s, of which no log was recorded, builds too", (model, line) => {
    expect(networkLog(model)).toContain(line);
  });
});
