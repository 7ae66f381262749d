import type {
  Attributes,
  DynamicAxis,
  NetworkNode,
  NodeFacts,
  SampleShape,
  ShapedNetwork,
} from "../network/network.js";
import type { GraphBuilder, OpDefinition, ReduceOperation, ShapeContext } from "../network/op-definition.js";
import { mapOp, reduceToOp, reshapeToOp, stateOp } from "../ops/internal.js";
import type { Expression } from "../primitives/expression.js";

/**
 * Grows a network by internal nodes: gradients, updates, what an op needs beside its value. Each node gets its shape and
 * axis from its op's shape rule the moment it is made.
 */
export class InternalGraph implements GraphBuilder {
  /** Internal nodes in the order they were made: inputs always come before their users. */
  readonly nodes: NetworkNode[] = [];
  private readonly known: Map<NetworkNode, NodeFacts>;
  private readonly names: Set<string>;
  /** Put before the names of nodes that are made without one. */
  private scope = "";

  constructor(private readonly shaped: ShapedNetwork) {
    this.known = new Map(shaped.facts);
    // Node names are unique without regard to case.
    this.names = new Set(shaped.network.nodes.map((node) => node.name.toLowerCase()));
  }

  /** Facts of the network's own nodes and of all internal ones. */
  allFacts(): ReadonlyMap<NetworkNode, NodeFacts> {
    return this.known;
  }

  /** Runs `make`; nodes that it makes without a name of their own are called `scope.Op`. */
  within<T>(scope: string, make: () => T): T {
    const outer = this.scope;
    this.scope = `${scope}.`;
    try {
      return make();
    } finally {
      this.scope = outer;
    }
  }

  facts(node: NetworkNode): NodeFacts {
    const facts = this.known.get(node);
    if (!facts) throw new Error(`nothing is known about ${node.name}`);
    return facts;
  }

  apply(
    op: OpDefinition,
    inputs: readonly NetworkNode[],
    attributes: Attributes = {},
    name: string = `${this.scope}${op.name}`,
  ): NetworkNode {
    const node: NetworkNode = {
      name: this.uniqueName(name),
      op,
      inputs: [...inputs],
      attributes: { ...defaultAttributes(op), ...attributes },
      tags: new Set(),
      internal: true,
    };
    const result = op.shape(this.shapeContext(node));
    this.known.set(node, {
      shape: result.shape,
      dynamicAxis: result.dynamicAxis,
      needsGradient: false,
      storage: result.storage ?? "dense",
      attributes: result.attributes ?? node.attributes,
    });
    this.nodes.push(node);
    return node;
  }

  map(expression: Expression, inputs: readonly NetworkNode[], name?: string): NetworkNode {
    return this.apply(mapOp, inputs, { expression }, name);
  }

  reduceTo(
    x: NetworkNode,
    shape: SampleShape,
    dynamicAxis: DynamicAxis | null,
    operation: ReduceOperation = "sum",
    scale = 1,
  ): NetworkNode {
    const overSamples = dynamicAxis === null && this.facts(x).dynamicAxis !== null;
    return this.apply(reduceToOp, [x], { shape, overSamples, operation, scale });
  }

  reshape(x: NetworkNode, shape: SampleShape): NetworkNode {
    return this.apply(reshapeToOp, [x], { shape });
  }

  state(name: string, shape: SampleShape, initial = 0): NetworkNode {
    return this.apply(stateOp, [], { shape, initial }, name);
  }

  private shapeContext(node: NetworkNode): ShapeContext {
    return {
      node,
      attributes: node.attributes,
      inputs: node.inputs.map((input) => {
        const { shape, dynamicAxis, storage, needsGradient } = this.facts(input);
        const isParameter = input.op.role === "parameter";
        return { node: input, shape, dynamicAxis, storage, isParameter, needsGradient };
      }),
      isFinalPass: true,
      inputAxis: this.shaped.defaultAxis,
      newDynamicAxis: () => {
        throw new Error(`${node.name}: an internal node cannot open a dynamic axis`);
      },
      // Everything has a shape by now, and gradients are not worth a line of the log.
      inferParameter: () => undefined,
      setParameterShape: () => undefined,
      message: () => undefined,
    };
  }

  private uniqueName(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.names.has(name.toLowerCase()); count++) name = `${wanted}:${count}`;
    this.names.add(name.toLowerCase());
    return name;
  }
}

function defaultAttributes(op: OpDefinition): Attributes {
  return Object.fromEntries(
    Object.entries(op.attributes).flatMap(([key, { default: value }]) =>
      value === undefined ? [] : [[key, value]],
    ),
  );
}
