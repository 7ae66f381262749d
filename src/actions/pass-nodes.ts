import { insertBehind } from "../network/edit.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { inputsBelow, restrictOrder } from "../network/node-order.js";
import { operationByName } from "../ops/index.js";
import { parameterAttributes } from "../ops/inputs.js";

/** A network whose inputs and parameters are used by way of Pass nodes. */
export interface PassedNetwork {
  /** The new network, with what was known of the old one's nodes. */
  readonly previous: ShapedNetwork;
  /** The new nodes: behind inputs first, then behind parameters. */
  readonly passNodes: readonly NetworkNode[];
  readonly root: NetworkNode;
}

/**
 * Puts a Pass node `NAME.grad` between every input or trainable parameter below `root` and all its users, as CNTK's
 * nodeUnitTest does (SGDLib/SimpleOutputWriter.h, InsertNode). The given network stays as it is.
 */
export function insertPassNodes(shaped: ShapedNetwork, root: NetworkNode): PassedNetwork {
  const pass = operationByName("Pass");
  if (!pass) throw new Error("the registry has no Pass node");
  const parameters = restrictOrder(shaped.order, [root]).filter(
    (node) => node.op.role === "parameter" && parameterAttributes(node).learningRateMultiplier > 0,
  );
  const leaves = [...inputsBelow([root]), ...parameters];
  const { network, inserted, copies } = insertBehind(
    shaped.network,
    leaves,
    pass,
    (leaf) => `${leaf.name}.grad`,
    // What is above an input needs a gradient too.
    { learningRateMultiplier: 1 },
  );
  const copyOf = (node: NetworkNode): NetworkNode => copies.get(node) ?? node;
  const facts = new Map(Array.from(shaped.facts, ([node, known]) => [copyOf(node), known]));
  return { previous: { ...shaped, network, facts }, passNodes: inserted, root: copyOf(root) };
}
