import type { Attributes, DynamicAxis, NetworkNode, SampleShape } from "./network.js";
import { formatShape } from "./network.js";

/** What the log shows of a node: its current shape and axis. */
export interface PrintedNode {
  readonly shape: SampleShape;
  readonly dynamicAxis: DynamicAxis | null;
}

/** CNTK's prototype of a node, as `Validating` lines and traces show it, at one moment of the validation. It is written out only if it is printed. */
export class Prototype {
  private readonly own: PrintedNode;
  private readonly inputs: readonly (PrintedNode | undefined)[];

  constructor(
    private readonly node: NetworkNode,
    private readonly attributes: Attributes,
    current: (node: NetworkNode) => PrintedNode,
  ) {
    const now = (of: NetworkNode | undefined): PrintedNode | undefined => of && moment(current(of));
    this.own = moment(current(node));
    this.inputs = node.inputs.map(now);
  }

  /** What may change from one moment to another: `[2 x 3], [3 x *] -> [2 x *]`. */
  shapes(): string {
    const inputs = this.inputs.map((input) => (input ? shapeOf(input) : "NULL"));
    return `${inputs.join(", ")}${this.suffix()} -> ${shapeOf(this.own)}`;
  }

  /**
   * `z = Times (W, x) : [2 x 3], [3 x *] -> [2 x *]`, with an empty list for leaves.
   * Source: ComputationNode.cpp, FormatOperationPrototype.
   */
  text(): string {
    const { node } = this;
    const inputs: readonly (NetworkNode | undefined)[] = node.inputs;
    const names = inputs.map((input) => input?.name ?? "NULL").join(", ");
    const list = inputs.length === 0 ? "()" : ` (${names}${this.suffix()})`;
    return `${node.name} = ${node.op.name}${list} : ${this.shapes()}`;
  }

  private suffix(): string {
    return this.inputs.length === 0 ? "" : (this.node.op.validatingSuffix?.(this.attributes) ?? "");
  }
}

function moment({ shape, dynamicAxis }: PrintedNode): PrintedNode {
  return { shape, dynamicAxis };
}

function shapeOf({ shape, dynamicAxis }: PrintedNode): string {
  return formatShape(shape, dynamicAxis);
}
