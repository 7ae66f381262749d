import type { Span } from "../../diagnostics/source.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { readyThunk, type Evaluation } from "../../evaluator/index.js";
import type { ArrayValue, ObjectValue, RecordValue, Value } from "../../evaluator/values.js";
import { copyNode } from "../../network/edit.js";
import { elementCount } from "../../network/network.js";
import type {
  Attributes,
  Network,
  NetworkNode,
  NodeFacts,
  SampleShape,
  ShapedNetwork,
} from "../../network/network.js";
import { NameIndex } from "../../network/name-index.js";
import { compareNames } from "../../network/node-order.js";
import type { NetworkCompiler } from "../loaded-models.js";

/** Puts text into brackets, one item a line, indented by two. */
function nested(items: readonly string[], open: string, close: string): string {
  return `${open}\n${items.join("\n").replace(/^/gm, "  ")}\n${close}`;
}

/** What CNTK says where a member `dims` is asked for. */
const dimsSentence =
  "Inside File: Source/ComputationNetworkLib/ComputationNodeScripting.cpp  Line: 49  Function: LazyCreateConfigMember  -> Feature Not Implemented.";

/**
 * A computation node as BrainScript sees it. The network's node inside carries no methods; this wrapper gives it members
 * (`n.name`, `n.inputs`, …) and remembers inputs that are attached only when the network is put together.
 */
export class NodeValue implements ObjectValue {
  readonly kind = "object";
  readonly type = "ComputationNode";
  private attached: readonly NodeValue[] = [];
  /** What a compile has found about the node, if it belongs to a network that is compiled already. */
  facts: NodeFacts | undefined;
  private lateInputs: Evaluation<readonly NodeValue[]> | undefined;

  constructor(
    readonly node: NetworkNode,
    /** Construction number, CNTK's debugging handle. */
    readonly number: number,
    private readonly span: Span,
  ) {}

  get inputs(): readonly NodeValue[] {
    return this.attached;
  }

  attachInputs(inputs: readonly NodeValue[]): void {
    this.attached = inputs;
    this.node.inputs = inputs.map((input) => input.node);
  }

  /** Lets the node use another input in the place of one. */
  setInput(index: number, input: NodeValue): void {
    this.attachInputs(this.attached.map((known, at) => (at === index ? input : known)));
  }

  /**
   * Another node of the same kind, attributes, inputs, tags and shape (ComputationNode.h, Duplicate). What it is called by
   * default is what the node is called. `changes` are attributes that differ, `origin` the place of a copy whose original, of a
   * model file, has none.
   */
  duplicate(number: number, name = this.node.name, changes: Attributes = {}, origin?: Span): NodeValue {
    const attributes = { ...(this.facts?.attributes ?? this.node.attributes), ...changes };
    const copy = new NodeValue(
      copyNode(this.node, { name, attributes, origin: this.node.origin ?? origin }),
      number,
      this.span,
    );
    copy.attached = this.attached;
    copy.facts = this.facts && { ...this.facts, attributes };
    return copy;
  }

  /** CNTK's NodeDescription: `Node 'z.W' (LearnableParameter operation)`. */
  describe(): string {
    return `Node '${this.node.name}' (${this.node.op.name} operation)`;
  }

  /** Delay nodes may close a cycle, so their inputs are evaluated after everything else. */
  attachInputsLater(inputs: Evaluation<readonly NodeValue[]>): void {
    this.lateInputs = inputs;
  }

  /** Evaluates the inputs put off by `attachInputsLater`; does nothing for other nodes. */
  *attachLateInputs(): Evaluation<void> {
    const inputs = this.lateInputs;
    this.lateInputs = undefined;
    if (inputs) this.attachInputs(yield* inputs);
  }

  /** `name`, `operation`, `dim`, `inputs`, `<Operation>Args`. CNTK never implemented `dims`. */
  member(name: string): Value | undefined {
    switch (name) {
      case "name":
        return this.node.name;
      case "operation":
        return this.node.op.name;
      case "dim":
        return this.dimension();
      case "dims":
        throw new CntkError({
          code: "not-implemented",
          message: `${this.node.name}.dims is not implemented. ${dimsSentence}`,
          logged: dimsSentence,
          span: this.span,
          hint: "use .dim, the number of elements of one sample",
        });
      case "inputs":
      case `${this.node.op.name}Args`:
        return {
          kind: "array",
          first: 0,
          elements: this.attached.map((input) => readyThunk(input, this.span)),
        } satisfies ArrayValue;
      default:
        return undefined;
    }
  }

