import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { evaluationOrder } from "../../src/network/loops.js";
import type { Network, NetworkNode } from "../../src/network/network.js";
import type { OpDefinition } from "../../src/network/op-definition.js";
import { collectRoots, compareNames, depthFirstOrder, restrictOrder } from "../../src/network/node-order.js";

const anything: OpDefinition = {
  name: "Anything",
  doc: "",
  source: "",
  inputs: [],
  attributes: {},
  stored: { fields: [] },
  differentiable: "none",
  memory: { usesOutput: false, usesInputs: "none" },
  shape: () => ({ shape: [1], dynamicAxis: null }),
};
const delay: OpDefinition = { ...anything, name: "PastValue", delay: 1 };
const lookAhead: OpDefinition = { ...delay, name: "FutureValue", delay: -1 };

/** A graph from `name: input input` lines; names in upper case are delay nodes, F… of them look ahead. */
function graph(...lines: string[]): Map<string, NetworkNode> {
  const parsed = lines.map((line) => line.split(/[: ]+/).filter(Boolean));
  const nodes = new Map<string, NetworkNode>();
  for (const [name = ""] of parsed) {
    const op = name !== name.toUpperCase() ? anything : name.startsWith("F") ? lookAhead : delay;
    nodes.set(name, { name, op, inputs: [], attributes: {}, tags: new Set() });
  }
  for (const [name = "", ...inputs] of parsed) {
    const node = nodes.get(name);
    if (node) node.inputs = inputs.map((input) => nodes.get(input) as NetworkNode);
  }
  return nodes;
}

function network(nodes: Map<string, NetworkNode>, outputs: readonly string[] = []): Network {
  return {
    nodes: [...nodes.values()],
    groups: {
      feature: [],
      label: [],
      criterion: [],
      evaluation: [],
      output: outputs.map((name) => nodes.get(name) as NetworkNode),
    },
    values: new Map(),
  };
}

const names = (nodes: readonly NetworkNode[]) => nodes.map(({ name }) => name);

describe("roots", () => {
  it("are what nobody uses and what is in a group, upper case first", () => {
    const nodes = graph("a:", "b: a", "c: b", "Z: a", "unused:");
    expect(names(collectRoots(network(nodes, ["b"])))).toEqual(["Z", "b", "c", "unused"]);
  });

  it("sort by code point, beyond the basic plane too", () => {
    expect(["\u{1F600}", "\uFFFD", "b", "B"].sort(compareNames)).toEqual(["B", "b", "\uFFFD", "\u{1F600}"]);
  });

  it("cannot be found when an input is not connected", () => {
    const nodes = graph("a:", "b: a missing");
    expect(() => collectRoots(network(nodes))).toThrow(
      "DetermineSetOfAllRoots: Input 1 of b Anything operation is not connected, network is malformed.",
    );
  });
});

describe("evaluation order", () => {
  it("goes depth first, inputs from left to right, each node once", () => {
    const nodes = graph("x:", "w:", "t: w x", "b:", "z: t b", "e: z x");
    const order = depthFirstOrder([nodes.get("e") as NetworkNode]);
    expect(names(order)).toEqual(["w", "x", "t", "b", "z", "e"]);
    expect(names(restrictOrder(order, [nodes.get("t") as NetworkNode]))).toEqual(["w", "x", "t"]);
  });

  it("survives a chain deeper than the call stack", () => {
    const nodes = Array.from({ length: 50_000 }, (_, index): NetworkNode => {
      return { name: `n${index}`, op: anything, inputs: [], attributes: {}, tags: new Set() };
    });
    nodes.forEach((node, index) => (node.inputs = nodes.slice(Math.max(0, index - 1), index)));
    expect(evaluationOrder(nodes.slice(-1)).order).toHaveLength(50_000);
  });

  it("keeps a loop together, behind the inputs that it meets late", () => {
    const nodes = graph("x:", "b:", "P: h", "u: P", "s: u x", "h: s b", "z: h");
    const { order, loops } = evaluationOrder([nodes.get("z") as NetworkNode]);
    expect(names(order)).toEqual(["x", "b", "P", "u", "s", "h", "z"]);
    expect(loops.map(({ source, nodes: inside }) => [source.name, ...names(inside)])).toEqual([
      ["h", "P", "u", "s", "h"],
    ]);
  });

  it("survives a loop longer than the call stack is deep", () => {
    const nodes = Array.from({ length: 50_000 }, (_, index): NetworkNode => {
      return {
        name: `n${index}`,
        op: index === 0 ? delay : anything,
        inputs: [],
        attributes: {},
        tags: new Set(),
      };
    });
    nodes.forEach((node, index) => (node.inputs = [nodes.at(index - 1) as NetworkNode]));
    const { order, loops } = evaluationOrder(nodes.slice(-1));
    expect(order).toEqual(nodes);
    expect(loops.map(({ nodes: inside }) => inside.length)).toEqual([50_000]);
  });

  it("refuses a loop that looks back and ahead", () => {
    const nodes = graph("P: h", "F: h", "h: P F", "z: h");
    expect(() => evaluationOrder([nodes.get("z") as NetworkNode])).toThrow(
      /^It is not allowed to have multiple different stepping directions in the same loop \(loop connected to/,
    );
  });

  it("refuses a cycle that no delay node closes", () => {
    const nodes = graph("a: c", "b: a", "c: b", "z: c");
    const run = () => evaluationOrder([nodes.get("z") as NetworkNode]);
    expect(run).toThrow(CntkError);
    expect(run).toThrow("There is no recurrent node in the loop connected to a Anything operation.");
  });

  it("refuses a cycle without a delay inside a loop that has one", () => {
    const nodes = graph("P: h", "a: b P", "b: a", "h: b", "z: h");
    expect(() => evaluationOrder([nodes.get("z") as NetworkNode])).toThrow(
      /operation is part of an infinite loop that cannot be unrolled\./,
    );
  });
});
