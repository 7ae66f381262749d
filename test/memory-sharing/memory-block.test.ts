import { describe, expect, it } from "vitest";
import { memoryBlock, memoryGroups } from "../../src/memory-sharing/index.js";
import { AxisNames } from "../../src/shapes/index.js";
import type { NetworkNode, ShapedNetwork } from "../../src/network/network.js";
import { trainedUses } from "../../src/updates/index.js";
import {
  recordedCompiles,
  recordedModels,
  validateAgain,
  validateModel,
} from "../support/recorded-models.js";

function nodesNamed(shaped: ShapedNetwork, names: readonly string[]): NetworkNode[] {
  return names.map((name) => {
    const node = shaped.network.nodes.find((candidate) => candidate.name === name);
    if (!node) throw new Error(`no node ${name}`);
    return node;
  });
}

/** Groups as a set: CNTK prints them in the order of heap addresses. */
function asSet(groups: readonly (readonly string[])[]): string[] {
  return groups.map((group) => [...group].sort().join("; ")).sort();
}

describe("who shares memory, against logs of CNTK 2.0 (CPU build)", () => {
  it.each(recordedModels)("%s: training", (...model) => {
    const { train } = recordedCompiles(model);
    const { shaped } = validateModel(model);
    const [criterion] = nodesNamed(shaped, [train.criterion ?? ""]);
    const roots = { evaluated: nodesNamed(shaped, train.evaluations), criterion };
    expect(asSet(memoryGroups(shaped, roots))).toEqual(asSet(train.memory?.groups ?? []));
    expect(memoryBlock(shaped, roots)).toContain(`\nMemory Sharing: ${train.memory?.counts}\n`);
    expect(trainedUses(shaped, criterion as NetworkNode).map(({ name }) => name)).toEqual(train.trained);
  });

  it.each(recordedModels)("%s: test", (...model) => {
    const { train, test } = recordedCompiles(model);
    const axisNames = new AxisNames();
    const { shaped } = validateAgain(validateModel(model, axisNames).shaped, axisNames);
    const evaluated = nodesNamed(shaped, [...new Set([...train.evaluations, train.criterion ?? ""])]);
    expect(asSet(memoryGroups(shaped, { evaluated }))).toEqual(asSet(test.memory?.groups ?? []));
  });
});
