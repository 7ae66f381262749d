import { it } from "vitest";
import { readFileSync } from "node:fs";
import { buildText } from "../support/build-text.js";
import { AxisNames, validateNetwork } from "../../src/shapes/index.js";
import { trainingGraph } from "../../src/updates/index.js";
import { planGraph, printPlan } from "../../src/plan/index.js";
it("07", () => {
  const text = readFileSync("models/07_Deconvolution_BS.cntk", "utf8");
  const i = text.indexOf("BrainScriptNetworkBuilder = {");
  let depth = 0, j = text.indexOf("{", i); const start = j;
  do { if (text[j] === "{") depth++; if (text[j] === "}") depth--; j++; } while (depth);
  const built = buildText(text.slice(start, j));
  const { shaped } = validateNetwork(built.network, { traceLevel: 1, axisNames: new AxisNames(), elementType: "double" });
  const criterion = built.network.groups.criterion[0]!;
  const g = trainingGraph(shaped, { criterion, outputs: [criterion], options: { gradientUpdate: "none", useNesterov: false, l1Weight: 0, l2Weight: 0, clippingThresholdPerSample: Infinity, clippingWithTruncation: true } });
  console.log(printPlan(planGraph(g.graph, "double")));
});
