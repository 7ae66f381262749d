import type { Values } from "../numerics/values.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { inputsBelow } from "../network/node-order.js";
import { compilePlan, planGraph, statisticsGraph } from "../computing.js";
import type { Reader } from "../readers/reader.js";
import type { Session } from "../session.js";
import { feedNetwork } from "./feed.js";
import { located } from "./located-failures.js";
import { Interruption } from "./interruption.js";
import type { SgdOptions } from "./sgd-options.js";

/*
 * Statistics of the training set (Mean, InvStdDev), which are computed in a pass over the data before the first epoch.
 */

export interface StatisticsRequest {
  readonly shaped: ShapedNetwork;
  readonly statistics: readonly NetworkNode[];
  readonly reader: Reader;
  readonly options: Pick<SgdOptions, "minibatchSizes" | "epochSize" | "usesAllDataForStatistics">;
}

/** Passes over the data once and returns the values of the statistics (SGDLib/SGD.cpp, PreCompute). */
export async function computeStatistics(
  session: Pick<Session, "backend" | "elementType" | "signal">,
  { shaped, statistics, reader, options }: StatisticsRequest,
): Promise<ReadonlyMap<NetworkNode, Values>> {
  const graph = statisticsGraph(shaped, statistics);
  const { executable } = await compilePlan(session, planGraph(graph, session.elementType), new Map());
  const interruption = new Interruption(session.signal);
  try {
    const inputs = inputsBelow(statistics.flatMap((node) => node.inputs));
    const epochSize = options.usesAllDataForStatistics ? 0 : options.epochSize;
    const minibatchSize = options.minibatchSizes.at(0);
    await reader.start({ epoch: 0, minibatchSize, epochSize, rank: 0, workers: 1 });
    for (let minibatch = await reader.next(); minibatch; minibatch = await reader.next()) {
      const data = feedNetwork(minibatch, inputs, shaped.facts);
      await located(shaped, () => executable.run("evaluate", data, { dropoutRate: 0 }));
      await interruption.check();
    }
    await executable.run("update", { layouts: new Map(), inputs: new Map() });
    const values = await executable.readState(statistics.map(({ name }) => name));
    return new Map(statistics.map((node) => [node, values.get(node.name) ?? new Float64Array()]));
  } finally {
    await executable.dispose();
  }
}
