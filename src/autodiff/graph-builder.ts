import { attributeDefaults } from "../network/build.js";
import type {
  Attributes,
  DynamicAxis,
  NetworkNode,
  NodeFacts,
  SampleShape,
  ShapedNetwork,
  Storage,
} from "../network/network.js";
import type {
  GraphBuilder,
  InternalResult,
  OpDefinition,
  ReduceOperation,
  ShapeContext,
  ShapedInput,
  Views,
} from "../network/op-definition.js";
import {
  laterOp,
  operationByName,
  operationOfPrimitive,
  type PrimitiveAttributes,
  stateOp,
} from "../ops/index.js";
import { argument, constant, type Expression, multiply } from "../primitives/expression.js";
import type { Kind } from "../primitives/instruction.js";
import type { Parameters } from "../primitives/parameters.js";
import { stretchedTogether } from "../primitives/stretching.js";
import { InternalNames, type Scope } from "./internal-names.js";

/**
 * Grows a network by internal nodes: gradients, updates, what an op needs beside its value. Each node gets its shape and
 * axis from its op's shape rule the moment it is made.
 */
export class InternalGraph implements GraphBuilder {
  /** Internal nodes in the order they were made: inputs always come before their users. */
  readonly nodes: NetworkNode[] = [];
  private readonly known: Map<NetworkNode, NodeFacts>;
  private readonly names: InternalNames;
  private scope: Scope = { owner: undefined, part: "" };

  constructor(private readonly shaped: ShapedNetwork) {
    this.known = new Map(shaped.facts);
    this.names = new InternalNames(shaped.network.nodes);
  }

  /** Facts of the network's own nodes and of all internal ones. */
  allFacts(): ReadonlyMap<NetworkNode, NodeFacts> {
    return this.known;
  }

  /** Runs `make`; nodes that it makes without a name of their own are called `owner:part.Op`. */
  within<T>(owner: NetworkNode, part: string, make: () => T): T {
    const outer = this.scope;
    this.scope = { owner, part };
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
    name?: string,
  ): NetworkNode {
    const node = this.blank(op, inputs, { ...attributeDefaults(op), ...attributes }, name);
    const {
      shape,
      dynamicAxis,
      storage = "dense",
      attributes: own,
      details,
    } = op.shape(new InternalShapeContext(node, this.shaped.defaultAxis, (input) => this.facts(input)));
    this.known.set(node, {
      shape,
      dynamicAxis,
      needsGradient: false,
      storage,
      attributes: own ?? node.attributes,
      details,
    });
    this.nodes.push(node);
    return node;
  }

  private blank(
    op: OpDefinition,
    inputs: readonly NetworkNode[],
    attributes: Attributes,
    name: string | undefined,
  ): NetworkNode {
    return {
      name: name === undefined ? this.names.inScope(this.scope, op.name) : this.names.unique(name),
      op,
      inputs: [...inputs],
      attributes,
      tags: noTags,
      internal: true,
    };
  }

  applyNamed(
    operation: string,
    inputs: readonly NetworkNode[],
    attributes: Attributes = {},
    name?: string,
  ): NetworkNode {
    const op = operationByName(operation);
    if (!op) throw new Error(`there is no operation ${operation}`);
    return this.apply(op, inputs, attributes, name);
  }

  primitive<K extends Kind>(
    kind: K,
    inputs: readonly NetworkNode[],
    parameters: Parameters[K],
    result: InternalResult,
    views?: Views,
    name?: string,
  ): NetworkNode {
    const { shape, dynamicAxis, storage = "dense" } = result;
    const own: PrimitiveAttributes<K> = { parameters, result: { shape, dynamicAxis, storage }, views };
    // What its shape rule would say is known: there are several of these nodes to each of the user's.
    const attributes = own as unknown as Attributes;
    const node = this.blank(operationOfPrimitive(kind), inputs, attributes, name);
    this.known.set(node, { shape, dynamicAxis, needsGradient: false, storage, attributes });
    this.nodes.push(node);
    return node;
  }

  map(expression: Expression, inputs: readonly NetworkNode[], name?: string): NetworkNode {
    return this.primitive("map", inputs, { expression }, this.stretched(inputs), undefined, name);
  }

