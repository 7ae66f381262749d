import { columnCount, type AxisLayout, type Minibatch } from "../minibatch/index.js";
import { evaluationOrder } from "../network/loops.js";
import type { DynamicAxis, NetworkNode, ShapedNetwork } from "../network/network.js";
import { restrictOrder } from "../network/node-order.js";
import { reduceSequenceAxis } from "../ops/index.js";

/**
 * CNTK computes a product whose left operand is data sample by sample, and says so when it first does, once for each node
 * (LinearAlgebraNodes.h, TimesNodeBase::ForwardProp). cntkts does not; it only has the lines.
 */
export class UnrollWarnings {
  private readonly waiting: Set<NetworkNode>;
  private readonly inLoops: ReadonlySet<NetworkNode>;

  /** Of the products that `roots` need. At trace level 0 nothing is said. */
  constructor(
    private readonly shaped: ShapedNetwork,
    roots: readonly NetworkNode[],
    traceLevel: number,
  ) {
    const order = traceLevel > 0 ? restrictOrder(shaped.order, roots) : [];
    this.waiting = new Set(order.filter((node) => this.isProductOfData(node)));
    const loops = this.waiting.size > 0 ? evaluationOrder(shaped.roots).loops : [];
    this.inLoops = new Set(loops.flatMap(({ nodes }) => nodes));
  }

  /** The lines of the nodes that a minibatch unrolls for the first time, in the order of evaluation. */
  lines(minibatch: Minibatch): string {
    let text = "";
    for (const node of this.waiting) {
      if (!this.isUnrolled(node, minibatch)) continue;
      this.waiting.delete(node);
      text += `WARNING: ${node.name} ${node.op.name} operation: being unrolled, execution may be slow\n`;
    }
    return text;
  }

  private isProductOfData(node: NetworkNode): boolean {
    const [left, right] = node.inputs;
    if (!left || !right || (node.op.name !== "Times" && node.op.name !== "TransposeTimes")) return false;
    const { facts } = this.shaped;
    if (!facts.get(left)?.dynamicAxis) return false;
    if (node.attributes["inferInputRankToMap"] === reduceSequenceAxis) return false;
    return !this.isDotProduct(node, left, right);
  }

  /** Those that come down to an element-wise product and a sum. */
  private isDotProduct(node: NetworkNode, left: NetworkNode, right: NetworkNode): boolean {
    const { facts } = this.shaped;
    const transposed = node.op.name === "TransposeTimes";
    const [a, b, result] = [left, right, node].map((of) => facts.get(of)?.shape ?? []);
    const sparse = [left, right].filter((of) => facts.get(of)?.storage === "sparse").length;
    const leftFits = (transposed && a?.length === 1) || (a?.length === 2 && a[0] === 1);
    const isScalar = result?.length === 1 && result[0] === 1;
    return leftFits && b?.length === 1 && isScalar && (transposed ? sparse < 2 : sparse === 0);
  }

  /** A minibatch of one column (inside a loop: of one row) needs no unrolling. */
  private isUnrolled(node: NetworkNode, minibatch: Minibatch): boolean {
    const axis = node.inputs[0] && this.shaped.facts.get(node.inputs[0])?.dynamicAxis;
    const layout = axis && this.layoutOf(axis, minibatch);
    // Axes that are made inside the network are not known from the data; they hardly ever have a single column.
    if (!layout) return true;
    return (this.inLoops.has(node) ? layout.rows : columnCount(layout)) > 1;
  }

  private layoutOf(axis: DynamicAxis, minibatch: Minibatch): AxisLayout | undefined {
    const { network, facts } = this.shaped;
    const input = network.nodes.find(
      (node) =>
        node.op.role === "input" && facts.get(node)?.dynamicAxis === axis && minibatch.streams.has(node.name),
    );
    return input && minibatch.streams.get(input.name)?.layout;
  }
}
