import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Network, NetworkNode } from "../../src/network/network.js";
import { operationByName } from "../../src/ops/index.js";
import { AxisNames } from "../../src/shapes/index.js";
import { parseRecordedLog } from "../support/recorded-log.js";
import { validateWithLog } from "../support/validate-with-log.js";

describe("validation of a recurrence, against a log of CNTK 2.0 (CPU build)", () => {
  it("finds the loop, its order and the passes, and revisits what the delay node changed", () => {
    const file = new URL("../fixtures/validation/past-value.txt", import.meta.url);
    const [recorded] = parseRecordedLog(readFileSync(file, "utf8"));
    if (!recorded) throw new Error("no compile in the fixture");
    const nodes = new Map<string, NetworkNode>();
    for (const { name, operation, shape } of recorded.nodes) {
      const op = operationByName(operation);
      if (!op) throw new Error(`no operation ${operation}`);
      const defaults = Object.entries(op.attributes).map(
        ([key, { default: value }]) => [key, value] as const,
      );
      const delay = op.delay ? { timeStep: 1, defaultHiddenActivation: 5 } : {};
      const attributes = { ...Object.fromEntries(defaults), shape, ...delay };
      const isLinearLayer = name === "z.W";
      nodes.set(name, {
        name,
        op,
        inputs: [],
        attributes: isLinearLayer ? { ...attributes, init: "glorotUniform", seed: 1 } : attributes,
        tags: new Set(),
      });
    }
    const find = (name: string): NetworkNode => {
      const node = nodes.get(name);
      if (!node) throw new Error(`no node ${name}`);
      return node;
    };
    for (const { name, inputs } of recorded.nodes) find(name).inputs = inputs.map(find);
    const network: Network = {
      nodes: [...nodes.values()],
      groups: {
        feature: [],
        label: [],
        criterion: [find("ce")],
        evaluation: [find("err")],
        output: [find("z")],
      },
      values: new Map(),
    };
    const { log } = validateWithLog(network, {
      traceLevel: 1,
      axisNames: new AxisNames(),
      elementType: "double",
    });
    expect(log).toBe(recorded.text);
  });
});
