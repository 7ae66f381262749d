import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import {
  addNodes,
  cloneBelow,
  cloneNetwork,
  insertBehind,
  prune,
  renameNodes,
  replaceNodes,
} from "../../src/network/edit.js";
import { emptyGroups, makeNode } from "../../src/network/build.js";
import type { Network, NetworkNode } from "../../src/network/network.js";
import { operationByName } from "../../src/ops/index.js";
import type { OpDefinition } from "../../src/network/op-definition.js";

function op(name: string): OpDefinition {
  const found = operationByName(name);
  if (!found) throw new Error(`no operation ${name}`);
  return found;
}

const make = (name: string, operation: string, ...inputs: NetworkNode[]): NetworkNode =>
  makeNode({ name, op: op(operation), inputs });

/** x and W → Wx → z → loss, z being an output and loss a criterion; `lone` is used by nobody. */
function sample(): { network: Network; node: (name: string) => NetworkNode } {
  const x = make("x", "InputValue");
  const weights = make("W", "LearnableParameter");
  const product = make("Wx", "Times", weights, x);
  const z = make("z", "Sigmoid", product);
  const loss = make("loss", "SquareError", x, z);
  const lone = make("lone", "LearnableParameter");
  z.tags.add("output");
  const groups = { ...emptyGroups(), output: [z], criterion: [loss], feature: [x] };
  const values = new Map([
    [weights, Float32Array.of(1, 2)],
    [lone, Float32Array.of(3)],
  ]);
  return {
    network: { nodes: [x, weights, product, z, loss, lone], groups, values },
    node: finder([x, weights, product, z, loss, lone]),
  };
}

function finder(nodes: readonly NetworkNode[]): (name: string) => NetworkNode {
  return (name) => {
    const found = nodes.find((node) => node.name === name);
    if (!found) throw new Error(`no node ${name}`);
    return found;
  };
}

/** `name=Op(inputs)` of every node, and the groups by names. */
function described({ nodes, groups }: Network): string[] {
  const known = new Set(nodes);
  return [
    ...nodes.map(({ name, op: { name: operation }, inputs }) => {
      for (const input of inputs)
        expect(known.has(input), `${name} uses ${input.name} of the network`).toBe(true);
      return `${name}=${operation}(${inputs.map((input) => input.name).join(", ")})`;
    }),
    ...Object.entries(groups).flatMap(([group, members]) =>
      members.map((member) => {
        expect(known.has(member), `${group} ${member.name} is of the network`).toBe(true);
        return `${group}: ${member.name}`;
      }),
    ),
  ];
}

const original = [
  "x=InputValue()",
  "W=LearnableParameter()",
  "Wx=Times(W, x)",
  "z=Sigmoid(Wx)",
  "loss=SquareError(x, z)",
  "lone=LearnableParameter()",
  "feature: x",
  "criterion: loss",
  "output: z",
];

describe("cloneNetwork", () => {
  it("copies nodes, links, groups, values; nothing is shared but values", () => {
    const { network } = sample();
    const { network: clone, copies } = cloneNetwork(network);
    expect(described(clone)).toEqual(original);
    expect(clone.nodes.filter((node) => network.nodes.includes(node))).toEqual([]);
    expect([...clone.values.values()]).toEqual([...network.values.values()]);
    for (const [node, copy] of copies) {
      expect(copy.name).toBe(node.name);
      expect(copy.tags).not.toBe(node.tags);
      expect(clone.values.has(copy)).toBe(network.values.has(node));
    }
  });
});

describe("cloneBelow", () => {
  it("copies down to the substitutes, others stay shared", () => {
    const { network, node } = sample();
    const y = make("y", "InputValue");
    const copies = cloneBelow([node("z")], {
      name: ({ name }) => `copy.${name}`,
      substitutes: new Map([[node("x"), y]]),
      copies: ({ op: { role } }) => role !== "parameter",
    });
    expect([...copies.keys()].map(({ name }) => name)).toEqual(["z", "Wx"]);
    const z = copies.get(node("z"));
    expect(z?.name).toBe("copy.z");
    expect(z?.tags.size).toBe(0);
    expect(z?.inputs[0]?.inputs).toEqual([node("W"), y]);
    expect(described(network)).toEqual(original);
  });

  it("turns a cycle into a cycle of copies", () => {
    const past = make("past", "PastValue");
    const h = make("h", "Sigmoid", past);
    past.inputs = [h];
    const copies = cloneBelow([h], { name: ({ name }) => `${name}2` });
    const copy = copies.get(h);
    expect(copy?.inputs[0]?.inputs[0]).toBe(copy);
    expect(copy).not.toBe(h);
    expect(past.inputs[0]).toBe(h);
  });
});

