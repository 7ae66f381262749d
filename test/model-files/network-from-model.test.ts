import { describe, expect, it } from "vitest";
import { gradientGraph } from "../../src/autodiff/index.js";
import type { Network, NodeGroup } from "../../src/network/network.js";
import { operationByName } from "../../src/ops/index.js";
import { modelFromNetwork, readModel, writeModel } from "../../src/model-files/index.js";
import { networkFromModel } from "../../src/sources/model-file/index.js";
import { requireRunnable } from "../../src/ops/unavailable.js";
import { AxisNames, validateNetwork } from "../../src/shapes/index.js";
import { compileGraph, minibatch, shapedFromBrainScript } from "../support/run-graph.js";
import { recorded } from "./fixtures.js";

describe("networkFromModel and modelFromNetwork", () => {
  it.each([
    ["07-float-untrained.model", "float"],
    ["07-float.model", "float"],
    ["07-double-untrained.model", "double"],
    ["07-double.model", "double"],
    ["sparse-clip.model", "double"],
  ] as const)("carry %s through a network and back byte for byte", (name, elementType) => {
    const bytes = recorded(name);
    const network = networkFromModel(readModel(bytes, name), name);
    const { shaped } = validateNetwork(network, { traceLevel: 0, axisNames: new AxisNames(), elementType });
    const model = modelFromNetwork(shaped, network.values, elementType);
    expect(Buffer.compare(writeModel(model), bytes)).toBe(0);
  });

  it("link nodes, fill groups and keep values", () => {
    const network = networkFromModel(readModel(recorded("07-float.model"), "m"), "m");
    const node = (name: string) => network.nodes.find((candidate) => candidate.name === name);
    expect(node("z.unpool1")?.inputs).toEqual([node("z.pool1"), node("z.conv1.res")]);
    expect(network.groups.criterion).toEqual([node("rmse")]);
    expect([...(node("rmse")?.tags ?? [])]).toEqual(["criterion", "evaluation"]);
    expect(network.values.size).toBe(5);
    expect(node("z.conv1.W")?.attributes).toEqual({
      shape: [5, 5, 1, 1],
      learningRateMultiplier: 1,
      init: "",
    });
  });

  it("names operations that cannot be run", () => {
    const network = networkFromModel(readModel(recorded("ctc.model"), "m"), "m");
    expect(() => requireRunnable(network)).not.toThrow();
    // No recorded model holds an operation without a value: one is added.
    const [runs, refused] = ["RandomSample", "SequenceWithSoftmax"].map((name) => {
      const op = operationByName(name);
      if (!op) throw new Error(`no operation ${name}`);
      return { name, op, inputs: [], attributes: {}, tags: new Set<NodeGroup>() };
    });
    const nodes = [...network.nodes, ...(runs && refused ? [runs, refused] : [])];
    expect(() => requireRunnable({ ...network, nodes })).toThrow(
      "nodes that are not supported yet: SequenceWithSoftmax",
    );
  });

  it("cuts along several axes where a node of a file has several ranges", async () => {
    const validate = (network: Network) =>
      validateNetwork(network, { traceLevel: 0, axisNames: new AxisNames(), elementType: "double" }).shaped;
    const script =
      "x = Input {(3:4)}\nz = Slice (1, 3, x, axis = 1)\nL = SumElements (z .* z)\noutputNodes = (z)";
    const model = modelFromNetwork(shapedFromBrainScript(script), new Map(), "double");
    const slices = [
      { begin: 1, length: 2, axis: 1 },
      { begin: -3, length: 2, axis: 2 },
    ];
    const bytes = writeModel({
      ...model,
      nodes: model.nodes.map((node) =>
        node.name === "z" ? { ...node, fields: { ...node.fields, slices } } : node,
      ),
    });
    const read = readModel(bytes, "m");
    const shaped = validate(networkFromModel(read, "m"));
    expect(writeModel(modelFromNetwork(shaped, new Map(), "double"))).toEqual(bytes);
    const [x, z, root] = ["x", "z", "L"].map((name) =>
      shaped.network.nodes.find((node) => node.name === name)!,
    );
    const { graph, gradients } = gradientGraph(shaped, { root: root!, wanted: [x!], outputs: [z!] });
    const runner = await compileGraph(shaped, graph);
    // Rows count from 1, columns in tens: the cell in row 2 of column 30 is 32.
    const cells = [11, 12, 13, 21, 22, 23, 31, 32, 33, 41, 42, 43];
    const values = await runner.run("gradients", minibatch({ x: [cells] }));
    expect(Array.from(values.get("z")!)).toEqual([22, 23, 32, 33]);
    expect(Array.from(values.get(gradients.get(x!)!.name)!)).toEqual(
      cells.map((cell) => ([22, 23, 32, 33].includes(cell) ? 2 * cell : 0)),
    );
  });

  it("keeps the engines' state of dropout in a file, takes a given one, and numbers new seeds from the last consumer on", () => {
    const bytes = recorded("07-float.model");
    const plain = readModel(bytes, "m");
    // Two dropout nodes between the existing ones.
    const dropouts = ["a", "b"].map((name, i) => ({
      precision: "float" as const,
      operation: "Dropout",
      name,
      inputs: [i === 0 ? "z" : "a"],
      fields: { seed: 7 * i, offset: 40 * i },
    }));
    const model = {
      ...plain,
      nodes: [
        ...dropouts,
        ...plain.nodes.map((node) => (node.name === "err" ? { ...node, inputs: ["b", "f2"] } : node)),
      ],
    };
    const network = networkFromModel(model, "m");
    const { shaped } = validateNetwork(network, {
      traceLevel: 0,
      axisNames: new AxisNames(),
      elementType: "float",
    });
    const fields = (saved: ReturnType<typeof modelFromNetwork>) =>
      saved.nodes.filter(({ operation }) => operation === "Dropout").map((node) => node.fields);
    expect(fields(modelFromNetwork(shaped, network.values, "float"))).toEqual([
      { seed: 0, offset: 0 },
      { seed: 7, offset: 40 },
    ]);
    const fresh = shapedFromBrainScript(
      "x = Input {2}\nb = Dropout (x)\na = Dropout (b)\noutputNodes = (a)",
      "float",
    );
    expect(fields(modelFromNetwork(fresh, new Map(), "float"))).toEqual([
      { seed: 1, offset: 0 },
      { seed: 2, offset: 0 },
    ]);
    const engines = new Map(network.nodes.slice(0, 2).map((node, i) => [node, { seed: 5 + i, offset: 100 }]));
    expect(fields(modelFromNetwork(shaped, network.values, "float", engines))).toEqual([
      { seed: 5, offset: 100 },
      { seed: 6, offset: 100 },
    ]);
  });
});
