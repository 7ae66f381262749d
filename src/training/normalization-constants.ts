import type { RunLog } from "../log/run-log.js";
import { formatGeneral } from "../numerics/number-format.js";
import type { NetworkNode, NodeFacts, ShapedNetwork } from "../network/network.js";
import { restrictOrder } from "../network/node-order.js";
import type { SgdOptions } from "./sgd-options.js";
import type { Trainer } from "./trainer.js";

/**
 * `batchNormalizationTimeConstant` and `batchNormalizationBlendTimeConstant`: what an epoch says takes the place of the nodes'
 * own constants where it is another value than the epoch before had; at first that is 0, so that 0 leaves them alone.
 * Source: ComputationNetworkLib/ComputationNetwork.cpp, SetBatchNormalizationTimeConstants.
 */
export class NormalizationConstants {
  private normalization = 0;
  private blend = 0;

  constructor(
    private readonly options: Pick<SgdOptions, "normalizationTimeConstants" | "blendTimeConstants">,
    private readonly log: RunLog,
  ) {}

  async beginEpoch(epoch: number, trainer: Trainer): Promise<void> {
    const normalization = this.options.normalizationTimeConstants.at(epoch);
    const blend = this.options.blendTimeConstants.at(epoch);
    const changed = {
      ...(normalization !== this.normalization && { normalizationTimeConstant: normalization }),
      ...(blend !== this.blend && { blendTimeConstant: blend }),
    };
    [this.normalization, this.blend] = [normalization, blend];
    if (Object.keys(changed).length === 0) return;
    for (const [name, value] of Object.entries(changed)) {
      const what = name === "blendTimeConstant" ? "blend time constant" : "time constant";
      this.log.write(`Setting batch normalization ${what} to ${formatGeneral(value, 8)}.\n`);
    }
    const [criterion] = trainer.watched;
    const nodes = normalizationNodes(trainer.shaped, criterion ? [criterion] : []);
    if (nodes.length === 0) this.log.write("WARNING: there is no batch normalization node.\n");
    else await trainer.recompile(withAttributes(trainer.shaped, nodes, changed));
  }
}

/** The BatchNormalization nodes that some nodes need, in evaluation order. */
export function normalizationNodes(shaped: ShapedNetwork, roots: readonly NetworkNode[]): NetworkNode[] {
  return restrictOrder(shaped.order, roots).filter(({ op }) => op.name === "BatchNormalization");
}

/** The same network, some of whose nodes have other attributes. */
export function withAttributes(
  shaped: ShapedNetwork,
  nodes: readonly NetworkNode[],
  changed: NodeFacts["attributes"],
): ShapedNetwork {
  const facts = new Map(shaped.facts);
  for (const node of nodes) {
    const known = facts.get(node);
    if (known) facts.set(node, { ...known, attributes: { ...known.attributes, ...changed } });
  }
  return { ...shaped, facts };
}