  reduceTo(
    x: NetworkNode,
    shape: SampleShape,
    dynamicAxis: DynamicAxis | null,
    operation: ReduceOperation = "sum",
    scale = 1,
    gaps: Parameters["reduce"]["gaps"] = "skipped",
  ): NetworkNode {
    const from = this.facts(x);
    const rank = Math.max(from.shape.length, shape.length);
    const views = { reads: [extended(from.shape, rank)], writes: extended(shape, rank) };
    const result = { shape, dynamicAxis: dynamicAxis ? from.dynamicAxis : null };
    const isNothing =
      result.dynamicAxis === from.dynamicAxis && views.writes.every((dim, i) => dim === views.reads[0]?.[i]);
    if (isNothing) {
      const expression = scale === 1 ? argument(0) : multiply(constant(scale), argument(0));
      return this.primitive("map", [x], { expression }, result, views);
    }
    return this.primitive("reduce", [x], { operation, scale, gaps }, result, views);
  }

  reshape(x: NetworkNode, shape: SampleShape): NetworkNode {
    const { dynamicAxis, storage } = this.facts(x);
    return this.primitive("copy", [x], {}, { shape, dynamicAxis, storage });
  }

  count(x: NetworkNode, what: Parameters["count"]["what"]): NetworkNode {
    if (this.facts(x).dynamicAxis === null) return this.map(constant(1), []);
    return this.primitive("count", [x], { what }, { shape: [1], dynamicAxis: null });
  }

  state(name: string, shape: SampleShape, initial = 0, storage: Storage = "dense"): NetworkNode {
    return this.apply(stateOp, [], { shape, initial, touched: storage === "touched" }, name);
  }

  later(name: string, like: NetworkNode): NetworkNode {
    const { shape, dynamicAxis, storage } = this.facts(like);
    const node = this.apply(laterOp, [], { shape }, name);
    this.known.set(node, { ...this.facts(node), dynamicAxis, storage });
    return node;
  }

  attach(later: NetworkNode, value: NetworkNode): void {
    later.inputs = [value];
  }

  /** The shape and dynamic axis of operands that stretch to each other. */
  private stretched(inputs: readonly NetworkNode[]): InternalResult {
    let shape: readonly number[] = inputs.length === 0 ? [1] : [];
    let dynamicAxis: DynamicAxis | null = null;
    for (const input of inputs) {
      const facts = this.facts(input);
      dynamicAxis ??= facts.dynamicAxis;
      const together = stretchedTogether(facts.shape, shape);
      if (!together)
        throw new Error(`${input.name} [${facts.shape.join(" x ")}] does not fit [${shape.join(" x ")}]`);
      shape = together;
    }
    return { shape, dynamicAxis };
  }
}

/** What the shape rule of an internal node sees: everything has a shape by now, and gradients are not worth a line of the log. */
class InternalShapeContext implements ShapeContext {
  readonly isFinalPass = true;
  readonly attributes: Attributes;
  readonly inputs: readonly ShapedInput[];

  constructor(
    readonly node: NetworkNode,
    readonly inputAxis: DynamicAxis,
    private readonly facts: (node: NetworkNode) => NodeFacts,
  ) {
    this.attributes = node.attributes;
    this.inputs = node.inputs.map((input) => {
      const { shape, dynamicAxis, storage, needsGradient } = facts(input);
      const isParameter = input.op.role === "parameter";
      return { node: input, shape, dynamicAxis, storage, isParameter, needsGradient };
    });
  }

  newDynamicAxis(): DynamicAxis {
    throw new Error(`${this.node.name}: an internal node cannot open a dynamic axis`);
  }

  detailsOf(other: NetworkNode): unknown {
    return this.facts(other).details;
  }

  inferParameter(): void {}
  setParameterShape(): void {}
  message(): void {}
}

/** Internal nodes are members of no group. */
const noTags = new Set<never>();

function extended(shape: SampleShape, rank: number): SampleShape {
  return [...shape, ...new Array<number>(rank - shape.length).fill(1)];
}