  /** CNTK's text of a node: `z : Times [10] (⏎  W⏎  x⏎)`. */
  format(): string {
    const names = this.attached.map((input) => input.node.name);
    const head = `${this.node.name} : ${this.node.op.name} [${this.knownShape().join(" x ")}]`;
    return names.length === 0 ? `${head} ()` : `${head} ${nested(names, "(", ")")}`;
  }

  private knownShape(): SampleShape {
    if (this.facts) return this.facts.shape;
    const shape = this.node.attributes["shape"];
    return Array.isArray(shape) ? (shape as number[]) : [];
  }

  /** Elements of one sample, as far as a compile or the constructor knows them: shapes are inferred only later. */
  private dimension(): number {
    const count = elementCount(this.knownShape());
    if (count !== 0) return count;
    throw new CntkError({
      code: "unknown-dimension",
      message: `${this.node.name}.dim: The node's dimensions are not known yet.`,
      span: this.span,
    });
  }
}

/** `new TensorShape [ dims = … ]`: dimensions, first axis contiguous. */
export class ShapeValue implements ObjectValue {
  readonly kind = "object";
  readonly type = "TensorShape";
  constructor(readonly dims: SampleShape) {}
  format(): string {
    return this.dims.join(" x ");
  }
}

/** `new IntVector`, `SizeVector` and `BoolVector [ items = … ]`. */
export class VectorValue implements ObjectValue {
  readonly kind = "object";
  constructor(
    readonly type: "IntVector" | "SizeVector" | "BoolVector",
    readonly items: readonly (number | boolean)[],
  ) {}
  format(): string {
    return this.items.join(":");
  }
}

/** A finished network: of `new ComputationNetwork { … }`, of a model file, or an edited one. Its nodes are its members. */
export class NetworkValue implements ObjectValue {
  readonly kind = "object";
  readonly type = "ComputationNetwork";
  /** By name without regard to case: the names that the nodes have in this network, whatever they are called in another. */
  private readonly names: readonly string[];
  private index: NameIndex<NodeValue> | undefined;
  private shaped: ShapedNetwork | undefined;

  constructor(
    readonly network: Network,
    readonly nodeValues: readonly NodeValue[],
    private readonly compiler: NetworkCompiler | undefined,
    /** The record it was made of, for those who want to look at the evaluated members; absent for other networks. */
    readonly record?: RecordValue,
    /** The file it was read from. */
    private readonly modelPath?: string,
  ) {
    this.names = nodeValues.map(({ node }) => node.name);
  }

  private get byName(): NameIndex<NodeValue> {
    return (this.index ??= new NameIndex(this.nodeValues.map((value, at) => [this.names[at] ?? "", value])));
  }

  /** Its nodes by name, without regard to case: the order in which CNTK's networks list them. */
  get sorted(): NodeValue[] {
    const named = this.nodeValues.map((value, at) => ({ value, name: (this.names[at] ?? "").toLowerCase() }));
    return named.sort((a, b) => compareNames(a.name, b.name)).map(({ value }) => value);
  }

  /** Compiles the network if that has not been done, so that its nodes know their shapes. Throws CntkError if it does not fit together. */
  compile(): void {
    if (this.shaped || !this.compiler) return;
    const shaped = this.compiler.compile(this.network, this.modelPath);
    this.shaped = shaped;
    for (const value of this.nodeValues) value.facts = shaped.facts.get(value.node);
  }

  /** A node by name. Dots may be written as `_`, because a member name cannot hold a dot. */
  member(name: string): NodeValue | undefined {
    // Who looks at a node may want to know its shape, and CNTK compiles what it constructs.
    this.compile();
    const exact = this.byName.get(name);
    if (exact) return exact;
    const written = name.toLowerCase();
    const place = this.names.findIndex((key) => memberName(key.toLowerCase()) === written);
    return this.nodeValues[place];
  }

  memberNames(): string[] {
    const names = this.nodeValues.map(({ node }) => memberName(node.name));
    return names.filter((name) => /^\w+$/.test(name)).sort(compareNames);
  }

  format(): string {
    return `ComputationNetwork ${nested(
      this.nodeValues.map((value) => value.format()),
      "[",
      "]",
    )}`;
  }
}

const memberName = (name: string): string => name.replaceAll(".", "_");
