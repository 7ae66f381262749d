import { describe, expect, it } from "vitest";
import { loadModel, modelSummary, nodesAsJson } from "../../src/index.js";

describe("a model in short", () => {
  const model = loadModel("test/fixtures/conformance/actions/model/m.dnn");

  it("lists layers with their parameters, and the totals", () => {
    const lines = modelSummary(model.model).trimEnd().split("\n");
    const cells = lines.map((line) => line.split(/ {2,}/).slice(0, 3));
    // 16 x 2 + 16, 8 x 16 + 8, 2 x 8 + 2.
    expect(cells).toEqual([
      ["layer", "learned", "constant"],
      ["model.arrayOfFunctions[0].arrayOfFunctions[0]", "48", "0"],
      ["model.arrayOfFunctions[1].arrayOfFunctions[0]", "136", "0"],
      ["model.arrayOfFunctions[2]", "18", "0"],
      ["total", "202", "0"],
    ]);
  });

  it("tells everything of every node as JSON", () => {
    const nodes = JSON.parse(nodesAsJson(model.model, () => model.shaped)) as Record<string, unknown>[];
    expect(nodes).toHaveLength(18);
    expect(nodes.find(({ name }) => name === "z")).toEqual({
      name: "z",
      operation: "Plus",
      shape: [2],
      inputs: ["z.PlusArgs[0]", "model.arrayOfFunctions[2].b"],
      parameters: 0,
      groups: ["output"],
    });
  });
});