describe("replaceNodes", () => {
  it("links users to the new node, which joins the network, and leaves the old network as it was", () => {
    const { network, node } = sample();
    const relu = make("z2", "RectifiedLinear", node("Wx"));
    const edited = replaceNodes(network, new Map([[node("z"), relu]]));
    expect(described(edited)).toEqual([
      ...original.slice(0, 4),
      "loss=SquareError(x, z2)",
      "lone=LearnableParameter()",
      "z2=RectifiedLinear(Wx)",
      "feature: x",
      "criterion: loss",
      "output: z2",
    ]);
    expect(described(network)).toEqual(original);
    expect(described(prune(edited, edited.groups.criterion))).not.toContain("z=Sigmoid(Wx)");
  });

  it("follows chains and refuses circles", () => {
    const { network, node } = sample();
    const [a, b] = [make("a", "Tanh", node("Wx")), make("b", "Sigmoid", node("Wx"))];
    const chained = replaceNodes(network, new Map([[node("z"), a], [a, b]])); // prettier-ignore
    expect(described(chained)).toContain("loss=SquareError(x, b)");
    expect(() => replaceNodes(network, new Map([[node("z"), a], [a, node("z")]]))).toThrow(CntkError); // prettier-ignore
  });

  it("keeps the links of users that ask for it: a node behind another one", () => {
    const { network, node } = sample();
    const half = make("half", "ElementTimes", node("z"), node("lone"));
    const edited = replaceNodes(network, new Map([[node("z"), half]]), (user) => user === half);
    expect(described(edited)).toContain("half=ElementTimes(z, lone)");
    expect(described(edited)).toContain("loss=SquareError(x, half)");
  });

  it("handles recurrent users", () => {
    const x = make("x", "InputValue");
    const past = make("past", "PastValue");
    const h = make("h", "Plus", x, past);
    past.inputs = [h];
    const network: Network = {
      nodes: [x, past, h],
      groups: { ...emptyGroups(), output: [h] },
      values: new Map(),
    };
    const y = make("y", "InputValue");
    expect(described(replaceNodes(network, new Map([[x, y]])))).toEqual([
      "x=InputValue()",
      "past=PastValue(h)",
      "h=Plus(y, past)",
      "y=InputValue()",
      "output: h",
    ]);
    expect(h.inputs).toEqual([x, past]);
  });
});

describe("addNodes, renameNodes, prune", () => {
  it("keep names unique without regard to case", () => {
    const { network, node } = sample();
    const edited = addNodes(network, [make("Z", "Tanh", node("Wx")), make("z1", "Tanh", node("Wx"))]);
    expect(edited.nodes.slice(-2).map(({ name }) => name)).toEqual(["Z1", "z11"]);
    expect(() => renameNodes(network, new Map([[node("Wx"), "LOSS"]]))).toThrow("two nodes named");
  });

  it("rename without touching the old network; names may change places", () => {
    const { network, node } = sample();
    const edited = renameNodes(network, new Map([[node("x"), "z"], [node("z"), "x"]])); // prettier-ignore
    expect(described(edited)).toEqual([
      "z=InputValue()",
      "W=LearnableParameter()",
      "Wx=Times(W, z)",
      "x=Sigmoid(Wx)",
      "loss=SquareError(z, x)",
      "lone=LearnableParameter()",
      "feature: z",
      "criterion: loss",
      "output: x",
    ]);
    expect(described(network)).toEqual(original);
    expect([...edited.values.values()]).toEqual([...network.values.values()]);
  });

  it("prune to what roots need, with its values", () => {
    const { network, node } = sample();
    const pruned = prune(network, [node("z")]);
    expect(described(pruned)).toEqual([...original.slice(0, 4), "feature: x", "output: z"]);
    expect([...pruned.values.keys()]).toEqual([node("W")]);
  });
});

describe("insertBehind", () => {
  it("puts nodes between leaves and all their users", () => {
    const { network, node } = sample();
    const { network: edited, inserted } = insertBehind(
      network,
      [node("x"), node("W")],
      op("Pass"),
      ({ name }) => `${name}.grad`,
    );
    expect(described(edited)).toEqual([
      "x=InputValue()",
      "W=LearnableParameter()",
      "Wx=Times(W.grad, x.grad)",
      "z=Sigmoid(Wx)",
      "loss=SquareError(x.grad, z)",
      "lone=LearnableParameter()",
      "x.grad=Pass(x)",
      "W.grad=Pass(W)",
      "feature: x",
      "criterion: loss",
      "output: z",
    ]);
    expect(inserted).toEqual(edited.nodes.slice(-2));
    expect(described(network)).toEqual(original);
  });

  it("works behind nodes that use one another", () => {
    const { network, node } = sample();
    const { network: edited } = insertBehind(
      network,
      [node("Wx"), node("z")],
      op("Pass"),
      ({ name }) => `${name}p`,
    );
    expect(described(edited)).toContain("z=Sigmoid(Wxp)");
    expect(described(edited)).toContain("zp=Pass(z)");
    expect(described(edited)).toContain("loss=SquareError(x, zp)");
  });
});
