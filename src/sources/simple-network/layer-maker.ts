import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import { makeNode, NetworkAssembly } from "../../network/build.js";
import type { Attributes, Network, NetworkNode, NodeGroup } from "../../network/network.js";
import type { SeedCounter } from "../../network/seed-counter.js";
import { operationByName } from "../../ops/index.js";
import type { SimpleNetworkOptions } from "./options.js";

/**
 * Makes the nodes of a simple network. The order of the calls is CNTK's order of construction: unnamed nodes and random
 * parameters are numbered by it. CNTK's compiler evaluates the arguments of a call from the last to the first; where that
 * shows in the numbers, the calls here stand in the order in which they happen.
 */
export class LayerMaker {
  private readonly nodes: NetworkNode[] = [];
  /** Parameters count their seeds from 1 in every network. */
  private nextSeed = 1;

  constructor(
    readonly options: SimpleNetworkOptions,
    private readonly counter: SeedCounter,
    /** The section, for messages. */
    readonly span: Span | undefined,
  ) {}

  /** A node of any operation; without a name it gets a number. */
  node(
    operation: string,
    inputs: readonly NetworkNode[],
    name = "",
    attributes: Attributes = {},
  ): NetworkNode {
    const op = operationByName(operation);
    if (!op) throw new Error(`there is no operation ${operation}`);
    const given = name === "" ? this.counter.drawNodeName() : name;
    const made = makeNode({
      op,
      name: given,
      inputs,
      attributes: operation === "Dropout" ? { ...attributes, ...this.counter.drawEngine() } : attributes,
      ...(this.span && { origin: this.span }),
    });
    this.counter.drawNodeNumber();
    this.nodes.push(made);
    return made;
  }

  input(name: string, dimension: number, storage: "dense" | "sparse" = "dense"): NetworkNode {
    return this.node(storage === "sparse" ? "SparseInputValue" : "InputValue", [], name, {
      shape: [dimension],
    });
  }

  /** A matrix with random values. */
  random(name: string, rows: number, columns: number): NetworkNode {
    const { uniformInit, initValueScale } = this.options;
    return this.node("LearnableParameter", [], name, {
      shape: [rows, columns],
      init: uniformInit ? "uniform" : "gaussian",
      initValueScale,
      seed: this.counter.seedFor(this.nextSeed++),
      initOnCPUOnly: false,
    });
  }

  /** A matrix with the same value everywhere, trained all the same. */
  constant(name: string, rows: number, columns: number, value: number): NetworkNode {
    const attributes = { shape: [rows, columns], init: "fromValue", initValue: value, value };
    return this.node("LearnableParameter", [], name, attributes);
  }

  times(a: NetworkNode, b: NetworkNode, name = ""): NetworkNode {
    return this.node("Times", [a, b], name);
  }

  plus(a: NetworkNode, b: NetworkNode, name = ""): NetworkNode {
    return this.node("Plus", [a, b], name);
  }

  /** The value of some steps ago of a node that may not exist yet: `closeLoop` says what it is. */
  pastValue(dimension: number, timeStep = 1, name = ""): NetworkNode {
    return this.node("PastValue", [], name, {
      timeStep,
      shape: [dimension],
      defaultHiddenActivation: this.options.defaultHiddenActivity,
    });
  }

  closeLoop(delayed: NetworkNode, of: NetworkNode): void {
    delayed.inputs = [of];
  }

  /** The nonlinear function of a layer; a linear layer keeps its node, under another name if one is given. */
  nonlinear(input: NetworkNode, layer: number, name = ""): NetworkNode {
    const word = this.options.nonlinearity(layer);
    if (word === "Sigmoid" || word === "RectifiedLinear" || word === "Tanh") {
      return this.node(word, [input], name);
    }
    if (word !== "None" && word !== "none" && word !== "") {
      throw this.problem(
        "Unsupported nonlinear function.",
        `layerTypes may be Sigmoid, Tanh, RectifiedLinear or None, not '${word}'`,
      );
    }
    if (name !== "") input.name = name;
    return input;
  }

  /** Dropout on a node where the network has it. */
  dropout(input: NetworkNode, name = ""): NetworkNode {
    return this.options.addDropoutNodes ? this.node("Dropout", [input], name) : input;
  }

  /** The input, normalized by mean and deviation of the training data where the network asks for it. */
  normalized(input: NetworkNode, names: readonly [string, string, string] = ["", "", ""]): NetworkNode {
    if (!this.options.applyMeanVarNorm) return input;
    const mean = this.node("Mean", [input], names[0]);
    const deviation = this.node("InvStdDev", [input], names[1]);
    return this.node("PerDimMeanVarNormalization", [input, mean, deviation], names[2]);
  }

  /** What CNTK's builders hold in the variable of the bias before a layer makes one: the deviation in what `normalized` gave. */
  biasBefore(normalized: NetworkNode): NetworkNode | undefined {
    return this.options.applyMeanVarNorm ? normalized.inputs[2] : undefined;
  }

  inGroup(group: NodeGroup, node: NetworkNode): void {
    node.tags.add(group);
  }

  problem(message: string, hint?: string): CntkError {
    return new CntkError({ code: "network-options", message, span: this.span, hint });
  }

  finish(): Network {
    const assembly = new NetworkAssembly();
    for (const node of this.nodes) assembly.add(node);
    return assembly.finish();
  }
}
