import type { Span } from "../../diagnostics/source.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { readyThunk, type Evaluation } from "../../evaluator/index.js";
import type { ArrayValue, ObjectValue, RecordValue, Value } from "../../evaluator/values.js";
import { elementCount } from "../../network/network.js";
import type { Network, NetworkNode, SampleShape } from "../../network/network.js";

/** Puts text into brackets, one item a line, indented by two. */
function nested(items: readonly string[], open: string, close: string): string {
  return `${open}\n${items.join("\n").replace(/^/gm, "  ")}\n${close}`;
}

/**
 * A computation node as BrainScript sees it. The network's node inside carries no methods; this wrapper gives it members
 * (`n.name`, `n.inputs`, …) and remembers inputs that are attached only when the network is put together.
 */
export class NodeValue implements ObjectValue {
  readonly kind = "object";
  readonly type = "ComputationNode";
  private attached: readonly NodeValue[] = [];
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
          message: `${this.node.name}.dims is not implemented.`,
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
    const shape = this.node.attributes["shape"];
    return Array.isArray(shape) ? (shape as number[]) : [];
  }

  /** Elements of one sample, as far as the constructor knows them: shapes are inferred only later. */
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

/** `new ComputationNetwork { … }`: a finished network; its nodes are its members. */
export class NetworkValue implements ObjectValue {
  readonly kind = "object";
  readonly type = "ComputationNetwork";

  constructor(
    readonly network: Network,
    readonly nodeValues: readonly NodeValue[],
    /** The record it was made of, for those who want to look at the evaluated members; absent for loaded networks. */
    readonly record?: RecordValue,
  ) {}

  /** A node by name. Dots may be written as `_`, because a member name cannot hold a dot. */
  member(name: string): Value | undefined {
    const lower = name.toLowerCase();
    return (
      this.nodeValues.find(({ node }) => node.name.toLowerCase() === lower) ??
      this.nodeValues.find(({ node }) => node.name.replaceAll(".", "_") === name)
    );
  }

  format(): string {
    return `ComputationNetwork ${nested(
      this.nodeValues.map((value) => value.format()),
      "[",
      "]",
    )}`;
  }
}
