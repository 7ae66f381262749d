import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { emptyGroups, makeNode } from "../../src/network/build.js";
import { evaluationOrder, refuseOwnInputs } from "../../src/network/loops.js";
import type { Attributes, Network, NetworkNode } from "../../src/network/network.js";
import { restrictOrder } from "../../src/network/node-order.js";
import { operationByName } from "../../src/ops/index.js";
import { inferenceGraph, planGraph } from "../../src/pipeline.js";
import { checkWork } from "../../src/plan/index.js";
import { AxisNames, checkMemory, validateNetwork } from "../../src/shapes/index.js";

function make(name: string, operation: string, inputs: NetworkNode[], attributes?: Attributes): NetworkNode {
  const op = operationByName(operation);
  if (!op) throw new Error(`no operation ${operation}`);
  return makeNode({ name, op, inputs, ...(attributes && { attributes }) });
}

const input = (...shape: number[]): NetworkNode => make("x", "InputValue", [], { shape });

function validated(...nodes: NetworkNode[]) {
  const network: Network = { nodes, groups: { ...emptyGroups() }, values: new Map() };
  return validateNetwork(network, { traceLevel: 0, axisNames: new AxisNames(), elementType: "float" }).shaped;
}

function checkNode(shaped: ReturnType<typeof validated>, node: NetworkNode): void {
  checkMemory(shaped.facts, restrictOrder(shaped.order, [node]), [node], "float");
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CntkError) return error.code;
    throw error;
  }
  return "nothing was thrown";
}

const window = {
  pool: "max",
  kernelShape: [1, 1],
  strideShape: [1, 1],
  dimPadding: [false],
  dimPadLower: [0],
  dimPadUpper: [0],
  ceilOut: false,
  poolIncludePad: false,
  imageLayout: "CHW",
};

describe("sizes that nobody can compute", () => {
  it("are refused by the rule that finds them, before any work", () => {
    const pooled = (changes: Attributes) => () => {
      const x = input(28, 28);
      return validated(x, make("p", "Pooling", [x], { ...window, ...changes }));
    };
    expect(codeOf(pooled({}))).toBe("nothing was thrown");
    expect(codeOf(pooled({ dimPadLower: [0, 2 ** 31] }))).toBe("padding-too-large");
    expect(codeOf(pooled({ dimPadUpper: [40, 0] }))).toBe("padding-too-large");
    expect(codeOf(pooled({ strideShape: [0, 1] }))).toBe("too-many-windows");
    expect(codeOf(() => validated(input(65536, 65536, 65536, 65536)))).toBe("shape-too-large");
  });

  it("are refused with the number of GB where a sample of all values does not fit", () => {
    const x = input(1 << 12);
    const square = make("xx", "ElementTimes", [x, make("row", "InputValue", [], { shape: [1, 1 << 12] })]);
    const cube = make("xxx", "ElementTimes", [
      square,
      make("d", "InputValue", [], { shape: [1, 1, 1 << 9] }),
    ]);
    const shaped = validated(...square.inputs, square, ...cube.inputs.slice(1), cube);
    // 16 million values of 24 bytes of input are strange, but fit; 8 billion do not.
    expect(codeOf(() => checkNode(shaped, square))).toBe("nothing was thrown");
    expect(codeOf(() => checkNode(shaped, cube))).toBe("needs-too-much-memory");
    expect(() => checkNode(shaped, cube)).toThrow("Computing 'xxx' needs 32.1 GB");
    const huge = input(1 << 27);
    expect(codeOf(() => checkNode(validated(huge), huge))).toBe("needs-too-much-memory");
  });

  it("are refused where vectors grow by more than inputs and parameters explain", () => {
    const x = input(300);
    const W = make("W", "LearnableParameter", [], { shape: [129, 300], init: "fixedValue", initValue: 0 });
    const product = (outputRank: number) =>
      make("Wx", "Times", [W, x], { outputRank, inferInputRankToMap: -1 });
    const [matrix, tensor] = [product(1), product(2)];
    expect(codeOf(() => checkNode(validated(W, x, matrix), matrix))).toBe("nothing was thrown");
    // The outer product has 129 · 300 · 300 values.
    expect(codeOf(() => checkNode(validated(W, x, tensor), tensor))).toBe("needs-too-much-memory");
  });

  it("are refused by the plan where they come out of a model file", () => {
    const x = input(300);
    const y = make("y", "InputValue", [], { shape: [1, 300] });
    const z = make("z", "InputValue", [], { shape: [1, 1, 300] });
    const cube = make("xyz", "ElementTimes", [make("xy", "ElementTimes", [x, y]), z]);
    const plan = (...nodes: NetworkNode[]) => planGraph(inferenceGraph(validated(...nodes), [cube]), "float");
    const nodes = [x, y, z, ...cube.inputs.slice(0, 1), cube];
    expect(codeOf(() => plan(...nodes))).toBe("nothing was thrown");
    Object.assign(x, { modelFile: "damaged.dnn" });
    expect(codeOf(() => plan(...nodes))).toBe("needs-too-much-memory");
  });
});

describe("work that nobody would wait for", () => {
  const planned = (kernel: number) => {
    const x = input(512, 512, 1);
    const pooled = make("p", "Pooling", [x], {
      ...window,
      kernelShape: [kernel, kernel],
      dimPadding: [true],
    });
    const shaped = validated(x, pooled);
    return planGraph(inferenceGraph(shaped, [pooled]), "float");
  };
  it("is refused before it is begun, naming what takes most of it", () => {
    expect(codeOf(() => checkWork(planned(9)))).toBe("nothing was thrown");
    expect(codeOf(() => checkWork(planned(255)))).toBe("needs-too-much-work");
    // 512 · 512 windows of 255 · 255 cells
    expect(() => checkWork(planned(255))).toThrow("Computing one sample takes 1.70e+10 multiplications");
  });
});

describe("nodes that use themselves", () => {
  it("are refused, also alone, once validation has been through them", () => {
    const node = make("z", "Sigmoid", []);
    node.inputs = [node];
    expect(evaluationOrder([node]).order).toEqual([node]);
    expect(() => refuseOwnInputs([node])).toThrow("There is no recurrent node in the loop connected to z");
  });

  it("do not keep validation going for ever", () => {
    const delay = make("h", "PastValue", [], { shape: [2], timeStep: 1, defaultHiddenActivation: 0 });
    delay.inputs = [delay];
    const user = make("z", "Sigmoid", [delay]);
    const code = codeOf(() => validated(delay, user));
    expect(code).toBe("validation-unstable");
  });
});
